//! The command line, and the settings that suit an entry node.

use std::{net::SocketAddr, path::PathBuf};

use potluck::{
    cli::WrongValue,
    config::{self, Config, node_name},
    entry,
    mail::KEEP,
    network::parse_join,
    say::Say as _,
};
use potluck_i18n::Lang;

use crate::{outer, words::wrong};

/// Where it listens unless the settings say something else.
const LISTEN: [&str; 4] = [
    "/ip4/0.0.0.0/tcp/4001",
    "/ip4/0.0.0.0/udp/4001/quic-v1",
    "/ip6/::/tcp/4001",
    "/ip6/::/udp/4001/quic-v1",
];
/// Connections that it has room for unless the settings say something else.
const CONNECTIONS: usize = 2_000;

/// The beginning of the keys of its help.
pub const HELP: &str = "entry-help-potluck-bootstrap";

/// The entry node of a Potluck mesh: an address that others reach from everywhere.
///
/// It relays for nodes that cannot be reached directly, tells them of each other, tests for them whether
/// they can be reached, and keeps sealed mail for those that are off. It sees sealed bytes, their
/// sizes and times, and the ids of who talks with whom; it can read nothing.
#[derive(Debug, clap::Parser)]
#[command(name = "potluck-bootstrap", version, max_term_width = 100)]
#[command(after_help = "On a server with a public address:   potluck-bootstrap\n\
    Behind a router that forwards a port:  potluck-bootstrap --external 203.0.113.7:4001\n\
    Then on every machine, in any LAN:     potluck up --join ADDRESS   (it prints the ADDRESS)\n\n\
    Settings are read from config.toml in the data folder; flags win over it. What may be set stands in\n\
    docs/configuration.md, and how to run it as a service in docs/entry-node.md.\n\
    Exit codes: 0 stopped, 1 internal error, 2 wrong usage or settings")]
pub struct Options {
    /// The data folder: identity, settings, mail [default: the user's data folder]
    #[arg(long, value_name = "DIR", env = "POTLUCK_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// The settings file [default: config.toml in the data folder]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where others reach it: 203.0.113.7, 203.0.113.7:4001 or a multiaddr; may be repeated
    /// [default: the public addresses of this machine]
    #[arg(long, value_name = "ADDR")]
    pub external: Vec<String>,
    /// Listen on this multiaddr; may be repeated [default: port 4001 of TCP and QUIC, everywhere]
    #[arg(long, value_name = "ADDR")]
    pub listen: Vec<String>,
    /// Connect to this other entry node; may be repeated
    #[arg(long, value_name = "ADDR")]
    pub join: Vec<String>,
    /// The nickname that others see [default: the host name]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The mesh that it belongs to [default: potluck]
    #[arg(long, value_name = "NAME")]
    pub mesh: Option<String>,
    /// Where /healthz and /metrics are answered, or "off"; whoever reaches it can read them
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9464", value_parser = http)]
    pub http: Http,
    /// Say in one line of JSON that it is ready
    #[arg(long)]
    pub json: bool,
    /// The language of what it says: en or zh [default: that of the settings, otherwise of the system]
    #[arg(long, value_name = "LANG", env = "POTLUCK_LANG")]
    pub lang: Option<Lang>,
}

/// Where it answers whoever watches over it.
#[derive(Debug, Clone, Copy)]
pub enum Http {
    /// Nowhere.
    Off,
    /// There.
    At(SocketAddr),
}

impl Options {
    /// Where it answers whoever watches over it.
    pub fn http(&self) -> Option<SocketAddr> {
        match self.http {
            Http::Off => None,
            Http::At(at) => Some(at),
        }
    }
}

/// The settings of the file with the flags, as an entry node has them. What is wrong is said.
pub fn apply(options: &Options, mut config: Config) -> Result<Config, String> {
    let lang = options.lang.or(config.language).unwrap_or_default();
    let usual = Config::default();
    if let Some(name) = &options.name {
        config.name = node_name(name).map_err(|e| e.say(lang))?;
    }
    if let Some(mesh) = &options.mesh {
        config.mesh = config::mesh_name(mesh).map_err(|e| e.say(lang))?;
    }
    let network = &mut config.network;
    if !options.listen.is_empty() {
        network.listen = read(&options.listen, lang)?;
    } else if network.listen == usual.network.listen {
        network.listen = LISTEN.map(str::to_owned).to_vec();
    }
    for address in &options.join {
        let found = parse_join(address).map_err(|e| e.say(lang))?;
        network.join.extend(found.iter().map(ToString::to_string));
    }
    for address in &options.external {
        network.external.extend(outer::given(address, &network.listen).map_err(|e| e.say(lang))?);
    }
    if network.external.is_empty() {
        network.external = outer::of_machine(&network.listen);
    }
    // Nobody in a computing centre is a neighbour.
    network.mdns = false;
    if network.max_connections == usual.network.max_connections {
        network.max_connections = CONNECTIONS;
    }
    // Whoever comes is kept: places are held over connections.
    network.connections = network.max_connections.min(1_000);
    config.services.offer = Some(vec![KEEP.to_owned()]);
    config.change::<entry::Options>(|entry| entry.enabled = true);
    Ok(config)
}

fn read(texts: &[String], lang: Lang) -> Result<Vec<String>, String> {
    let read =
        |text: &String| config::address(text).map(|a| a.to_string()).map_err(|e| e.say(lang));
    texts.iter().map(read).collect()
}

fn http(text: &str) -> Result<Http, WrongValue> {
    if text == "off" {
        return Ok(Http::Off);
    }
    text.parse().map(Http::At).map_err(|_| WrongValue(wrong::http()))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;

    fn applied(line: &str, file: &str) -> Result<Config, String> {
        let options = Options::try_parse_from(line.split(' ')).expect("good usage");
        apply(&options, Config::parse(file, "config.toml".as_ref()).expect("good settings"))
    }

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn an_entry_node_keeps_mail_and_shouts_to_nobody() {
        let config = applied("potluck-bootstrap --external 203.0.113.7", "").expect("good");
        assert!(config.section::<entry::Options>().enabled && !config.network.mdns);
        assert_eq!(config.services.offer, Some(vec!["keep/1".to_owned()]));
        assert_eq!(config.network.max_connections, CONNECTIONS);
        assert_eq!(
            config.network.external,
            ["/ip4/203.0.113.7/tcp/4001", "/ip4/203.0.113.7/udp/4001/quic-v1"]
        );
    }

    #[test]
    fn flags_win_over_the_file_and_what_is_written_over_the_usual() {
        let file = "name = \"gate\"\n[network]\nmax_connections = 300\n[entry]\nplaces = 5\n";
        let line =
            "potluck-bootstrap --name door --listen /ip4/0.0.0.0/tcp/9 --external 203.0.113.7:80";
        let config = applied(line, file).expect("good");
        assert_eq!((config.name.as_str(), config.network.max_connections), ("door", 300));
        assert_eq!(config.network.external, ["/ip4/203.0.113.7/tcp/80"]);
        let entry = config.section::<entry::Options>();
        assert!(entry.enabled && entry.places == 5);
        for wrong in ["--external nowhere", "--listen 1.2.3.4:5", "--mesh A"] {
            assert!(applied(&format!("potluck-bootstrap {wrong}"), "").is_err(), "{wrong}");
        }
    }
}
