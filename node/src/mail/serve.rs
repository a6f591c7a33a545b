//! What other nodes may ask of a post office: to take a letter, to keep one, to hear receipts.

use serde::{Deserialize, Serialize};

use super::{
    envelope::{MAX_SEALED, SignedEnvelope, SignedReceipt},
    post::Post,
};
use crate::{
    protocol::{Checked as _, Fault, Repeat},
    service::{Capability, Context, Example, Kind, Service, Standing},
};

/// The capability by which every node takes letters for its own person. It is not offered: an advert
/// with a sealing key says so.
pub const MAIL: &str = "mail/1";
/// The capability of keeping letters for others.
pub const KEEP: &str = "keep/1";

/// Letters that are written to the disk at once.
const SLOTS: u16 = 32;
/// Most receipts in one request.
const MAX_RECEIPTS: usize = 256;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Request {
    /// Take or keep this letter, which is the call's input. Answered with [`Response::Receipt`].
    Letter(SignedEnvelope),
    /// This became of letters that you sent. Answered with [`Response::Noted`].
    Receipts(Vec<SignedReceipt>),
}

/// What comes back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Response {
    /// It is on the disk, or will not be taken.
    Receipt(SignedReceipt),
    /// It was heard.
    Noted,
}

/// Takes letters for this node's person.
pub(crate) struct Mail(pub(crate) Post);

/// Keeps letters for others.
pub(crate) struct Keep(pub(crate) Post);

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
        Some(MAX_SEALED)
    }

    async fn call(&self, cx: &Context, request: Request) -> Result<Response, Fault> {
        match request {
            Request::Letter(envelope) => {
                envelope.check().map_err(|e| Fault::bad_input(e.to_string()))?;
                self.0.take(&envelope, cx.input()).await.map(Response::Receipt)
            }
            Request::Receipts(receipts) if receipts.len() > MAX_RECEIPTS => {
                Err(Fault::bad_input(format!("more than {MAX_RECEIPTS} receipts at once")))
            }
            Request::Receipts(receipts) => self.0.hear(&receipts).await.map(|()| Response::Noted),
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
        Some(self.0.most_kept())
    }

    async fn call(&self, cx: &Context, request: Request) -> Result<Response, Fault> {
        let Request::Letter(envelope) = request else {
            return Err(Fault::bad_input("a keeper takes letters only"));
        };
        envelope.check().map_err(|e| Fault::bad_input(e.to_string()))?;
        self.0.keep(&envelope, cx.input()).await.map(Response::Receipt)
    }

    fn examples(&self) -> Vec<Example<Request>> {
        vec![]
    }
}
