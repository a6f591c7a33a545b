//! The language that a command speaks.

use std::{ffi::OsString, path::PathBuf};

use potluck_i18n::Lang;

use crate::{config::Config, data_dir};

/// The variable that says it for all commands.
pub(super) const VARIABLE: &str = "POTLUCK_LANG";

/// The first that says it: `--lang`, the variable, the settings of the data folder, the locale. What
/// is wrong with any of them is told by whoever reads it next.
#[must_use]
pub fn spoken(args: impl IntoIterator<Item = OsString>) -> Lang {
    let args: Vec<_> = args.into_iter().take_while(|arg| arg != "--").collect();
    let of_variable = || std::env::var(VARIABLE).ok();
    let said =
        option(&args, "--lang").and_then(|said| said.into_string().ok()).or_else(of_variable);
    let folder = option(&args, "--data-dir").map(PathBuf::from);
    let settings = || Config::load(&data_dir::config_file(folder)?).ok()?.language;
    said.and_then(|said| said.parse().ok()).or_else(settings).unwrap_or_else(Lang::of_system)
}

/// The value of an option, in both spellings.
fn option(args: &[OsString], name: &str) -> Option<OsString> {
    let joined = |arg: &OsString| {
        let value = arg.to_str()?.strip_prefix(name)?.strip_prefix('=')?;
        Some(OsString::from(value))
    };
    args.iter().enumerate().find_map(|(at, arg)| match arg == name {
        true => args.get(at + 1).cloned(),
        false => joined(arg),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoken_in(line: &str) -> Lang {
        spoken(line.split(' ').map(OsString::from))
    }

    #[test]
    fn the_option_comes_before_the_settings_and_those_before_the_locale() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        std::fs::write(folder.path().join("config.toml"), "language = \"zh\"\n").unwrap();
        assert_eq!(spoken_in(&format!("peers --data-dir {path}")), Lang::Zh);
        assert_eq!(spoken_in(&format!("--data-dir={path} id --lang en")), Lang::En);
        assert_eq!(spoken_in("id --lang=zh_CN"), Lang::Zh);
        // What is said to somebody is no option.
        let text = format!("ask --data-dir {path} -- --lang en");
        assert_eq!(spoken_in(&text), Lang::Zh);
        // A broken file is told later, and by whom it concerns.
        std::fs::write(folder.path().join("config.toml"), "language = [").unwrap();
        assert_eq!(spoken_in(&format!("id --data-dir {path}")), Lang::of_system());
    }
}
