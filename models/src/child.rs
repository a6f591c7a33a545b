//! Other programs that are run: Python, pip, npm. They get the environment without what is only ours.

use std::ffi::OsStr;
use std::process::Command;

/// Variables of this program begin so; some hold keys to services that cost money.
const OURS: &str = "POTLUCK_";

/// A command that inherits no variable of this program.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with(OURS) {
            command.env_remove(name);
        }
    }
    command
}
