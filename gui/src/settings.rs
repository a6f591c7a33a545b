//! The settings of the window, kept in `window.toml` in the data folder. Those of the node are in
//! `config.toml`, which people also edit by hand: [`set_of_node`] changes one line of it.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use potluck::{
    config::{Config, EditError, PeerLimits, edit, replace},
    say::{Reason, Say},
};
use serde::{Deserialize, Serialize};

use crate::words::Lang;

/// The name of the file.
pub const FILE: &str = "window.toml";

/// Tables that are remembered.
const RECENT: usize = 8;

/// Smallest and largest text, in percent.
pub const SCALES: (u16, u16) = (80, 200);

/// How the window looks and behaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The language; `None` follows the settings of the node, then the system.
    pub language: Option<Lang>,
    /// The language in the settings of the node.
    #[serde(skip)]
    pub of_node: Option<Lang>,
    /// Light, dark, or as the system.
    pub theme: ThemeChoice,
    /// Size of everything, in percent.
    pub scale: u16,
    /// Short fades and moves.
    pub motion: bool,
    /// Tell of new mail.
    pub notice_mail: bool,
    /// Tell of requests from strangers.
    pub notice_strangers: bool,
    /// Strangers who may write: client ids.
    pub accepted: BTreeSet<String>,
    /// Where files of letters are saved; `None` is the system's folder for what was downloaded.
    pub downloads: Option<PathBuf>,
    /// Tables that were opened lately, the last one first.
    pub recent_tables: Vec<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            language: None,
            of_node: None,
            theme: ThemeChoice::System,
            scale: 100,
            motion: true,
            notice_mail: true,
            notice_strangers: false,
            accepted: BTreeSet::new(),
            downloads: None,
            recent_tables: Vec::new(),
        }
    }
}

/// Light, dark, or as the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ThemeChoice {
    /// As the system
    #[default]
    System,
    /// Dark on light
    Light,
    /// Light on dark
    Dark,
}

/// Why settings cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The disk says no.
    #[error(transparent)]
    Disk(#[from] io::Error),
    /// The file is no such file.
    #[error("{0}")]
    Unreadable(String),
    /// The node would not start with it.
    #[error(transparent)]
    Edit(#[from] EditError),
}

impl Say for SettingsError {
    fn reason(&self) -> Reason {
        match self {
            Self::Disk(error) => error.reason(),
            Self::Unreadable(text) => text.reason(),
            Self::Edit(error) => error.reason(),
        }
    }
}

impl Settings {
    /// What the data folder has; what is missing is as new.
    pub fn load(folder: &Path) -> Result<Self, SettingsError> {
        // What is wrong with it is told where the node is started.
        let of_node = Config::load(&folder.join("config.toml")).ok().and_then(|it| it.language);
        let text = match std::fs::read_to_string(folder.join(FILE)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { of_node, ..Self::default() });
            }
            Err(error) => return Err(error.into()),
        };
        let read: Self = toml::from_str(&text)
            .map_err(|error| SettingsError::Unreadable(format!("{FILE}: {}", error.message())))?;
        Ok(Self { of_node, scale: read.scale.clamp(SCALES.0, SCALES.1), ..read })
    }

    /// Keeps them. The old file is there until the new one is whole.
    pub fn save(&self, folder: &Path) -> Result<(), SettingsError> {
        let text =
            toml::to_string(self).map_err(|error| SettingsError::Unreadable(error.to_string()))?;
        Ok(replace(&folder.join(FILE), &text)?)
    }

    /// A table was opened: it is the first of those that were opened lately.
    pub fn opened_table(&mut self, path: PathBuf) {
        self.recent_tables.retain(|known| *known != path);
        self.recent_tables.insert(0, path);
        self.recent_tables.truncate(RECENT);
    }

    /// The language to speak.
    pub fn lang(&self) -> Lang {
        self.language.or(self.of_node).unwrap_or_else(Lang::of_system)
    }
}

