//! A capability of one's own: `words/1` counts the words of a text.
//!
//! Run it with `cargo run --example count_words`, on as many machines as you like.

use potluck::protocol::{Fault, Repeat};
use potluck::service::{Capability, Context, Example, Kind, Registry, Service, Standing};
use potluck::{Node, NodeOptions, config::Config, identity::Identity, network::TransportKind};

struct CountWords;

impl Service for CountWords {
    type Request = String;
    type Response = u64;

    fn capability(&self) -> Capability {
        Capability {
            name: "words/1",
            summary: "counts the words of a text",
            input: Kind::Text,
            output: Kind::Json,
            repeat: Repeat::Safe,
        }
    }

    fn standing(&self) -> Option<Standing> {
        let (device, engine, variants) = ("cpu".into(), String::new(), vec![]);
        Some(Standing { device, engine, call_ms: 4.0, slots: 4, variants })
    }

    async fn call(&self, cx: &Context, text: String) -> Result<u64, Fault> {
        if text.is_empty() {
            return Err(Fault::bad_input("there is no text to count"));
        }
        cx.blocking(move || Ok(text.split_whitespace().count() as u64)).await
    }

    fn examples(&self) -> Vec<Example<String>> {
        let check = |answer: &serde_json::Value| match answer.as_u64() {
            Some(3) => Ok(()),
            _ => Err(format!("three words, not {answer}")),
        };
        vec![Example { request: "one two three".into(), input: None, check }]
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let registry = Some(Registry::new().with(CountWords)?);
    let (config, identity) = (Config::default(), Identity::generate());
    let transport = TransportKind::Real;
    let options = NodeOptions {
        config,
        identity,
        data_dir: None,
        mail: None,
        mesh: None,
        transport,
        registry,
        passing: false,
    };
    let node = Node::start(options).await?;
    println!("{} counts words. Ctrl-C stops it.", node.client().id());
    tokio::signal::ctrl_c().await?;
    node.stop().await;
    Ok(())
}
