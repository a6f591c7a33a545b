//! A letter to somebody who is off, whose sender leaves before they are back.

use std::path::Path;

use serde_json::{Value, json};

use super::{PATIENCE, start};
use crate::{
    Client,
    cli::{Failure, Kind, output::Output, words, wrong},
    mail::{Ask, Told, ask::Incoming, records::Stage},
    say::Reason,
};

/// What is said.
const TEXT: &str = "The pictures of yesterday. 昨天的照片。";

/// Lets ben write to ann while she is off, and laptop keep the letter. Gives what she received.
pub(super) async fn run(at: &str, home: &Path, output: &Output) -> Result<Value, Failure> {
    super::chapter(output, words::demo_letter(output.lang()));
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
    output.say(&format!("  {}", words::demo_held(output.lang(), &keeper)));
    ben.stop().await;
    let ann = start("ann", &[], Some(at), Some(&here)).await?;
    let letter = came(&ann.client()).await?;
    let saved =
        ann.client().mail(Ask::Save { id: letter.id.clone(), folder: home.join("saved") }).await?;
    let whole = std::fs::read(home.join("saved").join(file)).is_ok_and(|saved| saved == bytes);
    ann.stop().await;
    let Told::Saved(_) = saved else {
        return Err(Failure::new(Kind::Internal, wrong::demo_unsaved()));
    };
    let text = letter.contents.as_ref().and_then(|contents| contents.text.clone());
    if text.as_deref() != Some(TEXT) || !whole {
        return Err(Failure::new(Kind::PeerFailed, wrong::demo_changed()));
    }
    let came = words::demo_came(output.lang(), &letter.from_name, TEXT, file, bytes.len());
    output.say(&format!("  {came}"));
    Ok(json!({
        "from": letter.from_name, "text": text, "file": file, "bytes": bytes.len(), "held_by": keeper,
    }))
}

async fn met(client: &Client, id: &str) -> Result<(), Failure> {
    until(wrong::demo_not_met, async || match client.mail(Ask::People).await? {
        Told::People(people) => {
            Ok(people.iter().any(|who| who.id == id && who.takes_letters).then_some(()))
        }
        _ => Ok(None),
    })
    .await
}

async fn held(client: &Client) -> Result<String, Failure> {
    until(wrong::demo_not_kept, async || match client.mail(Ask::Outbox).await? {
        Told::Outbox(all) => {
            let held = all.into_iter().find(|one| one.stage == Stage::Held);
            Ok(held.map(|one| one.held_by.join(", ")))
        }
        _ => Ok(None),
    })
    .await
}

async fn came(client: &Client) -> Result<Incoming, Failure> {
    until(wrong::demo_not_come, async || match client.mail(Ask::Inbox { with: None }).await? {
        Told::Inbox { came, .. } => Ok(came.into_iter().find(|one| one.contents.is_some())),
        _ => Ok(None),
    })
    .await
}

async fn until<T>(
    late: fn() -> Reason,
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
    let late = || Failure::new(Kind::TimedOut, late());
    tokio::time::timeout(PATIENCE, seen).await.map_err(|_| late())?
}