/// A setting of the node that the window changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeSetting {
    /// The nickname.
    Name(String),
    /// Whether senders are told that their letters were read.
    Receipts(bool),
    /// Whether others are looked for by mDNS.
    Mdns(bool),
    /// Whether a capability is offered.
    Offer(String, bool),
    /// Room for other people's mail, in MiB.
    KeepMib(u64),
    /// Who may use a capability.
    Allow(String, Who),
    /// How much of a capability one peer may have.
    Limits(String, PeerLimits),
    /// Threads for the work of services; 0 is one for each core.
    Threads(u64),
    /// Calls that may wait for one capability.
    Queue(u64),
    /// The largest input, in MiB.
    MaxInputMib(u64),
    /// Disk for what is kept for other nodes, in MiB.
    DiskMib(u64),
}

impl NodeSetting {
    /// Whether a node that runs takes it up; the others hold from the next start.
    pub fn holds_at_once(&self) -> bool {
        matches!(self, Self::Allow(..) | Self::Limits(..))
    }
}

/// Who may use a capability, of what is chosen by one press.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The whole mesh.
    Everyone,
    /// Members of the private mesh.
    Members,
    /// Contacts.
    Contacts,
    /// Only this node.
    Nobody,
}

/// Changes one setting in `config.toml` and leaves the rest of the file, comments too, as it is.
/// What the node would refuse is not written.
pub fn set_of_node(file: &Path, setting: &NodeSetting) -> Result<Config, SettingsError> {
    let set = |document: &mut toml_edit::DocumentMut, config: &Config| {
        let (section, key, value) = match setting {
            NodeSetting::Offer(name, on) => return offer(document, config, name, *on),
            NodeSetting::KeepMib(mib) => ("mail", "keep_mib", whole(*mib)),
            NodeSetting::Threads(threads) => ("services", "threads", whole(*threads)),
            NodeSetting::Queue(calls) => ("services", "queue", whole(*calls)),
            NodeSetting::MaxInputMib(mib) => ("services", "max_input_mib", whole(*mib)),
            NodeSetting::DiskMib(mib) => ("services", "disk_mib", whole(*mib)),
            NodeSetting::Limits(name, limits) => {
                let all = document.entry("limits").or_insert_with(toml_edit::table);
                if let Some(all) = all.as_table_like_mut() {
                    // Both spellings of a name mean the same.
                    all.remove(name);
                }
                let key = name.split('/').next().unwrap_or(name);
                ("limits", key, toml_edit::value(limits.to_inline()))
            }
            NodeSetting::Allow(name, allow) => {
                let who = match allow {
                    Who::Everyone => "everyone",
                    Who::Members => "members",
                    Who::Contacts => "contacts",
                    Who::Nobody => "nobody",
                };
                let key = name.split('/').next().unwrap_or(name);
                ("allow", key, toml_edit::value(who))
            }
            NodeSetting::Name(name) => {
                document["name"] = toml_edit::value(name.as_str());
                return;
            }
            NodeSetting::Receipts(on) => ("mail", "read_receipts", toml_edit::value(*on)),
            NodeSetting::Mdns(on) => ("network", "mdns", toml_edit::value(*on)),
        };
        document.entry(section).or_insert_with(toml_edit::table)[key] = value;
    };
    Ok(edit(file, set)?)
}

