//! Three nodes in one process on loopback, so that a newcomer sees a mesh alive: calls that come in, a conversation, a
//! letter of a stranger. All of it is real, only the people are not.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use potluck::{
    Client,
    client::{Call, encode},
    home::{Home, HomeError, HomeOptions},
    mail::{Ask, Told},
    services::chat::Request,
};
use tokio::task::JoinSet;

use crate::words::{Lang, demo as words};

/// How often the others ask something.
const PACE: Duration = Duration::from_millis(900);
/// How often it is looked whether a letter came.
const LOOK: Duration = Duration::from_millis(200);

/// What the demo needs as long as it runs: its folders and its talk.
pub type Kept = Vec<Running>;

/// A part of the demo; it ends when this goes.
pub struct Running {
    _folder: tempfile::TempDir,
    _talk: JoinSet<()>,
}

/// The person's node and two others that know it.
pub async fn open(options: HomeOptions, lang: Lang) -> Result<(Vec<Home>, Kept), HomeError> {
    let folder = tokio::task::spawn_blocking(tempfile::tempdir).await?;
    let folder = folder.map_err(HomeError::Socket)?;
    let home = |name: &str, offer: &[&str], join: Vec<String>| {
        let options = HomeOptions {
            data_dir: Some(folder.path().join(name)),
            name: Some(name.to_owned()),
            listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
            join,
            no_mdns: true,
            offer: Some(offer.iter().map(|name| (*name).to_owned()).collect()),
        };
        Home::open(options)
    };
    let name = options.name.unwrap_or_else(|| "mei".to_owned());
    let mei = home(&name, &["chat/1"], Vec::new()).await?;
    let at: Vec<String> = mei.client().snapshot().listen.iter().map(ToString::to_string).collect();
    let gpu = home("gpu-box", &["recognize/1"], at.clone()).await?;
    let laptop = home("laptop", &["faces/1", "analyze/1", "keep/1"], at).await?;
    let mut talk = JoinSet::new();
    for home in [&gpu, &laptop] {
        talk.spawn(chatter(home.client().clone()));
    }
    let people = [&mei, &laptop, &gpu].map(|home| home.client().clone());
    let desk = folder.path().join("desk");
    talk.spawn(async move {
        // Without letters the demo is a little emptier, and nothing else.
        let _ = letters(people, desk, lang).await;
    });
    Ok((vec![mei, gpu, laptop], vec![Running { _folder: folder, _talk: talk }]))
}

/// Asks the chat robot now and then: only the person's node has one, so that there is something to see.
async fn chatter(client: Client) {
    let Ok(args) = encode(&Request { text: "hello".to_owned() }) else { return };
    loop {
        tokio::time::sleep(PACE).await;
        let call = Call {
            capability: "chat/1".to_owned(),
            variant: None,
            args: args.clone(),
            input: None,
            timeout: Duration::from_secs(10),
            only: None,
            progress: None,
        };
        // Whether it is answered shows on the map; nothing hangs on it.
        let _ = client.call(call).await;
    }
}

/// A question with a picture, its answer with a table, and the first letter of somebody else.
async fn letters([mei, laptop, gpu]: [Client; 3], desk: PathBuf, lang: Lang) -> Option<()> {
    let sample = potluck_models::face_sample();
    let name = sample.name.rsplit('/').next().unwrap_or(sample.name);
    let (picture, table) = (desk.join(name), desk.join(potluck_analysis::SAMPLE_NAME));
    lay(&desk, [(&picture, sample.bytes), (&table, potluck_analysis::SAMPLE.as_bytes())]).await?;
    met(&mei, &laptop).await;
    send(&mei, &laptop, words::question(lang), vec![picture]).await?;
    let question = came(&laptop).await;
    laptop.mail(Ask::Read { id: question }).await.ok()?;
    send(&laptop, &mei, words::answer(lang), vec![table]).await?;
    met(&gpu, &mei).await;
    send(&gpu, &mei, words::stranger(lang), Vec::new()).await
}

/// Puts files into a folder.
async fn lay(desk: &Path, files: [(&PathBuf, &'static [u8]); 2]) -> Option<()> {
    let desk = desk.to_owned();
    let files = files.map(|(path, bytes)| (path.clone(), bytes));
    let laid = tokio::task::spawn_blocking(move || {
        std::fs::create_dir_all(desk)?;
        files.iter().try_for_each(|(path, bytes)| std::fs::write(path, bytes))
    });
    laid.await.ok()?.ok()
}

async fn send(from: &Client, to: &Client, text: &str, paths: Vec<PathBuf>) -> Option<()> {
    let (to, text) = (to.id().to_string(), Some(text.to_owned()));
    from.mail(Ask::Send { to, text, paths, wait_ms: None }).await.ok().map(drop)
}

/// Waits until somebody can be written to.
async fn met(who: &Client, other: &Client) {
    let id = other.id().to_string();
    loop {
        if let Ok(Told::People(people)) = who.mail(Ask::People).await
            && people.iter().any(|one| one.id == id && one.takes_letters)
        {
            return;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Waits for a letter.
async fn came(to: &Client) -> String {
    loop {
        if let Ok(Told::Inbox { came, .. }) = to.mail(Ask::Inbox { with: None }).await
            && let Some(letter) = came.into_iter().find(|letter| letter.contents.is_some())
        {
            return letter.id;
        }
        tokio::time::sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_conversation_and_a_strangers_letter_are_there_soon() {
        let (homes, _kept) = open(HomeOptions::default(), Lang::Zh).await.unwrap();
        let mei = homes[0].client().clone();
        let both = async {
            loop {
                let Ok(Told::Inbox { came, .. }) = mei.mail(Ask::Inbox { with: None }).await else {
                    panic!("no mail");
                };
                let opened = came.iter().filter_map(|letter| letter.contents.as_ref());
                let texts: Vec<_> = opened.filter_map(|one| one.text.as_deref()).collect();
                if texts.contains(&words::answer(Lang::Zh))
                    && texts.contains(&words::stranger(Lang::Zh))
                {
                    return came.iter().filter(|letter| letter.stranger).count();
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        let strangers = tokio::time::timeout(Duration::from_secs(60), both).await;
        assert_eq!(strangers.expect("in time"), 1);
        for home in homes {
            home.leave().await;
        }
    }
}
