//! A service that gets ready after its node has started is told, whenever that happens.

use std::{
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::Duration,
};

use potluck::{
    Node, NodeOptions,
    identity::Identity,
    protocol::{Fault, Repeat},
    service::{Capability, Context, Example, Kind, Service, Standing},
};
use potluck_tests::mesh::{PATIENCE, Setup};

/// A service that is ready when it has been looked at so often.
struct Late(AtomicU32);

impl Service for Late {
    type Request = ();
    type Response = ();

    fn capability(&self) -> Capability {
        let (input, output) = (Kind::Json, Kind::Json);
        Capability { name: "late/1", summary: "for tests", input, output, repeat: Repeat::Safe }
    }

    fn standing(&self) -> Option<Standing> {
        let left = self.0.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        left.is_err().then(|| Standing {
            device: "cpu".into(),
            engine: String::new(),
            call_ms: 1000.0,
            slots: 1,
            variants: vec![],
        })
    }

    async fn call(&self, _: &Context, (): ()) -> Result<(), Fault> {
        Ok(())
    }

    fn examples(&self) -> Vec<Example<()>> {
        vec![]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_may_get_ready_between_any_two_looks() {
    for looks in 0..6 {
        let setup = Setup::new("late").with(Late(AtomicU32::new(looks)));
        let options = NodeOptions {
            config: setup.config,
            identity: Identity::generate(),
            data_dir: None,
            mail: None,
            mesh: None,
            transport: setup.transport,
            registry: Some(setup.registry),
            passing: false,
        };
        // Without waiting until it is ready: that would look once more, and tell.
        let node = Node::start(options).await.expect("the node starts");
        let client = node.client();
        let told = async {
            while client.offers().is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let told = tokio::time::timeout(PATIENCE / 4, told).await;
        assert!(told.is_ok(), "ready after {looks} looks, and never told");
    }
}

/// A service that loads for a moment and then turns out to be set up wrongly.
struct Broken(std::time::Instant);

impl Service for Broken {
    type Request = ();
    type Response = ();

    fn capability(&self) -> Capability {
        let (input, output) = (Kind::Json, Kind::Json);
        Capability { name: "broken/1", summary: "for tests", input, output, repeat: Repeat::Safe }
    }

    fn standing(&self) -> Option<Standing> {
        None
    }

    fn loading(&self) -> bool {
        self.0.elapsed() < Duration::from_millis(500)
    }

    fn trouble(&self) -> Option<String> {
        (!self.loading()).then(|| "there is no model nope".to_owned())
    }

    async fn call(&self, _: &Context, (): ()) -> Result<(), Fault> {
        Ok(())
    }

    fn examples(&self) -> Vec<Example<()>> {
        vec![]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_cannot_be_loaded_is_not_waited_for() {
    let broken = Broken(std::time::Instant::now());
    let registry = potluck::service::Registry::new().with(broken).expect("the name is free");
    let mut setup = Setup::new("node");
    setup.registry = registry;
    let node = Node::start(NodeOptions {
        config: setup.config,
        identity: Identity::generate(),
        data_dir: None,
        mail: None,
        mesh: None,
        transport: setup.transport,
        registry: Some(setup.registry),
        passing: false,
    })
    .await
    .expect("starts");
    // It waited for a minute before, long after the cause was known.
    let call = potluck::client::Call {
        capability: "broken/1".into(),
        variant: None,
        args: potluck::protocol::encode(&()).expect("encodes"),
        input: None,
        timeout: Duration::from_secs(40),
        only: None,
        progress: None,
    };
    let failure = node.client().call(call).await.expect_err("nobody serves");
    assert_eq!(failure.kind, potluck::client::FailureKind::NobodyServes, "{failure:?}");
    assert!(failure.message.contains("there is no model nope"), "{failure}");
    let facts = node.client().facts().await.expect("facts");
    assert_eq!(facts.troubles, [("broken/1".to_owned(), "there is no model nope".to_owned())]);
}
