//! What the benches of the mail share: nodes that have some, and what is asked of their post offices.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use libp2p::PeerId;
use potluck::{
    Client, Node,
    data_dir::DataDir,
    mail::{
        Ask, KEEP, Told,
        ask::{Incoming, Outgoing},
        records::Stage,
    },
};

use super::publish::{WINDOW, text};
use crate::{
    mesh::Setup,
    process::{NOTHING, Process, Up},
};

/// Time between two looks; more where a look takes long, because it takes the node's time.
const LOOK: Duration = Duration::from_millis(20);
/// Looking takes at most one of so many parts of the time.
const PARTS: u32 = 10;
/// When it is given up.
const PATIENCE: Duration = Duration::from_secs(600);

/// A process that keeps letters and does nothing else.
pub(super) fn keeper(folder: &Path) -> anyhow::Result<Process> {
    Up::on_loopback("keeper").args(["--offer", "keep"]).start_in(&folder.join("keeper"))
}

/// A process that has mail, keeps none for others, and knows where another one listens.
pub(super) fn process(
    name: &str,
    folder: &Path,
    joining: Option<&Process>,
) -> anyhow::Result<Process> {
    let mut up = Up::on_loopback(name).args(NOTHING);
    if let Some(other) = joining {
        up = up.args(["--join", &address(other)]);
    }
    up.start_in(&folder.join(name))
}

/// The same in this process.
pub(super) async fn node(name: &str, folder: &Path, joining: &Process) -> Node {
    let setup = Setup::new(name).tcp().at_home(&folder.join(name));
    let setup = setup.configured(|config| {
        config.network.join.push(address(joining));
        config.services.withhold.push(KEEP.to_owned());
    });
    setup.start().await
}

fn address(process: &Process) -> String {
    format!("{}/p2p/{}", process.address(), process.id())
}

/// A handle on a node in a process of its own.
pub(super) async fn attach(process: &Process) -> anyhow::Result<Client> {
    let socket = DataDir::open(Some(process.data_dir().to_owned()))?.control_socket();
    Client::attach(&socket).await?.context("the node has a control socket")
}

/// Waits until letters can be sealed to somebody.
pub(super) async fn met(client: &Client, who: PeerId) -> anyhow::Result<()> {
    let id = who.to_string();
    until("the recipient is met", async || match client.mail(Ask::People).await? {
        Told::People(people) => {
            Ok(people.iter().any(|who| who.id == id && who.takes_letters).then_some(()))
        }
        other => bail!("{other:?}"),
    })
    .await
}

/// Has one write to another, so that letters the other way are not those of a stranger, of which few may wait.
pub(super) async fn befriend(one: &Client, other: &Client) -> anyhow::Result<()> {
    met(one, other.id()).await?;
    met(other, one.id()).await?;
    let sent = send(one, other.id(), Some("write to me".to_owned()), vec![]).await?;
    opened(other, &sent.id).await?;
    until("it was delivered", async || {
        Ok(outbox(one).await?.iter().all(|sent| sent.stage.is_over()).then_some(()))
    })
    .await?;
    other.mail(Ask::Delete { id: sent.id }).await?;
    Ok(())
}

/// Waits until a node knows that another is off and that the keeper is there.
pub(super) async fn left(client: &Client, who: PeerId, keeper: &Process) -> anyhow::Result<()> {
    let keeper: PeerId = keeper.id().parse()?;
    until("only the keeper is there", async || {
        let snapshot = client.snapshot();
        let keeps = snapshot
            .peers
            .get(&keeper)
            .is_some_and(|view| view.met && !view.suspect && view.advert.offer(KEEP).is_some());
        Ok((keeps && !snapshot.peers.contains_key(&who)).then_some(()))
    })
    .await
}

/// Puts a letter into the outbox.
pub(super) async fn send(
    client: &Client,
    to: PeerId,
    text: Option<String>,
    paths: Vec<PathBuf>,
) -> anyhow::Result<Outgoing> {
    match client.mail(Ask::Send { to: to.to_string(), text, paths, wait_ms: None }).await? {
        Told::Sent(sent) => Ok(*sent),
        other => bail!("{other:?}"),
    }
}

/// Sends so many letters of one sender, many at once, and waits until one keeper has signed for each. Says when
/// the last was signed for, in Unix milliseconds.
pub(super) async fn held(client: &Client, to: PeerId, count: usize) -> anyhow::Result<u64> {
    let sending = stream::iter(0..count).map(|n| send(client, to, Some(text(n)), vec![]));
    sending.buffer_unordered(WINDOW).try_for_each(|_| async { Ok(()) }).await?;
    until("a keeper has all", async || {
        let sent = outbox(client).await?;
        let held = |one: &&Outgoing| one.stage == Stage::Held && one.held_by.len() == 1;
        let last = sent.iter().filter(held).map(|one| one.changed_at);
        let (number, last) = last.fold((0, 0), |(n, last), at| (n + 1, at.max(last)));
        Ok((number == count).then_some(last))
    })
    .await
}

/// Waits until a letter came and was opened.
pub(super) async fn opened(client: &Client, id: &str) -> anyhow::Result<Incoming> {
    until("a letter", async || {
        let came = inbox(client).await?;
        Ok(came.into_iter().find(|one| one.id == id && one.contents.is_some()))
    })
    .await
}

/// Waits until so many letters came and were opened.
pub(super) async fn all_opened(client: &Client, count: usize) -> anyhow::Result<()> {
    until("all letters", async || {
        let came = inbox(client).await?;
        let ready = came.iter().filter(|one| one.contents.is_some()).count();
        Ok((ready >= count).then_some(()))
    })
    .await
}

/// What was sent.
pub(super) async fn outbox(client: &Client) -> anyhow::Result<Vec<Outgoing>> {
    match client.mail(Ask::Outbox).await? {
        Told::Outbox(sent) => Ok(sent),
        other => bail!("{other:?}"),
    }
}

async fn inbox(client: &Client) -> anyhow::Result<Vec<Incoming>> {
    match client.mail(Ask::Inbox { with: None }).await? {
        Told::Inbox { came, .. } => {
            let trouble = came.iter().find_map(|one| one.trouble.as_ref());
            ensure!(trouble.is_none(), "a letter is not believed: {trouble:?}");
            Ok(came)
        }
        other => bail!("{other:?}"),
    }
}

/// Looks until it is there.
pub(super) async fn until<T>(
    what: &str,
    mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let until = Instant::now() + PATIENCE;
    loop {
        let started = Instant::now();
        if let Some(seen) = look().await? {
            return Ok(seen);
        }
        ensure!(started < until, "not so after {PATIENCE:?}: {what}");
        tokio::time::sleep(LOOK.max(started.elapsed() * (PARTS - 1))).await;
    }
}
