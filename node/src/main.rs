//! The `potluck` command: reads the command line and hands over.

use std::{io::Write as _, process::ExitCode};

fn main() {
    let code = potluck::cli::main();
    leave((0..=u8::MAX).find(|n| ExitCode::from(*n) == code).unwrap_or(1))
}

/// Ends the process as it is. Everything of ours was dropped before; a usual exit would also tear down
/// ONNX Runtime, which crashes when a thread still loads a model or finishes work that nobody waits
/// for.
fn leave(code: u8) -> ! {
    let _ = std::io::stdout().flush();
    let _ = std::io::stderr().flush();
    #[cfg(unix)]
    #[expect(unsafe_code, reason = "the standard library has no exit without teardown")]
    // SAFETY: it takes a number and does not return; no memory is touched.
    unsafe {
        libc::_exit(code.into())
    }
    #[cfg(not(unix))]
    std::process::exit(code.into())
}
