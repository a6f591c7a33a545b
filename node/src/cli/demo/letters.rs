//! A letter to somebody who is off, whose sender leaves before they are back.

use std::path::Path;

use serde_json::{Value, json};

use super::{PATIENCE, start};
use crate::{
    Client,
    cli::{Failure, Kind, output::Output},
    mail::{Ask, Told, ask::Incoming, records::Stage},
};

/// What is said.
const TEXT: &str = "The pictures of yesterday. 昨天的照片。";

/// Lets ben write to ann while she is off, and laptop keep the letter. Gives what she received.
pub(super) async fn run(at: &str, home: &Path, output: &Output) -> Result<Value, Failure> {
    output.say("\nben writes to ann, whose machine is off:");
    let sample = potluck_models::face_sample();
    let file = sample.name.rsplit('/').next().unwrap_or(sample.name);
    let bytes = sample.bytes;
    let picture = home.join(file);
    std::fs::write(&picture, bytes).map_err(Failure::internal)?;
    let (here, there) = (home.join("ann"), home.join("ben"));
    let ann = start("ann", &[], Some(at), Some(&here)).await?;
    let ben = start("ben", &[], Some(at), Some(&there)).await?;
    let id = ann.client().id().to_string();
    met(&ben.client(), &id).await?;
    met(&ann.client(), &ben.client().id().to_string()).await?;
    ann.stop().await;
    let ask =
        Ask::Send { to: id, text: Some(TEXT.to_owned()), paths: vec![picture], wait_ms: None };
    ben.client().mail(ask).await?;
    let keeper = held(&ben.client()).await?;
    output.say(&format!(
        "  sealed, and held by {keeper}, which cannot read it. Now ben leaves, and ann comes back:"
    ));
    ben.stop().await;
    let ann = start("ann", &[], Some(at), Some(&here)).await?;
    let letter = came(&ann.client()).await?;
    let saved =
        ann.client().mail(Ask::Save { id: letter.id.clone(), folder: home.join("saved") }).await?;
    let whole = std::fs::read(home.join("saved").join(file)).is_ok_and(|saved| saved == bytes);
    ann.stop().await;
    let Told::Saved(_) = saved else { return Err(Failure::internal("the file was not saved")) };
    let text = letter.contents.as_ref().and_then(|contents| contents.text.clone());
    if text.as_deref() != Some(TEXT) || !whole {
        return Err(Failure::new(Kind::PeerFailed, "the letter did not arrive as it was sent"));
    }
    output.say(&format!(
        "  from {}: {TEXT} (with {file}, {} bytes)",
        letter.from_name,
        bytes.len()
    ));
    Ok(json!({
        "from": letter.from_name, "text": text, "file": file, "bytes": bytes.len(), "held_by": keeper,
    }))
}

async fn met(client: &Client, id: &str) -> Result<(), Failure> {
    until("ann and ben did not meet", async || match client.mail(Ask::People).await? {
        Told::People(people) => {
            Ok(people.iter().any(|who| who.id == id && who.takes_letters).then_some(()))
        }
        _ => Ok(None),
    })
    .await
}

async fn held(client: &Client) -> Result<String, Failure> {
    until("nobody kept the letter", async || match client.mail(Ask::Outbox).await? {
        Told::Outbox(all) => {
            let held = all.into_iter().find(|one| one.stage == Stage::Held);
            Ok(held.map(|one| one.held_by.join(", ")))
        }
        _ => Ok(None),
    })
    .await
}

async fn came(client: &Client) -> Result<Incoming, Failure> {
    until("the letter did not arrive", async || {
        match client.mail(Ask::Inbox { with: None }).await? {
            Told::Inbox { came, .. } => Ok(came.into_iter().find(|one| one.contents.is_some())),
            _ => Ok(None),
        }
    })
    .await
}

async fn until<T>(
    what: &str,
    mut look: impl AsyncFnMut() -> Result<Option<T>, Failure>,
) -> Result<T, Failure> {
    let seen = async {
        loop {
            if let Some(seen) = look().await? {
                return Ok(seen);
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let late = || Failure::new(Kind::TimedOut, what.to_owned());
    tokio::time::timeout(PATIENCE, seen).await.map_err(|_| late())?
}
