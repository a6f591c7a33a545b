//! The settings of a node, read from `config.toml` in the data folder.
//!
//! Every setting has a default, so a missing file is a complete one. A bad file is reported in
//! one line with the file, the line and what to do ([`ConfigError`]).

mod allow;
mod edit;
pub(crate) mod explain;
mod limits;
mod section;

use std::fmt;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use libp2p::Multiaddr;
use potluck_i18n::Lang;
use serde::de::{Deserializer, Error as _, Visitor};
use serde::{Deserialize, Serialize};
use toml::de::DeTable;

use crate::say::{Reason, reasons};

pub use allow::{Allow, Contacts, Permissions};
pub use edit::{EditError, edit, replace};
pub use limits::{Limits, MOST as MOST_OF_A_LIMIT, PeerLimits};
pub(crate) use section::SectionForm;
pub use section::{Section, Sections};

/// The largest `config.toml` that is read, in bytes.
pub const MAX_FILE: u64 = 1 << 20;

/// Everything that the owner of a node can set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What other people see beside the client id: 1 to 64 characters. Default: the host name.
    #[serde(deserialize_with = "name")]
    pub name: String,
    /// Nodes talk only to nodes of the same mesh name. Default: `potluck`.
    #[serde(deserialize_with = "mesh")]
    pub mesh: String,
    /// The language of commands, `en` or `zh`. Default: that of the system.
    pub language: Option<Lang>,
    /// How other nodes are found and reached.
    pub network: Network,
    /// What is offered, and how much of it at once.
    pub services: Services,
    /// Who may use what.
    pub allow: Permissions,
    /// How much of it one peer may have.
    pub limits: Limits,
    /// The people with whom the owner wants nothing to do: nicknames and client ids.
    pub blocked: Contacts,
    /// The people whom the owner knows: nicknames and client ids.
    pub contacts: Contacts,
    /// Sections of services that differ from the default: see [`Config::section`].
    #[serde(skip)]
    pub sections: Sections,
}

/// The `[network]` section: how other nodes are found and reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Network {
    /// Multiaddrs to listen on. Default: every interface, TCP and QUIC, any free port.
    #[serde(deserialize_with = "addresses")]
    pub listen: Vec<String>,
    /// Multiaddrs of nodes to connect to. Default: none.
    #[serde(deserialize_with = "addresses")]
    pub join: Vec<String>,
    /// Multiaddrs at which others reach this node from everywhere, as through a port that a router
    /// forwards. Default: none.
    #[serde(deserialize_with = "addresses")]
    pub external: Vec<String>,
    /// Find nodes on the local network by mDNS. Default: true.
    pub mdns: bool,
    /// How many neighbours are kept connected (a soft bound), 1 to 1000. Default: 12.
    #[serde(deserialize_with = "between::<_, _, 1, 1000>")]
    pub connections: usize,
    /// Connections beyond this number are refused, 1 to 10000. Default: 200.
    #[serde(deserialize_with = "between::<_, _, 1, 10_000>")]
    pub max_connections: usize,
}

/// The `[services]` section: what is offered, and how much of it at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Services {
    /// Canonical names of the only capabilities to offer. Default: all that this node has.
    #[serde(deserialize_with = "some_capabilities")]
    pub offer: Option<Vec<String>>,
    /// Canonical names of capabilities never to offer. Default: none.
    #[serde(deserialize_with = "capabilities")]
    pub withhold: Vec<String>,
    /// Threads for the work of services; 0 is one for each core. Default: 0.
    #[serde(deserialize_with = "between::<_, _, 0, 1024>")]
    pub threads: usize,
    /// Calls that may wait for one capability before `Busy`, 1 to 10000. Default: 64.
    #[serde(deserialize_with = "between::<_, _, 1, 10_000>")]
    pub queue: usize,
    /// The largest input of one call in MiB, 1 to 2048. Default: 64.
    #[serde(deserialize_with = "between::<_, _, 1, 2048>")]
    pub max_input_mib: u64,
    /// Disk for what is kept for other peers (their inputs, answers that they have not fetched) in
    /// MiB, 1 to 1048576. One peer gets at most half of it. Default: 8192.
    #[serde(deserialize_with = "between::<_, _, 1, 1_048_576>")]
    pub disk_mib: u64,
}

/// Why the settings cannot be used. The text is one line that says where and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is there but cannot be read.
    #[error("{}: the settings cannot be read: {source}; check that it is a text file that you may read", path.display())]
    Unreadable {
        /// The settings file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is too large to be a settings file.
    #[error("{}: larger than 1 MiB, so not a settings file; move it away and start again", path.display())]
    TooLarge {
        /// The settings file.
        path: PathBuf,
    },
    /// A setting is wrong.
    #[error("{}:{line}: {reason}", path.display())]
    Bad {
        /// The settings file.
        path: PathBuf,
        /// The line of the mistake, counted from 1.
        line: usize,
        /// What is wrong and how to fix it, in one line.
        reason: String,
    },
}

