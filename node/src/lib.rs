//! Potluck: a peer-to-peer mesh for a local network in which any node can serve.
//!
//! [`Node::start`] runs a node; the [`Client`] that it hands out is what the command line, the
//! GUI and the tests use. `docs/architecture.md` has the map.

pub mod blobs;
mod calls;
pub mod cli;
pub mod client;
pub mod config;
pub mod control;
pub mod data_dir;
pub mod directory;
pub mod doctor;
pub mod entry;
pub mod home;
pub mod identity;
pub mod journal;
pub mod mail;
pub mod membership;
pub mod neighbourhood;
pub mod network;
pub mod node;
mod pace;
mod private;
pub mod protocol;
pub mod qr;
pub mod quota;
pub mod router;
pub mod say;
pub mod service;
pub mod services;
mod write_behind;

pub use client::Client;
pub use node::{Node, NodeOptions, StartError};
