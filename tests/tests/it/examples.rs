//! Every capability's own examples, at home and across two nodes.

use std::{sync::Arc, time::Duration};

use potluck::{
    Client, Node,
    client::{Call, CallInput},
    config::Config,
    service::Registry,
    services,
};
use potluck_tests::mesh::{Setup, until};

/// A node with all that this program can offer.
async fn serving(name: &str, change: impl FnOnce(Setup) -> Setup) -> (Node, Registry) {
    let registry = services::all(&Config::default(), None).expect("the services start");
    let setup = Setup { registry: registry.clone(), ..Setup::new(name) };
    (change(setup).start().await, registry)
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
    assert_eq!(names, services::NAMES, "a capability is missing, or its name in NAMES");
}

#[tokio::test(flavor = "multi_thread")]
async fn examples_work_at_home_and_across_two_nodes() {
    let (server, registry) = serving("server", |setup| setup).await;
    run_all(&server.client(), &registry, "server").await;
    let asker = Setup::new("asker").joining(&server).start().await;
    let id = server.client().id();
    until(&asker, "the server's offers", |snapshot| {
        snapshot.peers.get(&id).is_some_and(|v| v.advert.offers.len() == services::NAMES.len())
    })
    .await;
    run_all(&asker.client(), &registry, "server").await;
}
