//! `potluck call`: any capability, also one without a command of its own.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use serde_json::{Value, json};

use super::{
    Common, Failure, Kind, ask::peer, files::input_file, host::Host, output::Output, words, wrong,
};
use crate::{
    client::{CallInput, Reply, plain},
    config::capability_name,
    service::{Data, Progress},
    services,
};

/// Unless --timeout says otherwise.
const PATIENCE: Duration = Duration::from_secs(60);
/// Steps of progress that wait to be shown.
const STEPS: usize = 8;

/// The options of `call`.
#[derive(Debug, Args)]
#[command(after_help = "For example:\n  \
    potluck call chat --arg text=hello\n  \
    potluck call recognize --arg top=3 cat.jpg\n  \
    potluck call analyze --arg lang=zh -o report.tar sales.csv\n\n\
    `potluck capabilities` shows what there is; docs/protocol.md shows what each one takes.")]
pub struct Call {
    /// The capability, such as chat or chat/1
    #[arg(value_name = "CAPABILITY")]
    capability: String,
    /// An argument: VALUE is taken as JSON where it is some, otherwise as text; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = argument)]
    arg: Vec<(String, Value)>,
    /// The file to work on
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Where to put the data that comes with the answer
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// A model or other variant that the server must have
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// Only this node may serve (its client id)
    #[arg(long, value_name = "CLIENT")]
    peer: Option<String>,
}

impl Call {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<ExitCode, Failure> {
        let capability = capability_name(&self.capability)?;
        let args = arguments(&capability, &self.arg)?;
        let input = self.file.as_deref().map(input_file).transpose()?.map(CallInput::File);
        if let Some(out) = &self.output {
            writable(out)?;
        }
        let only = peer(self.peer.as_deref())?;
        // What this program has, a node of this command serves too.
        let own: Vec<_> = services::named(&capability).iter().map(|recipe| recipe.name).collect();
        let host = Host::find(common, &own).await?;
        let bar = output.bar(100);
        let (progress, mut steps) = tokio::sync::mpsc::channel(STEPS);
        let call = crate::client::Call {
            capability: capability.clone(),
            variant: self.variant.clone(),
            args,
            input,
            timeout: common.timeout.unwrap_or(PATIENCE),
            only,
            progress: Some(progress),
        };
        let showing = bar.clone();
        let shown = tokio::spawn(async move {
            while let Some(Progress { percent, note }) = steps.recv().await {
                showing.set_position(u64::from(percent));
                showing.set_message(note);
            }
        });
        let reply = host.call(call).await;
        let _ = shown.await;
        bar.finish_and_clear();
        let told = match reply {
            Ok(reply) => tell(&capability, reply, self.output, output).await,
            Err(failure) => Err(failure.into()),
        };
        host.leave().await;
        told
    }
}

async fn tell(
    capability: &str,
    mut reply: Reply,
    out: Option<PathBuf>,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let answer = plain::answer(capability, &reply.body).map_err(Failure::unreadable)?;
    let data = reply.data.take();
    let bytes = data.as_ref().map(Data::len);
    if let (Some(data), Some(out)) = (data, out.clone()) {
        let kept = tokio::task::spawn_blocking(move || keep(&data, &out));
        kept.await.map_err(Failure::internal)??;
    }
    let document = json!({
        "answer": answer,
        "data": bytes.map(|bytes| json!({ "bytes": bytes, "file": out })),
        "served_by": reply.served_by,
        "route": reply.route,
        "milliseconds": reply.milliseconds,
    });
    let lang = output.lang();
    output.print(&document, || {
        let mut text = serde_json::to_string_pretty(&answer).unwrap_or_default();
        match (bytes, &out) {
            (Some(bytes), Some(out)) => {
                let path = out.display().to_string();
                text += &format!("\n{}", words::bytes_in(lang, bytes, path));
            }
            (Some(bytes), None) => {
                text += &format!("\n{}", words::bytes_with(lang, bytes));
            }
            (None, Some(_)) => text += &format!("\n{}", words::no_data(lang)),
            (None, None) => {}
        }
        text
    });
    output.explain(&reply.route);
    Ok(ExitCode::SUCCESS)
}

/// The arguments in CBOR.
fn arguments(capability: &str, given: &[(String, Value)]) -> Result<Vec<u8>, Failure> {
    let mut map = serde_json::Map::new();
    for (key, value) in given {
        if map.insert(key.clone(), value.clone()).is_some() {
            return Err(Failure::new(Kind::Usage, wrong::given_twice(key)));
        }
    }
    plain::args(capability, map.into())
        .map_err(|why| Failure::new(Kind::BadInput, wrong::arguments(capability, why)))
}

/// Reads `KEY=VALUE`.
fn argument(text: &str) -> Result<(String, Value), wrong::Value> {
    let Some((key, value)) = text.split_once('=').filter(|(key, _)| !key.is_empty()) else {
        return Err(wrong::Value(wrong::key_value()));
    };
    let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    Ok((key.to_owned(), value))
}

fn writable(out: &Path) -> Result<(), Failure> {
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.is_dir() => {
            Err(Failure::new(Kind::Usage, wrong::no_folder(folder)))
        }
        _ if out.is_dir() => Err(Failure::new(Kind::Usage, wrong::a_folder(out))),
        _ => Ok(()),
    }
}

fn keep(data: &Data, out: &Path) -> Result<(), Failure> {
    let failed = |e: std::io::Error| Failure::new(Kind::Usage, wrong::unwritable(out, &e));
    match data.path() {
        Some(path) => std::fs::copy(path, out).map(drop).map_err(failed),
        None => {
            let bytes = data.read().map_err(|fault| Failure::internal(fault.message))?;
            std::fs::write(out, bytes).map_err(failed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_json_or_text() {
        for (text, value) in [
            ("a=1", json!(1)),
            ("a=hello there", json!("hello there")),
            ("a=\"1\"", json!("1")),
            ("a=[1,2]", json!([1, 2])),
            ("a=null", Value::Null),
            ("a=", json!("")),
            ("a=b=c", json!("b=c")),
        ] {
            assert_eq!(argument(text), Ok(("a".to_owned(), value)), "{text}");
        }
        for bad in ["a", "=1", ""] {
            assert!(argument(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_argument_is_given_once() {
        let given = |text: &str| vec![argument(text).expect("an argument")];
        assert!(arguments("chat/1", &given("text=42")).is_ok());
        let wrong = arguments("chat/1", &[]).expect_err("no text");
        assert!(wrong.message.contains("text"), "{wrong}");
        let twice = [given("text=a"), given("text=b")].concat();
        assert!(arguments("chat/1", &twice).is_err());
    }
}
