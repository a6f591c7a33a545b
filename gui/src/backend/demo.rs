//! Three nodes in one process on loopback, so that a newcomer sees a mesh alive.

use std::time::Duration;

use potluck::{
    Client,
    client::{Call, encode},
    home::{Home, HomeError, HomeOptions},
    services::chat::Request,
};
use tokio::task::JoinSet;

/// How often the others ask something.
const PACE: Duration = Duration::from_millis(900);

/// What the demo needs as long as it runs: its folders and its talk.
pub type Kept = Vec<Running>;

/// A part of the demo; it ends when this goes.
pub struct Running {
    _folder: tempfile::TempDir,
    _talk: JoinSet<()>,
}

/// The person's node and two others that know it.
pub async fn open(options: HomeOptions) -> Result<(Vec<Home>, Kept), HomeError> {
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
