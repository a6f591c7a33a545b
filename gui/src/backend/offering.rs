//! What this node offers: the running node, its settings file and the key of Face++.

use std::{collections::BTreeMap, path::Path};

use potluck::{
    config::{Allow, Config, PeerLimits, replace},
    mail,
    say::{Reason, Say as _},
    services::{
        self,
        facepp::{
            self,
            key::{Credentials, KEY_FILE, KEY_VARIABLE},
        },
    },
};

use futures::{SinkExt as _, Stream, channel::mpsc};

use super::Backend;
use crate::settings::{NodeSetting, set_of_node};

/// Longest key or secret.
const LONGEST: usize = 256;
/// Characters of a key that are shown.
const SHOWN: usize = 4;

/// What the settings file says about offers, and the key.
#[derive(Debug, Clone, PartialEq)]
pub struct Offering {
    /// The only capabilities to offer, where the settings name some.
    pub only: Option<Vec<String>>,
    /// Capabilities that are never offered.
    pub withheld: Vec<String>,
    /// Room for other people's mail, in MiB.
    pub keep_mib: u64,
    /// Who may use what, where that is not everyone.
    pub allow: BTreeMap<String, Allow>,
    /// How much of it one peer may have.
    pub limits: BTreeMap<String, PeerLimits>,
    /// Threads for the work of services; 0 is one for each core.
    pub threads: u64,
    /// Calls that may wait for one capability.
    pub queue: u64,
    /// The largest input, in MiB.
    pub max_input_mib: u64,
    /// Disk for what is kept for other nodes, in MiB.
    pub disk_mib: u64,
    /// Calls a day that may be made with the key.
    pub daily_calls: u32,
    /// The key itself, as far as it is shown.
    pub key: Key,
}

/// News of an engine that is being brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Installing {
    /// What happens now.
    Says(String),
    /// It is there, or is not for a reason.
    Done(Result<(), String>),
}

/// The key of Face++.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// There is none.
    None,
    /// In the file: all but the end is hidden.
    File(String),
    /// In the environment, where only its owner changes it.
    Environment(String),
    /// It cannot be used, for a reason.
    Wrong(Reason),
}

impl Offering {
    /// Who may use a capability.
    pub fn who(&self, capability: &str) -> &Allow {
        self.allow.get(capability).unwrap_or(&Allow::Everyone)
    }

    /// Whether the settings say that a capability is to be offered.
    pub fn wants(&self, capability: &str) -> bool {
        let named = |list: &[String]| list.iter().any(|name| name == capability);
        self.only.as_ref().is_none_or(|only| named(only)) && !named(&self.withheld)
    }

    /// Reads it. Not for the window's thread.
    fn read(data_dir: &Path, config: &Config) -> Self {
        let facepp: facepp::Options = config.section();
        let all = || services::ALL.iter().map(|recipe| recipe.name);
        let allow = all().map(|name| (name.to_owned(), services::allowed(config, name))).collect();
        let limits = all().map(|name| (name.to_owned(), services::limits(config, name))).collect();
        Self {
            only: config.services.offer.clone(),
            withheld: config.services.withhold.clone(),
            keep_mib: config.section::<mail::Options>().keep_mib,
            allow,
            limits,
            threads: config.services.threads as u64,
            queue: config.services.queue as u64,
            max_input_mib: config.services.max_input_mib,
            disk_mib: config.services.disk_mib,
            daily_calls: facepp.daily_calls,
            key: Key::read(data_dir),
        }
    }
}

impl Key {
    fn read(data_dir: &Path) -> Self {
        let masked = |found: &Credentials| hidden(found.key.reveal());
        match Credentials::load(Some(data_dir)) {
            Ok(None) => Self::None,
            Ok(Some(found)) if std::env::var_os(KEY_VARIABLE).is_some() => {
                Self::Environment(masked(&found))
            }
            Ok(Some(found)) => Self::File(masked(&found)),
            Err(error) => Self::Wrong(error.reason()),
        }
    }
}

/// A key of which only the end can be read; nothing of a short one.
fn hidden(key: &str) -> String {
    let count = key.chars().count();
    let shown = if count >= 4 * SHOWN { SHOWN } else { 0 };
    let end: String = key.chars().skip(count - shown).collect();
    format!("{}{end}", "*".repeat(count - shown))
}