/// A value that is not what its setting wants; the text says what would be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Not a capability name.
    #[error(
        "'{0}' is not a capability name (write a name such as chat, or chat/1 with its version)"
    )]
    Capability(String),
    /// Not a multiaddr.
    #[error("'{text}' is not an address: {reason} ({fix})")]
    Address {
        /// What was written.
        text: String,
        /// What the multiaddr parser said.
        reason: Reason,
        /// An address to write instead.
        fix: Reason,
    },
    /// Not a mesh name.
    #[error("'{0}' is not a mesh name (1 to 32 of a-z, 0-9, '-', '_', '.')")]
    Mesh(String),
    /// Not a node name.
    #[error("'{0}' is not a node name (1 to 64 characters on one line)")]
    Name(String),
    /// Not a client id.
    #[error("'{0}' is not a client id (`potluck id` on that person's machine prints it)")]
    ClientId(String),
    /// Not a way to say who may use something.
    #[error(
        "'{0}' says nobody (write \"contacts\", \"everyone\", \"members\", \"nobody\" or a list of client ids)"
    )]
    Allow(String),
    /// Not an address for a secret.
    #[error(
        "'{text}' is not an address for a key: {reason} (write one such as https://api-us.faceplusplus.com)"
    )]
    Base {
        /// What was written.
        text: String,
        /// What is wrong with it.
        reason: Reason,
    },
}

impl Config {
    /// Reads the settings at `path`; a missing file means the defaults.
    pub fn load(path: &Path) -> Result<Config, ConfigError> {
        let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
        let size = match fs::metadata(path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Config::default()),
            Err(error) => return Err(unreadable(error)),
        };
        if size > MAX_FILE {
            return Err(ConfigError::TooLarge { path: path.to_owned() });
        }
        Config::parse(&fs::read_to_string(path).map_err(unreadable)?, path)
    }

    /// Reads settings from TOML text; `path` only names them in errors.
    pub fn parse(source: &str, path: &Path) -> Result<Config, ConfigError> {
        let bad = |line, reason| ConfigError::Bad { path: path.to_owned(), line, reason };
        let config = Config::read(source).map_err(|error| {
            let explained = explain::explain(source, &error);
            bad(explained.line, explained.reason)
        })?;
        let Network { connections, max_connections, .. } = config.network;
        if connections > max_connections {
            let line = explain::line_of(source, "network", &["max_connections", "connections"]);
            let reason = format!(
                "'max_connections' ({max_connections}) is below 'connections' ({connections}); raise it to {connections} or more"
            );
            return Err(bad(line, reason));
        }
        Ok(config)
    }

    /// A settings file with every setting explained and commented out at its default.
    pub fn template() -> String {
        let name = toml::Value::String(default_name()).to_string();
        let sections: Vec<_> = sections()
            .map(|section| format!("[{}]\n{}\n", section.name, section.template))
            .collect();
        include_str!("config/template.toml")
            .replace("\"@NAME@\"", &name)
            .replace("@SECTIONS@\n", &(sections.join("\n") + "\n"))
    }

    /// The settings as TOML text: all of the node's own, and what differs from the default of the
    /// services'.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        let mut all = toml::Table::try_from(self)?;
        all.extend(self.sections.tables());
        toml::to_string(&all)
    }

    /// Takes the services' sections out, each read as its own type, then the rest.
    fn read(source: &str) -> Result<Config, toml::de::Error> {
        let mut written = DeTable::parse(source)?;
        let mut own = Sections::default();
        for section in sections() {
            if let Some(value) = written.get_mut().remove(section.name) {
                own.set(section.name, (section.read)(value)?);
            }
        }
        let config = Config::deserialize(toml::Deserializer::from(written))?;
        Ok(Config { sections: own, ..config })
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            name: default_name(),
            mesh: "potluck".to_owned(),
            language: None,
            network: Network::default(),
            services: Services::default(),
            allow: Permissions::default(),
            limits: Limits::default(),
            blocked: Contacts::default(),
            contacts: Contacts::default(),
            sections: Sections::default(),
        }
    }
}

impl Default for Network {
    fn default() -> Self {
        let listen = [
            "/ip4/0.0.0.0/tcp/0",
            "/ip6/::/tcp/0",
            "/ip4/0.0.0.0/udp/0/quic-v1",
            "/ip6/::/udp/0/quic-v1",
        ];
        Network {
            listen: listen.map(str::to_owned).to_vec(),
            join: Vec::new(),
            external: Vec::new(),
            mdns: true,
            connections: 12,
            max_connections: 200,
        }
    }
}

