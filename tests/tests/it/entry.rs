//! Beyond one LAN: entry nodes, and nodes that reach each other through them. In one process, on the
//! memory transport, where nobody knows anybody's own address: all that is told leads through entry
//! nodes.

#[cfg(unix)]
mod flood;
#[cfg(unix)]
mod lans;
#[cfg(unix)]
mod process;

use potluck::{Node, client::CallInput, network::Snapshot};
use potluck_tests::mesh::{
    Does, Setup, Work, address, all_see_all, attachment, response, until, work_at, work_on,
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