/// Whether this may be a key or a secret.
pub fn may_be_key(text: &str) -> bool {
    let text = text.trim();
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

impl Backend {
    /// What is offered, as the settings say.
    pub async fn offering(self) -> Result<Offering, Reason> {
        self.with_settings(|folder, file| {
            let config = Config::load(file).map_err(|error| error.reason())?;
            Ok(Offering::read(folder, &config))
        })
        .await
    }

    /// Offers a capability, or stops offering it: at once, and after the next start.
    pub async fn switch(self, capability: String, on: bool) -> Result<Offering, Reason> {
        self.client.offer(&capability, on).await.map_err(|error| error.reason())?;
        self.set(NodeSetting::Offer(capability, on)).await
    }

    /// Changes a setting of the node. Who may use what, and how much, holds at once.
    pub async fn set(self, setting: NodeSetting) -> Result<Offering, Reason> {
        let client = self.client.clone();
        let at_once = setting.holds_at_once();
        let set = self.write(setting).await?;
        if at_once {
            client.reload().await.map_err(|error| error.reason())?;
        }
        Ok(set)
    }

    async fn write(self, setting: NodeSetting) -> Result<Offering, Reason> {
        self.with_settings(move |folder, file| {
            let config = set_of_node(file, &setting).map_err(|error| error.reason())?;
            Ok(Offering::read(folder, &config))
        })
        .await
    }

    /// Brings the faster engine through pip or npm: what happens, and at last whether it is there.
    pub fn install(&self) -> impl Stream<Item = Installing> + use<> {
        let folder = self.data_dir.clone();
        iced::stream::channel(16, async move |mut out: mpsc::Sender<Installing>| {
            let mut tell = out.clone();
            let installed = tokio::task::spawn_blocking(move || {
                // Of many words the last are the ones that matter: none is waited for.
                let mut progress = |said: &str| drop(tell.try_send(Installing::Says(said.into())));
                potluck_models::install(&folder, &mut progress)
            });
            let installed = match installed.await {
                Ok(installed) => installed.map(drop).map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            let _ = out.send(Installing::Done(installed)).await;
        })
    }

    /// Keeps the key where only the owner reads it. The node notices by itself.
    pub async fn keep_key(self, key: String, secret: String) -> Result<Offering, Reason> {
        self.with_settings(move |folder, file| {
            let text = format!("{}\n{}\n", key.trim(), secret.trim());
            replace(&folder.join(KEY_FILE), &text).map_err(|error| error.reason())?;
            let config = Config::load(file).map_err(|error| error.reason())?;
            Ok(Offering::read(folder, &config))
        })
        .await
    }

    /// Removes the key.
    pub async fn remove_key(self) -> Result<Offering, Reason> {
        self.with_settings(|folder, file| {
            std::fs::remove_file(folder.join(KEY_FILE)).map_err(|error| error.reason())?;
            let config = Config::load(file).map_err(|error| error.reason())?;
            Ok(Offering::read(folder, &config))
        })
        .await
    }

    /// Work on the data folder and the settings file, off the window's thread.
    async fn with_settings(
        self,
        work: impl FnOnce(&Path, &Path) -> Result<Offering, Reason> + Send + 'static,
    ) -> Result<Offering, Reason> {
        let worked =
            tokio::task::spawn_blocking(move || work(&self.data_dir, &self.config_file())).await;
        worked.map_err(|error| error.to_string())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_shows_its_end_alone() {
        let key = "d5WqMZk3TqLwYr8vXc2NbHs7FgJp4Ea9";
        let shown = hidden(key);
        assert!(shown.ends_with("4Ea9") && shown.len() == key.len());
        assert!(!shown.contains("d5Wq"));
        assert_eq!(hidden("short"), "*****");
    }

    #[test]
    fn what_is_no_key_is_not_kept() {
        assert!(may_be_key(" abc123 "));
        for wrong in ["", "two words", "密钥", &"x".repeat(300)] {
            assert!(!may_be_key(wrong), "{wrong}");
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn the_key_is_kept_for_its_owner_alone_and_switches_are_kept() {
        use std::os::unix::fs::PermissionsExt as _;

        use futures::StreamExt as _;
        use potluck::home::HomeOptions;

        use crate::backend::{Start, Update, follow};

        let folder = tempfile::tempdir().unwrap();
        let options = HomeOptions {
            data_dir: Some(folder.path().join("home")),
            listen: vec!["/ip4/127.0.0.1/tcp/0".into()],
            no_mdns: true,
            offer: Some(vec!["chat/1".into()]),
            ..HomeOptions::default()
        };
        let mut updates = Box::pin(follow(&Start { options, demo: None, attempt: 0 }));
        let Some(Update::Ready(backend)) = updates.next().await else { panic!("not ready") };
        let read = backend.clone().offering().await.unwrap();
        assert_eq!(read.key, Key::None);
        assert!(read.wants("chat/1"));
        assert!(backend.client().offers().iter().any(|offer| offer.capability == "chat/1"));
        let off = backend.clone().switch("chat/1".into(), false).await.unwrap();
        assert!(!off.wants("chat/1") && off.wants("analyze/1"));
        // The running node knows it too, a moment later.
        let gone = async {
            while backend.client().offers().iter().any(|offer| offer.capability == "chat/1") {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), gone).await.unwrap();
        let on = backend.clone().switch("chat/1".into(), true).await.unwrap();
        assert!(on.wants("chat/1"));
        let key = "d5WqMZk3TqLwYr8vXc2NbHs7FgJp4Ea9".to_owned();
        let kept = backend.clone().keep_key(key.clone(), "secret".into()).await.unwrap();
        assert!(matches!(kept.key, Key::File(shown) if shown.ends_with("4Ea9") && shown != key));
        let mode = std::fs::metadata(backend.data_dir().join(KEY_FILE)).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        assert_eq!(backend.clone().remove_key().await.unwrap().key, Key::None);
        backend.leave().await;
    }
}
