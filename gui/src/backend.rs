//! The node behind the window: the only place that talks to it.
//!
//! [`follow`] opens the node of the data folder and tells everything that happens as [`Update`]s,
//! in batches, so that a thousand calls a second do not draw a thousand frames.

mod ask;
pub mod autostart;
mod demo;
pub mod files;
pub mod models;
pub mod notice;
pub mod offering;
pub mod pictures;
pub mod plain;
pub mod post;
pub mod robot;
pub mod tables;

pub use ask::{Ask, Heard};

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::words::Lang;
use futures::{SinkExt as _, Stream, channel::mpsc};
use potluck::{
    Client,
    client::{Event, parse_join},
    doctor::{Finding, diagnose, gather_firewalls, gather_interfaces, test_multicast},
    home::{Home, HomeOptions},
    say::{Reason, Say as _},
};

use crate::words;

/// For how long news are gathered before the window hears of them.
const GATHER: Duration = Duration::from_millis(50);
/// The most news in one batch.
const MOST: usize = 1000;

/// What is opened. Another attempt is another one, so that the node is opened again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Start {
    /// What overrules the settings.
    pub options: HomeOptions,
    /// Three nodes in folders that go, whose people write in this language.
    pub demo: Option<words::Lang>,
    /// Counted up when the person wants it again.
    pub attempt: u32,
}

/// What the window hears of its node.
#[derive(Debug, Clone)]
pub enum Update {
    /// The node is there.
    Ready(Backend),
    /// It is not, for a reason.
    Failed(Reason),
    /// What happened since.
    News(Vec<Event>),
    /// It went away.
    Gone,
}

/// The node, while it is there. Cheap to clone.
#[derive(Clone)]
pub struct Backend {
    client: Client,
    data_dir: Arc<Path>,
    own: bool,
    demo: bool,
    homes: Arc<Mutex<Vec<Home>>>,
}

impl std::fmt::Debug for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backend").field("data_dir", &self.data_dir).finish_non_exhaustive()
    }
}

/// Opens the node and follows it until it goes away.
pub fn follow(start: &Start) -> impl Stream<Item = Update> + use<> {
    let start = start.clone();
    iced::stream::channel(16, async move |mut out: mpsc::Sender<Update>| {
        let opened = match start.demo {
            Some(lang) => demo::open(start.options, lang).await,
            None => Home::open(start.options).await.map(|home| (vec![home], Vec::new())),
        };
        let (homes, _demo) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                let _ = out.send(Update::Failed(error.reason())).await;
                return;
            }
        };
        // The first is the person's own.
        let Some(home) = homes.first() else { return };
        let client = home.client().clone();
        let backend = Backend {
            client: client.clone(),
            data_dir: home.data_dir().into(),
            own: home.is_own(),
            demo: start.demo.is_some(),
            homes: Arc::new(Mutex::new(homes)),
        };
        let _ = out.send(Update::Ready(backend)).await;
        let mut events = match client.subscribe().await {
            Ok(events) => events,
            Err(error) => {
                let _ = out.send(Update::Failed(error.reason())).await;
                return;
            }
        };
        while let Some(first) = events.next().await {
            let mut news = vec![first];
            let gathering = tokio::time::sleep(GATHER);
            tokio::pin!(gathering);
            while news.len() < MOST {
                tokio::select! {
                    next = events.next() => match next {
                        Some(event) => news.push(event),
                        None => break,
                    },
                    () = &mut gathering => break,
                }
            }
            if out.send(Update::News(news)).await.is_err() {
                return;
            }
        }
        let _ = out.send(Update::Gone).await;
    })
}

impl Backend {
    /// The handle.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The data folder.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// The node's settings file.
    pub fn config_file(&self) -> PathBuf {
        self.data_dir.join("config.toml")
    }

    /// Whether the node runs in this process, and ends with it.
    pub fn is_own(&self) -> bool {
        self.own
    }

