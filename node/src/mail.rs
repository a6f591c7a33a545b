//! Mail: sealed letters to a client id, carried by whoever is there until they arrive.
//!
//! A *letter* ([`letter`]) is text, files and folders, packed as one tar archive, signed inside and
//! sealed with age to the recipient's sealing key ([`keys`]). It travels in an *envelope*
//! ([`envelope`]) that says from whom, to whom and until when, and nothing else.

pub mod envelope;
pub mod keys;
pub mod letter;
pub mod names;
pub mod store;
