//! `potluck up`: a node that runs until it is told to stop.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::{Common, Failure, output::Output, stop::Stop, words, wrong};
use crate::{
    Client, Node, NodeOptions,
    client::{Event, View},
    config::{Config, capability_name, node_name},
    control::ControlServer,
    data_dir::DataDir,
    identity::{Identity, fingerprint, short},
    mail::News,
    network::{PeerView, TransportKind},
};

/// The options of `up`.
#[derive(Debug, Args)]
pub struct Up {
    /// The nickname that others see [default: the host name]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Offer only this capability; may be repeated
    #[arg(long, value_name = "CAPABILITY")]
    offer: Vec<String>,
    /// Do not offer this capability; may be repeated
    #[arg(long, value_name = "CAPABILITY")]
    withhold: Vec<String>,
}

impl Up {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<ExitCode, Failure> {
        // Before anything is started: a signal during the start must stop it cleanly too.
        let mut stop = Stop::listen().map_err(Failure::internal)?;
        let data_dir = DataDir::open(common.data_dir())?;
        let _lock = data_dir.lock()?;
        let mut config = Config::load(&data_dir.config_file())?;
        common.apply(&mut config)?;
        self.apply(&mut config)?;
        let identity = Identity::load_or_create(&data_dir)?;
        while run_once(&data_dir, &config, &identity, &mut stop, output).await? {
            output.say(words::up_moved(output.lang()));
        }
        output.say(words::stopped(output.lang()));
        Ok(ExitCode::SUCCESS)
    }

    fn apply(&self, config: &mut Config) -> Result<(), Failure> {
        let names = |all: &[String]| -> Result<Vec<String>, Failure> {
            all.iter().map(|name| Ok(capability_name(name)?)).collect()
        };
        if let Some(name) = &self.name {
            config.name = node_name(name)?;
        }
        if !self.offer.is_empty() {
            config.services.offer = Some(names(&self.offer)?);
        }
        config.services.withhold.extend(names(&self.withhold)?);
        Ok(())
    }
}

/// A node until it is told to stop. True where the data folder belongs to another mesh now: it is to be
/// started again.
async fn run_once(
    data_dir: &DataDir,
    config: &Config,
    identity: &Identity,
    stop: &mut Stop,
    output: &Output,
) -> Result<bool, Failure> {
    let node = Node::start(NodeOptions {
        config: config.clone(),
        identity: identity.clone(),
        data_dir: Some(data_dir.path().to_owned()),
        mail: Some(data_dir.path().to_owned()),
        mesh: Some(data_dir.path().to_owned()),
        transport: TransportKind::Real,
        registry: None,
        passing: false,
    })
    .await?;
    let client = node.client();
    let mut events = client.subscribe().await?;
    let control = ControlServer::bind(&data_dir.control_socket(), &node)
        .map_err(|e| Failure::usage(wrong::control_socket(&e)))?;
    let ready = tokio::select! {
        () = node.ready() => true,
        () = stop.told() => false,
    };
    let mut moved = false;
    if ready {
        announce(&client, output);
        let mut here = View::default();
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(event) => tell(&mut here, event, output),
                    None => break,
                },
                () = node.moved() => {
                    moved = true;
                    break;
                }
                () = stop.told() => break,
            }
        }
    }
    drop(control);
    node.stop().await;
    Ok(moved)
}

fn announce(client: &Client, output: &Output) {
    let listen: Vec<_> = client.snapshot().listen.iter().map(ToString::to_string).collect();
    let offers = client.offers();
    let capabilities: Vec<_> = offers.iter().map(|o| o.capability.clone()).collect();
    let ready = json!({
        "event": "ready",
        "id": client.id().to_string(),
        "name": client.name(),
        "listen": listen,
        "capabilities": capabilities,
        "troubles": client
            .troubles()
            .iter()
            .map(|(name, why)| json!({ "capability": name, "reason": why }))
            .collect::<Vec<_>>(),
    });
    let lang = output.lang();
    output.print(&ready, || {
        let id = client.id();
        let up = words::up(lang, client.name(), &fingerprint(&id));
        let mut text = format!("{up}\n  {}\n", words::up_id(lang, id.to_string()));
        for offer in &offers {
            let what = match offer.engine.as_str() {
                "" => offer.capability.clone(),
                engine => words::up_with(lang, &offer.capability, engine),
            };
            // What is still being measured is told to the mesh later.
            let line = match offer.call_ms > 0.0 {
                true => {
                    let rate = format!("{:.0}", offer.speed());
                    words::up_offers_rate(lang, &what, &offer.device, rate)
                }
                false => words::up_offers(lang, &what, &offer.device),
            };
            text += &format!("  {line}\n");
        }
        if offers.is_empty() {
            text += &format!("  {}\n", words::up_nothing(lang));
        }
        for (name, why) in client.troubles() {
            text += &format!("  {}\n", words::up_cannot(lang, &name, &why));
        }
        // What others can use to --join; loopback only when there is nothing else.
        let beyond = |a: &&String| !a.contains("/127.0.0.1/") && !a.contains("/ip6/::1/");
        let useful: Vec<_> = match listen.iter().any(|a| beyond(&a)) {
            true => listen.iter().filter(beyond).collect(),
            false => listen.iter().collect(),
        };
        for address in useful {
            text += &format!("  {}\n", words::up_listens(lang, address));
        }
        text + words::up_stop(lang)
    });
}

/// Says what a person wants to know of an event.
fn tell(here: &mut View, event: Event, output: &Output) {
    let lang = output.lang();
    let appeared = |view: &PeerView| words::came(lang, &view.advert.name, short(&view.id));
    match &event {
        // First of all, or because news were missed: whoever was not named yet.
        Event::View(view) => {
            let new = view.mesh.peers.iter().filter(|(id, _)| !here.mesh.peers.contains_key(id));
            new.for_each(|(_, view)| output.say(&appeared(view)));
        }
        Event::Peer(view) => {
            let known = |id| here.mesh.peers.contains_key(&id);
            if !view.id.parse().is_ok_and(known) {
                output.say(&appeared(view));
            }
        }
        Event::Gone { id, name, reason } => {
            output.say(&words::went(lang, name, short(id), reason.say(lang)))
        }
        Event::Clone(clone) => output.say(&match clone.addresses.first() {
            Some(address) => words::clone_at(lang, &address.to_string()),
            None => words::clone(lang).to_owned(),
        }),
        Event::Mail(News::Came(letter)) if !letter.seen && letter.contents.is_some() => {
            output.say(&super::mail::announced(letter, lang));
        }
        Event::Own(_) | Event::Call(_) | Event::Mail(_) => {}
    }
    // Calls are many, and nobody looks at them here.
    if !matches!(event, Event::Call(_)) {
        here.apply(event);
    }
}
