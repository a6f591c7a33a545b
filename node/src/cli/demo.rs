//! `potluck demo`: three real nodes on loopback in one process, on bundled input.

mod letters;
mod once;

use std::{
    path::Path,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt as _, stream};
use potluck_i18n::Lang;
use serde_json::json;

use super::{
    Failure, Kind,
    output::{Output, table},
    recognize::{Seen, document},
    words, wrong,
};
use crate::{
    Client, Node, NodeOptions,
    client::{Call, CallInput},
    config::Config,
    data_dir::DataDir,
    identity::Identity,
    network::{PeerView, TransportKind},
    protocol,
    services::recognize,
};

/// How long the nodes may take to find each other and to load the model.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often each bundled picture is asked for in the second half.
const ROUNDS: usize = 4;
/// After how many answers the second node begins to offer recognition.
const HELP_AFTER: usize = 3;
/// After how many answers the serving node is stopped.
const STOP_AFTER: usize = 6;

pub(super) async fn run(output: &Output) -> Result<ExitCode, Failure> {
    let lang = output.lang();
    output.say(words::demo_start(lang));
    // What ann and ben write, and what laptop keeps for them.
    let homes = tempfile::tempdir().map_err(Failure::internal)?;
    let mei = start("mei", &["chat/1"], None, None).await?;
    let at = address(&mei.client())?;
    let gpu = start("gpu-box", &["chat/1", "recognize/1"], Some(&at), None).await?;
    let more = ["recognize/1", "faces/1", "analyze/1", "keep/1"];
    let home = homes.path().join("laptop");
    let laptop = start("laptop", &more, Some(&at), Some(&home)).await?;
    // The laptop has the model too, and does not offer it yet.
    laptop.client().offer("recognize/1", false).await?;
    gpu.ready().await;
    laptop.ready().await;
    let asker = mei.client();
    until(&asker, |client| {
        let offers = |name, capability| offers(client, name, capability);
        offers("gpu-box", "recognize/1")
            && offers("laptop", "faces/1")
            && offers("laptop", "analyze/1")
    })
    .await?;

    chapter(output, words::demo_chat(lang));
    let chats = once::chats(&asker, output).await?;

    chapter(output, words::demo_face(lang));
    let portrait = once::portrait(&asker, output).await?;

    chapter(output, words::demo_table(lang));
    let table = once::table(&asker, output).await?;

    let letter = letters::run(&at, homes.path(), output).await?;

    chapter(output, words::demo_pictures(lang));
    let bar = output.bar(potluck_models::samples().len() as u64);
    let first = recognise_all(&asker, 1, async || bar.inc(1)).await;
    bar.finish_and_clear();
    output.say(&show(&first, lang));

    chapter(output, words::demo_again(lang));
    let gpu = std::sync::Mutex::new(Some(gpu));
    let answered = Arc::new(AtomicUsize::new(0));
    let bar = output.bar((ROUNDS * potluck_models::samples().len()) as u64);
    let second = recognise_all(&asker, ROUNDS, async || {
        bar.inc(1);
        match answered.fetch_add(1, Ordering::SeqCst) + 1 {
            HELP_AFTER => drop(laptop.client().offer("recognize/1", true).await),
            // Dropped, not stopped: no goodbye, as when somebody pulls the plug.
            STOP_AFTER => drop(gpu.lock().map(|mut gpu| gpu.take())),
            _ => {}
        }
    })
    .await;
    bar.finish_and_clear();
    output.say(&show(&second, lang));

    let seen: Vec<_> = first.iter().chain(&second).collect();
    let lost = seen.iter().filter(|s| s.outcome.is_err()).count();
    let moved = second.iter().filter(|s| attempts(s) > 1).count();
    if output.is_json() {
        let pictures: Vec<_> = seen.iter().map(|s| document(s)).collect();
        let all = json!({
            "pictures": pictures, "chat": chats, "faces": portrait, "analysis": table,
            "letter": letter, "stopped": "gpu-box",
        });
        output.print(&all, String::new);
    } else if lost == 0 {
        chapter(output, &words::demo_done(lang, moved, second.len()));
    }
    mei.stop().await;
    laptop.stop().await;
    match lost {
        0 => Ok(ExitCode::SUCCESS),
        _ => Err(Failure::new(Kind::PeerFailed, wrong::pictures_unanswered(lost))),
    }
}

