//! Beyond one LAN: entry nodes, and nodes that reach each other through them. In one process, on the
//! memory transport, where nobody knows anybody's own address: all that is told leads through entry
//! nodes.

#[cfg(unix)]
mod flood;
#[cfg(unix)]
mod lans;
#[cfg(unix)]
mod process;

use std::{
    net::{SocketAddr, UdpSocket},
    time::Duration,
};

use potluck::{
    Node,
    client::{Call, CallInput},
    entry::Options,
    network::Snapshot,
};
use potluck_tests::{
    lossy::{Loss, Lossy},
    mesh::{
        Does, PATIENCE, Setup, Work, address, all_see_all, attachment, response, until, work_at,
        work_on,
    },
};

/// An entry node that others know.
async fn entry(name: &str) -> Node {
    Setup::new(name).entry().start().await
}

fn relayed(mesh: &Snapshot, node: &Node) -> bool {
    mesh.peers.get(&node.client().id()).is_some_and(|view| view.relayed)
}

/// Waits until a node knows where another is reached.
async fn reachable(from: &Node, to: &Node) {
    let id = to.client().id();
    until(from, "an address", |mesh| {
        mesh.peers.get(&id).is_some_and(|view| !view.advert.addresses.is_empty())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_reach_each_other_through_an_entry_node() {
    let entry = entry("entry").await;
    let server =
        Setup::new("server").with(Work::new(100.0, Does::Answer).0).joining(&entry).start().await;
    let asker = Setup::new("asker").joining(&entry).start().await;
    all_see_all(&[&asker, &server]).await;
    reachable(&asker, &server).await;
    let answer = asker.client().call(work_at(server.client().id())).await.expect("answered");
    assert_eq!(answer.served_by.name, "server");
    // Well over the 128 KiB that relays carry by default, there and back.
    let picture = attachment(3 << 20);
    let input = CallInput::Bytes(picture.clone().into());
    let answer = asker.client().call(work_on(input)).await.expect("answered");
    assert_eq!(response(&answer).hash, blake3::hash(&picture).to_hex().as_str());
    until(&asker, "the server, through the entry node", |mesh| relayed(mesh, &server)).await;
    // The entry node offers nothing, and its address is the only one that is told.
    let view = asker.client().snapshot().peers[&server.client().id()].clone();
    let addresses = view.advert.multiaddrs();
    let through = format!("{}/p2p/{}/p2p-circuit", address(&entry), entry.client().id());
    assert_eq!(addresses.iter().map(ToString::to_string).collect::<Vec<_>>(), [through]);
}

/// Sends a picture through the entry node and has it come back as it was.
async fn carries(asker: &Node, server: &Node, bytes: usize) {
    reachable(asker, server).await;
    let picture = attachment(bytes);
    let input = CallInput::Bytes(picture.clone().into());
    let call = Call { timeout: PATIENCE, ..work_on(input) };
    let answer = asker.client().call(call).await.expect("answered");
    assert_eq!(response(&answer).hash, blake3::hash(&picture).to_hex().as_str());
    until(asker, "the server, through the entry node", |mesh| relayed(mesh, server)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_that_drops_delays_and_reorders_carries_everything() {
    let free = UdpSocket::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port");
    let loss = Loss { percent: 3, delay: Duration::from_millis(15) };
    let lossy = Lossy::to(free, loss, rand::random()).await.expect("a path");
    let quic = |at: SocketAddr| format!("/ip4/127.0.0.1/udp/{}/quic-v1", at.port());
    let (inner, outer) = (quic(free), quic(lossy.at()));
    let gate = Setup::new("gate").quic().entry().configured(|config| {
        config.network.listen = vec![inner];
        config.network.external = vec![outer.clone()];
    });
    let gate = gate.start().await;
    let joining = |name: &str| {
        Setup::new(name).quic().configured(|config| config.network.join.push(outer.clone()))
    };
    let server = joining("server").with(Work::new(100.0, Does::Answer).0).start().await;
    let asker = joining("asker").start().await;
    all_see_all(&[&asker, &server]).await;
    // More than goes inside a call.
    carries(&asker, &server, 600_000).await;
    gate.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_had_its_share_of_the_hour_gets_no_further_way() {
    let gate = Setup::new("gate").entry().configured(|config| {
        config.change::<Options>(|entry| entry.peer_mib_per_hour = 1);
    });
    let gate = gate.start().await;
    let server = Setup::new("server").with(Work::new(100.0, Does::Answer).0).joining(&gate);
    let server = server.start().await;
    let home = tempfile::tempdir().expect("a folder");
    let greedy = || Setup::new("greedy").at_home(home.path()).joining(&gate);
    let first = greedy().start().await;
    all_see_all(&[&first, &server]).await;
    carries(&first, &server, 3 << 20).await;
    first.stop().await;
    // Its way ended with it. Another is not given, and others go on.
    let again = greedy().start().await;
    reachable(&again, &server).await;
    again.client().call(work_at(server.client().id())).await.expect_err("no way");
    let modest = Setup::new("modest").joining(&gate).start().await;
    all_see_all(&[&modest, &server]).await;
    carries(&modest, &server, 1000).await;
}