    /// Whether it is a show, in folders that go.
    pub fn is_demo(&self) -> bool {
        self.demo
    }

    /// Keeps a connection to an address, as people write it.
    pub async fn join(self, address: String) -> Result<(), Reason> {
        // Host names are looked up.
        let read = tokio::task::spawn_blocking(move || parse_join(address.trim())).await;
        let addresses = read.map_err(|error| error.to_string())??;
        self.client.join(addresses).await.map_err(|error| error.reason())
    }

    /// Why nobody is found, and what to do.
    pub async fn examine(self, lang: Lang) -> Result<Vec<Finding>, Reason> {
        let mut facts = self.client.facts().await.map_err(|error| error.reason())?;
        facts.running = true;
        let looked = tokio::task::spawn_blocking(move || {
            facts.interfaces = gather_interfaces().unwrap_or_default();
            facts.firewalls = gather_firewalls();
            if facts.mdns {
                test_multicast(&mut facts);
            }
            facts
        });
        let facts = looked.await.map_err(|error| error.to_string())?;
        Ok(diagnose(&facts, lang))
    }

    /// Ends the nodes of this process with a goodbye. One that runs elsewhere goes on.
    pub async fn leave(self) {
        let homes = std::mem::take(&mut *self.homes.lock().unwrap_or_else(PoisonError::into_inner));
        for home in homes.into_iter().rev() {
            home.leave().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;

    use super::*;

    /// Every path into the node that the window names, by the part after `potluck::`.
    const MAY_NAME: &[&str] = &[
        "Client",
        "client",
        "config",
        "data_dir::DATA_DIR_VARIABLE",
        "doctor",
        "home",
        "identity",
        "mail",
        "qr",
        "say",
        "services",
    ];

    #[test]
    fn the_window_names_only_what_front_ends_may() {
        let mut files = vec![PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
        let mut seen = 0;
        while let Some(path) = files.pop() {
            if path.is_dir() {
                files.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
                continue;
            }
            // What is in quotes in this very test is no path.
            let text = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let flat = code.replace("potluck::{", "potluck::").replace("\n    ", " ");
            for named in flat.split("potluck::").skip(1) {
                seen += 1;
                let fits = MAY_NAME.iter().any(|may| named.trim_start().starts_with(may));
                let start: String = named.chars().take(40).collect();
                assert!(fits, "{}: potluck::{start}", path.display());
            }
            assert!(!code.contains("libp2p"), "{} names libp2p", path.display());
        }
        assert!(seen > 5, "the sources were not read");
    }

    #[tokio::test]
    async fn a_node_is_opened_followed_and_left() {
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
        assert!(backend.is_own());
        let Some(Update::News(news)) = updates.next().await else { panic!("no news") };
        assert!(matches!(news[0], Event::View(_)));
        let wrong = backend.clone().join("nowhere".into()).await;
        assert!(wrong.unwrap_err().contains("is not an address"));
        assert!(!backend.clone().examine(Lang::Zh).await.unwrap().is_empty());
        backend.leave().await;
        // The node has stopped, and the window hears of it.
        let end = async {
            while let Some(update) = updates.next().await {
                if matches!(update, Update::Gone) {
                    return true;
                }
            }
            false
        };
        assert!(tokio::time::timeout(Duration::from_secs(20), end).await.unwrap());
    }

    #[tokio::test]
    async fn a_node_that_cannot_start_says_why() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("home")).unwrap();
        std::fs::write(folder.path().join("home/config.toml"), "name = 3\n").unwrap();
        let options =
            HomeOptions { data_dir: Some(folder.path().join("home")), ..HomeOptions::default() };
        let mut updates = Box::pin(follow(&Start { options, demo: None, attempt: 0 }));
        let Some(Update::Failed(why)) = updates.next().await else { panic!("started") };
        assert!(why.contains("config.toml"), "{why}");
    }
}
