//! What the tests and benches of Potluck stand on: LANs made of network namespaces, real `potluck`
//! processes, meshes of real nodes in one process, peers that do not keep to the protocol, and a
//! stand-in for the Face++ server.

pub mod bare;
pub mod bench;
pub mod entry;
pub mod facepp;
pub mod internet;
pub mod lan;
pub mod lossy;
pub mod mesh;
pub mod pictures;
pub mod process;

use std::io::Write as _;

/// Says on the real standard error, past the test runner's capture, that a test did not run.
pub fn skipped(test: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {why}");
}
