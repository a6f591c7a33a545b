//! `potluck peers`, `capabilities` and `id`: what the node knows.

use std::{collections::BTreeMap, process::ExitCode};

use clap::Args;
use potluck_i18n::Lang;
use serde_json::{Value, json};

use super::{
    Common, Failure,
    host::Host,
    output::{Output, table},
    words,
};
use crate::{
    Client,
    config::Config,
    data_dir::DataDir,
    identity::{self, Identity, fingerprint, short},
    network::{PeerView, now_ms},
    protocol::Offer,
    qr,
    service::Counters,
};

pub(super) async fn peers(common: &Common, output: &Output) -> Result<ExitCode, Failure> {
    let host = Host::find(common, &[]).await?;
    let peers = everyone(host.looked_around().await);
    host.leave().await;
    let documents: Vec<_> = peers.iter().map(peer_document).collect();
    let lang = output.lang();
    output.print(&documents, || {
        if peers.is_empty() {
            return words::nobody(lang).to_owned();
        }
        let mut table = table(&[
            words::head_name(lang),
            words::head_id(lang),
            words::head_connected(lang),
            words::head_round_trip(lang),
            words::head_offers(lang),
        ]);
        for peer in &peers {
            let connected = match (peer.suspect, peer.connected) {
                (true, _) => words::not_answering(lang),
                (false, true) if peer.relayed => words::through_entry(lang),
                (false, true) => words::yes(lang),
                (false, false) => words::on_demand(lang),
            };
            let rtt =
                peer.rtt_ms.map_or_else(String::new, |ms| words::ms(lang, format!("{ms:.1}")));
            let offers: Vec<_> = peer.advert.offers.iter().map(|o| o.capability.as_str()).collect();
            table.add_row([
                peer.advert.name.as_str(),
                &short(&peer.id),
                connected,
                &rtt,
                &offers.join(", "),
            ]);
        }
        table.to_string()
    });
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn capabilities(common: &Common, output: &Output) -> Result<ExitCode, Failure> {
    let host = Host::find(common, &[]).await?;
    let client = host.looked_around().await.clone();
    let (peers, mine, served) = (everyone(&client), client.offers(), client.counters().await);
    let (id, name) = (client.id().to_string(), client.name().to_owned());
    drop(client);
    host.leave().await;
    let served = served?;
    let mut by_name: BTreeMap<&str, Vec<(&str, &str, bool, &Offer)>> = BTreeMap::new();
    let others = peers.iter().map(|p| (&*p.id, p.advert.name.as_str(), false, &p.advert.offers));
    let me = (id.as_str(), name.as_str(), true, &mine);
    for (id, name, is_me, offers) in std::iter::once(me).chain(others) {
        for offer in offers {
            by_name.entry(&offer.capability).or_default().push((id, name, is_me, offer));
        }
    }
    let documents: Vec<_> = by_name
        .iter()
        .map(|(capability, nodes)| {
            let nodes: Vec<_> = nodes.iter().map(|node| offer_document(*node, &served)).collect();
            json!({ "capability": capability, "nodes": nodes })
        })
        .collect();
    let lang = output.lang();
    output.print(&documents, || {
        if by_name.is_empty() {
            return words::nobody_offers(lang).to_owned();
        }
        let mut table = table(&[
            words::head_capability(lang),
            words::head_node(lang),
            words::head_device(lang),
            words::head_engine(lang),
            words::head_speed(lang),
            words::head_queue(lang),
            words::head_models(lang),
        ]);
        for (capability, nodes) in &by_name {
            for (_, name, me, offer) in nodes {
                let name = if *me { words::this_node(lang, name) } else { (*name).to_owned() };
                table.add_row([
                    (*capability).to_owned(),
                    name,
                    offer.device.clone(),
                    offer.engine.clone(),
                    words::per_second(lang, format!("{:.0}", offer.speed())),
                    format!("{}/{}", offer.queue, offer.slots),
                    offer.variants.join(", "),
                ]);
            }
        }
        table.to_string()
    });
    Ok(ExitCode::SUCCESS)
}

/// The options of `id`.
#[derive(Debug, Args)]
pub struct Id {
    /// Also draw it as a QR code
    #[arg(long)]
    qr: bool,
}

pub(super) async fn id(options: Id, common: &Common, output: &Output) -> Result<ExitCode, Failure> {
    let data_dir = DataDir::open(common.data_dir())?;
    // One of another version runs, too.
    let running = !matches!(Client::attach(&data_dir.control_socket()).await, Ok(None));
    let config = Config::load(&data_dir.config_file())?;
    let identity = Identity::load_or_create(&data_dir)?;
    let id = identity.peer_id();
    let document = json!({
        "id": id.to_string(),
        "name": config.name,
        "fingerprint": fingerprint(&id),
        "words": { "en": identity::words(&id, Lang::En), "zh": identity::words(&id, Lang::Zh) },
        "data_dir": data_dir.path(),
        "running": running,
    });
    let lang = output.lang();
    output.print(&document, || {
        let running = if running { words::running(lang) } else { words::not_running(lang) };
        let folder = data_dir.path().display().to_string();
        let (short, read) = (fingerprint(&id), identity::words(&id, lang));
        words::id(lang, id.to_string(), &config.name, short, read, folder, running)
    });
    if options.qr {
        output.draw(&qr::text(&identity::link(&id)).map_err(Failure::internal)?);
    }
    Ok(ExitCode::SUCCESS)
}

/// Everybody else, in the order of their names.
fn everyone(client: &Client) -> Vec<PeerView> {
    let mut peers: Vec<_> = client.snapshot().peers.values().cloned().collect();
    peers.sort_by(|a, b| (&a.advert.name, &a.id).cmp(&(&b.advert.name, &b.id)));
    peers
}

fn peer_document(peer: &PeerView) -> Value {
    let addresses = peer.advert.multiaddrs();
    json!({
        "id": &*peer.id,
        "name": peer.advert.name,
        "fingerprint": short(&peer.id),
        "connected": peer.connected,
        "relayed": peer.relayed,
        "entry": peer.advert.entry,
        "suspect": peer.suspect,
        "rtt_ms": peer.rtt_ms,
        "heard_ms_ago": now_ms().saturating_sub(peer.heard_at),
        "addresses": addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "capabilities": peer.advert.offers.iter().map(|o| &o.capability).collect::<Vec<_>>(),
    })
}

fn offer_document(
    (id, name, me, offer): (&str, &str, bool, &Offer),
    served: &[(String, Counters)],
) -> Value {
    let served = served.iter().find(|(name, _)| me && *name == offer.capability);
    json!({
        "served": served.map(|(_, counters)| counters),
        "id": id,
        "name": name,
        "me": me,
        "device": offer.device,
        "engine": offer.engine,
        "speed": offer.speed(),
        "slots": offer.slots,
        "queue": offer.queue,
        "variants": offer.variants,
    })
}