fn whole(number: u64) -> toml_edit::Item {
    toml_edit::value(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Takes a capability into the lists of what is offered, or out of them.
fn offer(document: &mut toml_edit::DocumentMut, config: &Config, name: &str, on: bool) {
    let services = document.entry("services").or_insert_with(toml_edit::table);
    let mut put = |key: &str, list: Vec<String>| {
        services[key] = toml_edit::value(list.into_iter().collect::<toml_edit::Array>());
    };
    let mut withheld = config.services.withhold.clone();
    withheld.retain(|known| known != name);
    if !on {
        withheld.push(name.to_owned());
    }
    put("withhold", withheld);
    let only = config.services.offer.clone().filter(|only| on && !only.iter().any(|it| it == name));
    if let Some(mut only) = only {
        only.push(name.to_owned());
        put("offer", only);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_back_and_a_broken_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Settings::load(folder.path()).unwrap(), Settings::default());
        let changed = Settings {
            language: Some(Lang::Zh),
            theme: ThemeChoice::Dark,
            scale: 150,
            ..Settings::default()
        };
        changed.save(folder.path()).unwrap();
        assert_eq!(Settings::load(folder.path()).unwrap(), changed);
        // The window's own comes before that of the node.
        std::fs::write(folder.path().join("config.toml"), "language = \"en\"\n").unwrap();
        assert_eq!(Settings::load(folder.path()).unwrap().lang(), Lang::Zh);
        std::fs::write(folder.path().join(FILE), "scale = 900\n").unwrap();
        assert_eq!(Settings::load(folder.path()).unwrap().lang(), Lang::En);
        assert_eq!(Settings::load(folder.path()).unwrap().scale, 200);
        std::fs::write(folder.path().join(FILE), "scale = [").unwrap();
        assert!(Settings::load(folder.path()).is_err());
    }

    #[test]
    fn the_last_tables_are_remembered_once_each() {
        let mut settings = Settings::default();
        for at in [1, 2, 3, 4, 5, 6, 7, 8, 9, 3] {
            settings.opened_table(format!("/t/{at}.csv").into());
        }
        let expected = [3, 9, 8, 7, 6, 5, 4, 2].map(|at| PathBuf::from(format!("/t/{at}.csv")));
        assert_eq!(settings.recent_tables, expected);
        let folder = tempfile::tempdir().unwrap();
        settings.save(folder.path()).unwrap();
        assert_eq!(Settings::load(folder.path()).unwrap(), settings);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_them() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        Settings::default().save(folder.path()).unwrap();
        let mode = std::fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_capability_goes_into_the_lists_and_out_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, "[services]\n# mine\noffer = [\"chat\"]\n").unwrap();
        let set =
            |name: &str, on| set_of_node(&file, &NodeSetting::Offer(name.into(), on)).unwrap();
        let off = set("chat/1", false).services;
        assert_eq!(off.withhold, ["chat/1"]);
        let on = set("faces/1", true).services;
        assert_eq!(on.offer.unwrap(), ["chat/1", "faces/1"]);
        let on = set("chat/1", true).services;
        assert!(on.withhold.is_empty() && on.offer.unwrap().len() == 2);
        assert!(std::fs::read_to_string(&file).unwrap().contains("# mine"));
        let config = set_of_node(&file, &NodeSetting::KeepMib(512)).unwrap();
        assert_eq!(config.section::<potluck::mail::Options>().keep_mib, 512);
        for setting in [
            NodeSetting::Threads(2),
            NodeSetting::Queue(16),
            NodeSetting::MaxInputMib(256),
            NodeSetting::DiskMib(1024),
        ] {
            set_of_node(&file, &setting).unwrap();
        }
        let limits = PeerLimits { per_minute: Some(60), ..PeerLimits::default() };
        std::fs::write(
            &file,
            std::fs::read_to_string(&file).unwrap() + "\n[limits]\n\"chat/1\" = { at_once = 1 }\n",
        )
        .unwrap();
        let config = set_of_node(&file, &NodeSetting::Limits("chat/1".into(), limits)).unwrap();
        assert_eq!(config.limits.0, [("chat/1".to_owned(), limits)].into());
        let services = config.services;
        assert_eq!((services.threads, services.queue), (2, 16));
        assert_eq!((services.max_input_mib, services.disk_mib), (256, 1024));
        assert!(set_of_node(&file, &NodeSetting::Queue(0)).is_err());
    }

    #[test]
    fn a_setting_of_the_node_changes_its_own_line_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, "# mine\nname = \"old\"\n\n[network]\n# keep\nconnections = 5\n")
            .unwrap();
        set_of_node(&file, &NodeSetting::Name("林晓".into())).unwrap();
        set_of_node(&file, &NodeSetting::Mdns(false)).unwrap();
        let config = set_of_node(&file, &NodeSetting::Receipts(false)).unwrap();
        assert_eq!((config.name.as_str(), config.network.mdns), ("林晓", false));
        assert_eq!(config.network.connections, 5);
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains("# mine") && text.contains("# keep"), "{text}");
        assert!(text.contains("read_receipts = false"), "{text}");
        // The node would not start with this.
        assert!(set_of_node(&file, &NodeSetting::Name(String::new())).is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    }
}
