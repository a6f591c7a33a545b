//! `about/1`: what a node says of a capability of its own, so that somebody without a front end for it can draw a
//! plain form. Every node answers it; no advert names it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    protocol::{self, Fault, Offer, Repeat},
    service::{Capability, Context, Example, Kind, Registry, RegistryError, Service, Standing},
};

/// The name.
pub const NAME: &str = "about/1";

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// The capability, `name/version`.
    pub capability: String,
}

/// What comes back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Response {
    /// What it is; `None` where this node has it not.
    pub about: Option<About>,
}

/// What a capability is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// One line for a person.
    pub summary: String,
    /// What it works on.
    pub input: Kind,
    /// What comes back.
    pub output: Kind,
    /// Whether a call brings a file.
    pub file: bool,
    /// A request that works: its fields, with values that may be changed.
    pub example: Value,
}

/// Tells of the services of a node.
struct Tells(Registry);

/// The services with one more, which tells of all the others.
pub(crate) fn with_about(registry: Registry) -> Result<Registry, RegistryError> {
    let others = registry.clone();
    registry.with(Tells(others))
}

/// How every node offers it, without saying so.
pub(crate) fn offer() -> Offer {
    Offer {
        capability: NAME.to_owned(),
        device: "cpu".to_owned(),
        engine: String::new(),
        call_ms: 1.0,
        slots: 16,
        queue: 0,
        variants: Vec::new(),
        repeat: Repeat::Safe,
    }
}

impl Service for Tells {
    type Request = Request;
    type Response = Response;

    fn capability(&self) -> Capability {
        Capability {
            name: NAME,
            summary: "tells what a capability takes",
            input: Kind::Json,
            output: Kind::Json,
            repeat: Repeat::Safe,
        }
    }

    fn standing(&self) -> Option<Standing> {
        let Offer { device, engine, call_ms, slots, variants, .. } = offer();
        Some(Standing { device, engine, call_ms, slots, variants })
    }

    fn offered(&self) -> bool {
        false
    }

    async fn call(&self, cx: &Context, request: Request) -> Result<Response, Fault> {
        let registry = self.0.clone();
        // Examples may bring pictures.
        cx.blocking(move || Ok(Response { about: about(&registry, &request.capability) })).await
    }

    fn examples(&self) -> Vec<Example<Request>> {
        vec![Example {
            request: Request { capability: NAME.to_owned() },
            input: None,
            check: |answer| match answer.get("about") {
                Some(_) => Ok(()),
                None => Err(format!("nothing about it: {answer}")),
            },
        }]
    }
}

fn about(registry: &Registry, name: &str) -> Option<About> {
    // What is not offered to others is nobody's business.
    let service = registry.get(name).filter(|service| service.offered())?;
    let Capability { summary, input, output, .. } = service.capability();
    let example = service.examples().into_iter().next();
    let request = example.as_ref().and_then(|example| protocol::decode(&example.args).ok());
    Some(About {
        summary: summary.to_owned(),
        input,
        output,
        file: example.is_some_and(|example| example.input.is_some()),
        example: request.unwrap_or(Value::Null),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Count;

    impl Service for Count {
        type Request = String;
        type Response = u64;

        fn capability(&self) -> Capability {
            Capability {
                name: "words/1",
                summary: "counts words",
                input: Kind::Text,
                output: Kind::Json,
                repeat: Repeat::Safe,
            }
        }

        fn standing(&self) -> Option<Standing> {
            None
        }

        async fn call(&self, _: &Context, text: String) -> Result<u64, Fault> {
            Ok(text.split_whitespace().count() as u64)
        }

        fn examples(&self) -> Vec<Example<String>> {
            vec![Example { request: "one two".into(), input: None, check: |_| Ok(()) }]
        }
    }

    #[test]
    fn a_node_tells_what_it_offers_and_nothing_else() {
        let registry = Registry::new().with(Count).and_then(with_about).expect("two");
        let words = about(&registry, "words/1").expect("there");
        assert_eq!((&words.summary[..], words.file), ("counts words", false));
        assert_eq!(words.example, Value::from("one two"));
        // It is not among what it tells of, and nobody knows the other.
        assert!(about(&registry, NAME).is_none() && about(&registry, "chat/1").is_none());
    }
}
