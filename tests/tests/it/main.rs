//! Tests of whole nodes: in one process, as processes on loopback, and in network namespaces.

mod examples;
mod hostile;
mod mesh;
