//! Every capability's own examples, at home and across two nodes.

use std::{path::Path, sync::Arc, time::Duration};

use potluck::{
    Client, Node,
    client::{Call, CallInput},
    config::Allow,
    service::Registry,
    services::{self, facepp::Options},
};
use potluck_tests::{
    facepp,
    mesh::{Setup, until},
};

/// A node with all that this program can offer, to everyone; Face++ is played by a stand-in.
async fn serving(name: &str, mock: &facepp::Mock, data_dir: &Path) -> (Node, Registry) {
    facepp::write_key(data_dir, facepp::SECRET);
    let setup = Setup::new(name).configured(|config| {
        config.change(|facepp: &mut Options| facepp.base = mock.base());
        config.change(|facepp: &mut Options| facepp.allow = Allow::Everyone);
    });
    let registry = services::all(&setup.config, Some(data_dir)).expect("the services start");
    (Setup { registry: registry.clone(), ..setup }.start().await, registry)
}

async fn run_all(client: &Client, registry: &Registry, server: &str) {
    let mut names = Vec::new();
    for (name, service) in registry.iter() {
        let examples = service.examples();
        assert!(!examples.is_empty(), "{name} has no example");
        for example in examples {
            let call = Call {
                capability: name.to_owned(),
                variant: None,
                args: example.args,
                input: example.input.map(|bytes| CallInput::Bytes(Arc::from(bytes))),
                timeout: Duration::from_secs(60),
                only: None,
                progress: None,
            };
            let reply = client.call(call).await.unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(reply.served_by.name, server, "{name}");
            let json = service.to_json(&reply.body).expect("JSON");
            (example.check)(&json).unwrap_or_else(|e| panic!("{name}: {e}"));
        }
        names.push(name);
    }
    let mut all: Vec<_> = services::ALL.iter().map(|recipe| recipe.name).collect();
    all.sort_unstable();
    assert_eq!(names, all, "a capability is missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn examples_work_at_home_and_across_two_nodes() {
    let (mock, data_dir) = (facepp::Mock::start().await, tempfile::tempdir().expect("a folder"));
    let (server, registry) = serving("server", &mock, data_dir.path()).await;
    run_all(&server.client(), &registry, "server").await;
    let asker = Setup::new("asker").joining(&server).start().await;
    let id = server.client().id();
    until(&asker, "the server's offers", |snapshot| {
        snapshot.peers.get(&id).is_some_and(|v| v.advert.offers.len() == services::ALL.len())
    })
    .await;
    run_all(&asker.client(), &registry, "server").await;
}
