//! The command line of the window: the options of `potluck up`, and how the window looks.

use std::path::PathBuf;

use clap::Parser;
use potluck::home::HomeOptions;

use crate::{settings::ThemeChoice, words::Lang};

/// The window of Potluck: it runs a node, or attaches to the one that runs in the data folder.
#[derive(Debug, Clone, Default, Parser)]
#[command(name = "potluck-gui", version, max_term_width = 100)]
#[command(after_help = "Try it on one computer:  potluck-gui --demo\n\
    Two windows on one computer:\n  \
    potluck-gui --data-dir a --name ann --listen /ip4/127.0.0.1/tcp/4001 --no-mdns\n  \
    potluck-gui --data-dir b --name ben --listen /ip4/127.0.0.1/tcp/4002 --no-mdns --join 127.0.0.1:4001\n\
    Keys: Ctrl+1 to Ctrl+9 choose a screen, Tab and Enter go everywhere, Esc closes")]
pub struct Args {
    /// The data folder: identity, settings, models [default: the user's data folder]
    #[arg(long, value_name = "DIR", env = potluck::data_dir::DATA_DIR_VARIABLE)]
    pub data_dir: Option<PathBuf>,
    /// The nickname that others see [default: the host name]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Listen on this multiaddr, such as /ip4/0.0.0.0/tcp/4001; may be repeated
    #[arg(long, value_name = "ADDR")]
    pub listen: Vec<String>,
    /// Connect to this address: 192.168.1.20:4001 or a multiaddr; may be repeated
    #[arg(long, value_name = "ADDR")]
    pub join: Vec<String>,
    /// Do not look for neighbours by mDNS
    #[arg(long)]
    pub no_mdns: bool,
    /// Three nodes in this process on loopback, in folders that go when the window closes
    #[arg(long, conflicts_with_all = ["data_dir", "join", "listen"])]
    pub demo: bool,
    /// The language of the window for now, en or zh; the settings keep theirs
    #[arg(long, value_name = "LANG")]
    pub lang: Option<Lang>,
    /// Light or dark for now; the settings keep theirs
    #[arg(long, value_name = "THEME")]
    pub theme: Option<ThemeChoice>,
    /// Write the manual page into a folder, and open no window
    #[arg(long, value_name = "DIR", hide = true)]
    pub man: Option<PathBuf>,
}

impl Args {
    /// What the node is started with.
    pub fn home(&self) -> HomeOptions {
        HomeOptions {
            data_dir: self.data_dir.clone(),
            name: self.name.clone(),
            listen: self.listen.clone(),
            join: self.join.clone(),
            no_mdns: self.no_mdns,
            offer: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
        let parse = |line: &str| Args::try_parse_from(line.split(' '));
        let args = parse("potluck-gui --data-dir a --name ann --no-mdns --lang zh --theme dark");
        let args = args.unwrap();
        assert_eq!(args.lang, Some(Lang::Zh));
        assert_eq!(args.theme, Some(ThemeChoice::Dark));
        assert_eq!(args.home().name.as_deref(), Some("ann"));
        // The demo has folders of its own.
        assert!(parse("potluck-gui --demo --data-dir a").is_err());
        assert!(parse("potluck-gui --lang fr").is_err());
    }
}
