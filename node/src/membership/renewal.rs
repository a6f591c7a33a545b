//! Keeping a membership: certificates are renewed early, by whichever admin can be reached; who was
//! met is written down; and a node that nobody lets in any more finds out why.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};

use super::Membership;
use crate::{
    client::Local,
    network::{Errand, ErrandError, TransportKind, now_ms, obtain},
    protocol::membership::{Pass, Refusal},
};

/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(60);
/// How long members who were just met wait to be written down.
const TOGETHER: Duration = Duration::from_millis(300);
/// Time between two attempts to get a certificate.
const AGAIN_MS: u64 = 5 * 60 * 1000;
/// After so long without anybody a node asks an admin whether it was removed.
const ALONE_MS: u64 = 60 * 1000;
/// Time between two looks at the certificates of admins.
const ADMINS_MS: u64 = 24 * 60 * 60 * 1000;

/// Runs as long as the node does.
pub(crate) async fn run(membership: Arc<Membership>, local: Arc<Local>, transport: TransportKind) {
    let mut changed = membership.watch();
    let (mut asked_at, mut alone_since, mut admins_at) = (0, None, 0);
    loop {
        let now = now_ms();
        if now >= admins_at {
            admins_at = now + ADMINS_MS;
            blocking(&membership, |it| it.renew_admins(now_ms())).await;
        }
        let alone = !local.snapshot().peers.values().any(|peer| peer.connected);
        alone_since = alone.then(|| alone_since.unwrap_or(now));
        let long_alone = alone_since.is_some_and(|since| now >= since + ALONE_MS);
        if (membership.due(now) || long_alone) && now >= asked_at + AGAIN_MS {
            asked_at = now;
            renew(&membership, &local, transport).await;
        }
        blocking(&membership, |it| it.remember()).await;
        tokio::select! {
            told = changed.changed() => match told {
                // Another role, or another certificate: all others are to know.
                Ok(()) => local.network.show_membership().await,
                Err(_) => return,
            },
            // Who comes with them is written down in one go.
            () = membership.met() => tokio::time::sleep(TOGETHER).await,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Asks one admin after the other.
async fn renew(membership: &Arc<Membership>, local: &Local, transport: TransportKind) {
    for (admin, addresses) in admins(membership, local) {
        let pass = Pass::Renewal { credential: membership.credential() };
        let errand = Errand::new(membership.id(), membership.mesh(), admin, pass);
        match obtain(membership.keypair(), transport, errand, &addresses).await {
            Ok(issued) => {
                membership.told_removed(false);
                let credential = issued.credential;
                return blocking(membership, move |it| it.adopt(&credential, now_ms())).await;
            }
            Err(ErrandError::Refused(Refusal::Removed)) => return membership.told_removed(true),
            Err(error) => tracing::debug!(%admin, "no certificate: {error}"),
        }
    }
}

/// The admins that are seen now or were at some time, with where they are.
fn admins(membership: &Membership, local: &Local) -> BTreeMap<PeerId, Vec<Multiaddr>> {
    let mut all: BTreeMap<PeerId, Vec<Multiaddr>> = BTreeMap::new();
    let snapshot = local.snapshot();
    for admin in membership.admins() {
        if let Some(view) = snapshot.peers.get(&admin) {
            all.entry(admin).or_default().extend(view.advert.multiaddrs());
        }
    }
    for address in membership.first_addresses() {
        if let Some(Protocol::P2p(admin)) = address.iter().last()
            && admin != membership.id()
        {
            let bare = address.iter().filter(|part| !matches!(part, Protocol::P2p(_))).collect();
            all.entry(admin).or_default().push(bare);
        }
    }
    all
}

async fn blocking<F>(membership: &Arc<Membership>, work: F)
where
    F: FnOnce(&Arc<Membership>) -> Result<(), super::MeshError> + Send + 'static,
{
    let membership = membership.clone();
    match tokio::task::spawn_blocking(move || work(&membership)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!("{error}"),
        Err(error) => tracing::warn!("{error}"),
    }
}