impl Default for Services {
    fn default() -> Self {
        Services {
            offer: None,
            withhold: Vec::new(),
            threads: 0,
            queue: 64,
            max_input_mib: 64,
            disk_mib: 8192,
        }
    }
}

/// The sections of services, in the order of the services, that of the mail, and that of entry nodes.
fn sections() -> impl Iterator<Item = SectionForm> {
    let services = crate::services::ALL.iter().map(|recipe| recipe.section);
    services.chain([
        SectionForm::of::<crate::mail::Options>(),
        SectionForm::of::<crate::entry::Options>(),
    ])
}

/// The canonical form of a capability name: `chat` and `chat/1` are both `chat/1`.
///
/// A name is 1 to 32 of `a-z`, `0-9`, `-`, `.`, starting with a letter; a version is 1 to 999.
pub fn capability_name(text: &str) -> Result<String, ValueError> {
    let error = || ValueError::Capability(shown(text));
    let (name, version) = text.split_once('/').unwrap_or((text, "1"));
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let good_name = name.len() <= 32
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(letters);
    let good_version = (1..=3).contains(&version.len())
        && version.bytes().all(|b| b.is_ascii_digit())
        && !version.starts_with('0');
    if good_name && good_version { Ok(format!("{name}/{version}")) } else { Err(error()) }
}

/// Reads a multiaddr, and says which one was probably meant where `host:port` was written.
pub fn address(text: &str) -> Result<Multiaddr, ValueError> {
    match text.parse::<Multiaddr>() {
        Ok(address) if !address.is_empty() => Ok(address),
        result => {
            let reason = match result {
                Ok(_) => reasons::address_empty(),
                Err(error) => error.to_string().into(),
            };
            let fix = match meant(text) {
                Some(address) => reasons::address_meant(address.to_string()),
                None => reasons::address_form(),
            };
            Err(ValueError::Address { text: shown(text), reason, fix })
        }
    }
}

/// Checks a mesh name: 1 to 32 of `a-z`, `0-9`, `-`, `_`, `.`.
///
/// ASCII only, because names are compared byte by byte and one accented letter has several
/// encodings that look the same.
pub fn mesh_name(text: &str) -> Result<String, ValueError> {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    if (1..=32).contains(&text.len()) && text.chars().all(letters) {
        Ok(text.to_owned())
    } else {
        Err(ValueError::Mesh(shown(text)))
    }
}

/// Checks a node name: 1 to 64 characters without control characters, not only spaces.
pub fn node_name(text: &str) -> Result<String, ValueError> {
    let text = text.trim();
    if (1..=64).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err(ValueError::Name(shown(text)))
    }
}

/// At most 60 characters of what the user wrote, on one line, for an error text.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(60).map(|c| if c.is_control() { '?' } else { c }).collect()
}

fn meant(text: &str) -> Option<String> {
    let (host, port) = text.rsplit_once(':')?;
    let (host, port) = (host.trim_start_matches('/'), port.parse::<u16>().ok()?);
    let host: Ipv4Addr = host.parse().ok()?;
    Some(format!("/ip4/{host}/tcp/{port}"))
}

fn default_name() -> String {
    node_name(&gethostname::gethostname().to_string_lossy()).unwrap_or_else(|_| "node".to_owned())
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    node_name(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

fn mesh<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    mesh_name(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

pub(crate) fn between<'de, D, T, const MIN: i64, const MAX: i64>(
    deserializer: D,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i64>,
{
    let number = i64::deserialize(deserializer)?;
    T::try_from(number)
        .ok()
        .filter(|_| (MIN..=MAX).contains(&number))
        .ok_or_else(|| D::Error::custom(format!("{number} is not from {MIN} to {MAX}")))
}

/// Text that is checked while it is read, so that an error points at its own line in a list.
pub(crate) struct Checked<T>(pub(crate) fn(&str) -> Result<T, ValueError>);

impl<T> Visitor<'_> for Checked<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).map_err(E::custom)
    }
}

struct Address(String);

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let check = |text: &str| address(text).map(|_| Address(text.to_owned()));
        deserializer.deserialize_str(Checked(check))
    }
}

struct Capability(String);

impl<'de> Deserialize<'de> for Capability {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Checked(|text| capability_name(text).map(Capability)))
    }
}

fn addresses<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let list = Vec::<Address>::deserialize(deserializer)?;
    Ok(list.into_iter().map(|address| address.0).collect())
}

fn capabilities<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let list = Vec::<Capability>::deserialize(deserializer)?;
    Ok(list.into_iter().map(|capability| capability.0).collect())
}

fn some_capabilities<'de, D>(deserializer: D) -> Result<Option<Vec<String>>, D::Error>
where
    D: Deserializer<'de>,
{
    capabilities(deserializer).map(Some)
}

#[cfg(test)]
mod tests;
