//! The capabilities that a node can offer: one file or folder each, one line each in [`all`].

pub mod chat;
