//! What other nodes may ask of a post office: to take a letter, to keep one, to hear receipts.

use serde::{Deserialize, Serialize};

use super::{
    envelope::{EnvelopeId, SignedEnvelope, SignedReceipt},
    post::{Body, Post},
};
use crate::{
    protocol::{Checked as _, Fault, MAX_INLINE, Repeat},
    service::{Capability, Context, Example, Kind, Service, Standing},
};

/// The capability by which every node takes letters for its own person. It is not offered: an advert
/// with a sealing key says so.
pub const MAIL: &str = "mail/1";
/// The capability of keeping letters for others.
pub const KEEP: &str = "keep/1";

/// Letters that are written to the disk at once.
const SLOTS: u16 = 256;
/// Most receipts in one request.
const MAX_RECEIPTS: usize = 256;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Request {
    /// Take or keep this letter. The sealed body is the call's input where that travels inline, and is
    /// fetched as a blob from the caller where it is larger. Answered with [`Response::Receipt`].
    Letter(SignedEnvelope),
    /// This became of letters that you sent. Answered with [`Response::Noted`].
    Receipts(Vec<SignedReceipt>),
    /// Prove that this letter, which the caller wrote, still lies here. Answered with
    /// [`Response::Proof`], and with the recipient's receipt where they have it.
    Prove {
        /// Which.
        envelope: EnvelopeId,
        /// One group of 256 KiB of its sealed body.
        group: u32,
        /// Drawn for this question.
        #[serde(with = "serde_bytes")]
        nonce: [u8; 32],
    },
}

/// What comes back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Response {
    /// It is on the disk, or will not be taken.
    Receipt(SignedReceipt),
    /// It was heard.
    Noted,
    /// The BLAKE3 hash of the group's bytes, keyed with the nonce; `None` where they are not here.
    Proof(Option<serde_bytes::ByteArray<32>>),
}

/// Takes letters for this node's person.
pub(crate) struct Mail(pub(crate) Post);

/// Keeps letters for others.
pub(crate) struct Keep(pub(crate) Post);

/// The body that a caller brings.
fn body(cx: &Context) -> Body<'_> {
    Body { inline: cx.input(), holder: cx.caller() }
}

fn standing() -> Option<Standing> {
    Some(Standing {
        device: "disk".into(),
        engine: String::new(),
        call_ms: 5.0,
        slots: SLOTS,
        variants: vec![],
    })
}

impl Service for Mail {
    type Request = Request;
    type Response = Response;

    fn capability(&self) -> Capability {
        Capability {
            name: MAIL,
            summary: "takes letters to this node",
            input: Kind::Json,
            output: Kind::Json,
            repeat: Repeat::Safe,
        }
    }

    fn standing(&self) -> Option<Standing> {
        standing()
    }

    fn offered(&self) -> bool {
        false
    }

    fn max_input(&self) -> Option<u64> {
        Some(MAX_INLINE as u64)
    }

    async fn call(&self, cx: &Context, request: Request) -> Result<Response, Fault> {
        match request {
            Request::Letter(envelope) => {
                envelope.check().map_err(|e| Fault::bad_input(e.to_string()))?;
                self.0.take(&envelope, body(cx)).await.map(Response::Receipt)
            }
            Request::Receipts(receipts) if receipts.len() > MAX_RECEIPTS => {
                Err(Fault::bad_input(format!("more than {MAX_RECEIPTS} receipts at once")))
            }
            Request::Receipts(receipts) => {
                if receipts.is_empty() {
                    self.0.is_welcome_at(&cx.caller());
                }
                self.0.hear(&receipts, None).await.map(|()| Response::Noted)
            }
            Request::Prove { .. } => Err(Fault::bad_input("that is asked of keepers only")),
        }
    }

    fn examples(&self) -> Vec<Example<Request>> {
        vec![]
    }
}

impl Service for Keep {
    type Request = Request;
    type Response = Response;

    fn capability(&self) -> Capability {
        Capability {
            name: KEEP,
            summary: "keeps sealed letters for nodes that are off",
            input: Kind::Json,
            output: Kind::Json,
            repeat: Repeat::Safe,
        }
    }

    fn standing(&self) -> Option<Standing> {
        standing()
    }

    fn max_input(&self) -> Option<u64> {
        Some(MAX_INLINE as u64)
    }

    async fn call(&self, cx: &Context, request: Request) -> Result<Response, Fault> {
        match request {
            Request::Letter(envelope) => {
                envelope.check().map_err(|e| Fault::bad_input(e.to_string()))?;
                self.0.keep(&envelope, body(cx)).await.map(Response::Receipt)
            }
            Request::Prove { envelope, group, nonce } => {
                if let Some(receipt) = self.0.passed_on(cx.caller(), envelope) {
                    return Ok(Response::Receipt(receipt));
                }
                let proof = self.0.prove(cx.caller(), envelope, group, nonce).await?;
                Ok(Response::Proof(proof.map(serde_bytes::ByteArray::new)))
            }
            Request::Receipts(_) => Err(Fault::bad_input("a keeper hears no receipts")),
        }
    }

    fn examples(&self) -> Vec<Example<Request>> {
        vec![]
    }
}