/// Starts a node; one with a home keeps its identity there, and has mail.
async fn start(
    name: &str,
    offer: &[&str],
    join: Option<&str>,
    home: Option<&Path>,
) -> Result<Node, Failure> {
    let mut config = Config { name: name.to_owned(), ..Config::default() };
    config.mesh = "demo".to_owned();
    config.network.listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    config.network.join = join.map(str::to_owned).into_iter().collect();
    config.network.mdns = false;
    config.services.offer = Some(offer.iter().map(|c| (*c).to_owned()).collect());
    let identity = match home {
        Some(home) => Identity::load_or_create(&DataDir::open(Some(home.to_owned()))?)?,
        None => Identity::generate(),
    };
    let options = NodeOptions {
        config,
        identity,
        data_dir: home.map(Path::to_owned),
        mail: home.map(Path::to_owned),
        mesh: None,
        transport: TransportKind::Real,
        registry: None,
        passing: false,
    };
    Ok(Node::start(options).await?)
}

fn address(client: &Client) -> Result<String, Failure> {
    let snapshot = client.snapshot();
    let first = snapshot.listen.first().map(ToString::to_string);
    first.ok_or_else(|| Failure::new(Kind::Internal, wrong::demo_nowhere()))
}

/// Waits until the asking node sees what it should.
async fn until(client: &Client, seen: impl Fn(&Client) -> bool) -> Result<(), Failure> {
    let mut watch = client.watch();
    let waiting = async {
        while !seen(client) {
            if watch.changed().await.is_err() {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .map_err(|_| Failure::new(Kind::TimedOut, wrong::demo_apart()))
}

fn offers(client: &Client, name: &str, capability: &str) -> bool {
    let snapshot = client.snapshot();
    let offers = |p: &PeerView| p.advert.name == name && p.advert.offer(capability).is_some();
    snapshot.peers.values().any(offers)
}

async fn recognise_all(client: &Client, rounds: usize, each: impl AsyncFn()) -> Vec<Seen> {
    let samples = potluck_models::samples();
    let all = samples.iter().cycle().take(rounds * samples.len());
    stream::iter(all)
        .map(|sample| async {
            let outcome = async {
                let request = recognize::Request { model: None, top: 3 };
                let args = protocol::encode(&request).map_err(Failure::internal)?;
                let input = CallInput::Bytes(sample.bytes.into());
                let reply = client.call(call("recognize/1", args, Some(input))).await?;
                let response = protocol::decode(&reply.body).map_err(Failure::unreadable)?;
                Ok((response, reply))
            };
            let seen = Seen { file: sample.name.to_owned(), outcome: outcome.await };
            each().await;
            seen
        })
        .buffered(6)
        .collect()
        .await
}

fn call(capability: &str, args: Vec<u8>, input: Option<CallInput>) -> Call {
    Call {
        capability: capability.into(),
        variant: None,
        args,
        input,
        timeout: PATIENCE,
        only: None,
        progress: None,
    }
}

fn attempts(seen: &Seen) -> usize {
    match &seen.outcome {
        Ok((_, reply)) => reply.route.len(),
        Err(failure) => failure.route.len(),
    }
}

/// A line with room above.
fn chapter(output: &Output, text: &str) {
    output.say(&format!("\n{text}"));
}

fn show(seen: &[Seen], lang: Lang) -> String {
    let mut table = table(&[
        words::head_picture(lang),
        words::head_shows(lang),
        words::head_sure(lang),
        words::head_served_by(lang),
        words::head_tried(lang),
        words::head_time(lang),
    ]);
    for one in seen {
        match &one.outcome {
            Ok((response, reply)) => {
                let best = response.labels.first();
                let before: Vec<_> = reply
                    .route
                    .iter()
                    .filter(|hop| hop.outcome != "answered")
                    .map(|hop| words::tried(lang, &hop.name, words::outcome(lang, &hop.outcome)))
                    .collect();
                table.add_row([
                    one.file.clone(),
                    best.map_or_else(String::new, |l| recognize::name(l, lang).to_owned()),
                    best.map_or_else(String::new, |l| format!("{:.0} %", l.probability * 100.0)),
                    reply.served_by.name.clone(),
                    before.join(", "),
                    words::ms(lang, reply.milliseconds.to_string()),
                ]);
            }
            Err(failure) => {
                let why = failure.message.say(lang);
                table.add_row([one.file.as_str(), &why, "", "", "", ""]);
            }
        }
    }
    table.to_string()
}
