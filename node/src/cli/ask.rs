//! `potluck ask`: the chat robot.

use std::{process::ExitCode, time::Duration};

use clap::Args;
use serde_json::json;

use super::{Common, Failure, Kind, host::Host, output::Output, wrong};
use crate::{
    client::Call,
    protocol,
    services::chat::{Request, Response, rules::MAX_TEXT},
};

/// Unless --timeout says otherwise.
const PATIENCE: Duration = Duration::from_secs(10);

/// The options of `ask`.
#[derive(Debug, Args)]
pub struct Ask {
    /// What to say; several words need no quotes
    #[arg(required = true, value_name = "TEXT")]
    text: Vec<String>,
    /// Only this node may answer (its client id)
    #[arg(long, value_name = "CLIENT")]
    peer: Option<String>,
}

impl Ask {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<ExitCode, Failure> {
        let text = self.text.join(" ");
        if text.len() > MAX_TEXT {
            return Err(Failure::new(Kind::BadInput, wrong::long_text(text.len(), MAX_TEXT)));
        }
        let call = Call {
            capability: "chat/1".into(),
            variant: None,
            args: protocol::encode(&Request { text }).map_err(Failure::internal)?,
            input: None,
            timeout: common.timeout.unwrap_or(PATIENCE),
            only: peer(self.peer.as_deref())?,
            progress: None,
        };
        let host = Host::find(common, &["chat/1"]).await?;
        let reply = host.call(call).await;
        host.leave().await;
        let reply = reply?;
        let answer: Response = protocol::decode(&reply.body).map_err(Failure::unreadable)?;
        let document = json!({
            "text": answer.text,
            "rule": answer.rule,
            "served_by": reply.served_by,
            "route": reply.route,
            "milliseconds": reply.milliseconds,
        });
        output.print(&document, || answer.text.clone());
        output.explain(&reply.route);
        Ok(ExitCode::SUCCESS)
    }
}

/// Reads a client id.
pub(super) fn peer(text: Option<&str>) -> Result<Option<libp2p::PeerId>, Failure> {
    text.map(|text| text.parse().map_err(|_| Failure::new(Kind::Usage, wrong::no_client_id(text))))
        .transpose()
}
