//! Tests of whole nodes: in one process, as processes on loopback, and in network namespaces.

mod accuracy;
mod admission;
mod analyze;
mod call;
#[cfg(unix)]
mod cli;
mod client;
mod dawdlers;
mod entry;
mod examples;
mod facepp;
mod faces;
mod hostile;
mod lan;
mod liars;
mod mail;
#[cfg(unix)]
mod measured;
mod membership;
mod mesh;
mod people;
mod pixels;
mod private;
mod ready;
mod table;
mod vectors;
