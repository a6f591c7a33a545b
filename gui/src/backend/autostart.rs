//! Whether the window opens when the person logs in: in the way of each system, nothing behind one's
//! back (XDG autostart, Launch Agents, the user's `Run` key).

use std::path::Path;

use auto_launch::{
    AutoLaunch, AutoLaunchBuilder, LinuxLaunchMode, MacOSLaunchMode, WindowsEnableMode,
};

/// Whether it does.
pub fn starts(data_dir: &Path) -> bool {
    entry(data_dir).is_ok_and(|entry| entry.is_enabled().unwrap_or(false))
}

/// From now on it does, or does not.
pub fn start(on: bool, data_dir: &Path) -> Result<(), String> {
    let entry = entry(data_dir)?;
    let done = if on { entry.enable() } else { entry.disable() };
    done.map_err(|error| error.to_string())
}

fn entry(data_dir: &Path) -> Result<AutoLaunch, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut builder = AutoLaunchBuilder::new();
    builder
        .set_app_name("potluck")
        .set_app_path(&argument(&program))
        .set_linux_launch_mode(LinuxLaunchMode::XdgAutostart)
        .set_macos_launch_mode(MacOSLaunchMode::LaunchAgent)
        .set_windows_enable_mode(WindowsEnableMode::CurrentUser)
        .set_args(&["--data-dir".to_owned(), argument(data_dir)]);
    builder.build().map_err(|error| error.to_string())
}

/// A path as it stands in the entry. Only Launch Agents have a list of arguments; elsewhere they are one
/// line, quoted as the Desktop Entry Specification says ("The Exec key").
fn argument(path: &Path) -> String {
    let text = path.to_string_lossy();
    if !cfg!(target_os = "linux") {
        return text.into_owned();
    }
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            // Once for the quotes, once for the string that the file's value is.
            '"' | '`' | '$' => quoted.push_str("\\\\"),
            '\\' => quoted.push_str("\\\\\\"),
            '%' => quoted.push('%'),
            _ => {}
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn odd_paths_stay_one_argument() {
        assert_eq!(argument(Path::new("/home/林 晓/data")), "\"/home/林 晓/data\"");
        assert_eq!(argument(Path::new("/a\"$%")), "\"/a\\\\\"\\\\$%%\"");
    }
}
