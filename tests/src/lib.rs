//! What the tests and benches of Potluck stand on: LANs made of network namespaces, real `potluck`
//! processes, meshes of real nodes in one process, and peers that do not keep to the protocol.

pub mod bare;
pub mod bench;
pub mod lan;
pub mod mesh;
pub mod process;

use std::io::Write as _;

/// Says on the real standard error, past the test runner's capture, that a test did not run.
pub fn skipped(test: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {why}");
}
