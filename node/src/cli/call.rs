//! `potluck call`: any capability, also one without a command of its own.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use cbor4ii::core::Value as Cbor;
use clap::Args;
use serde_json::{Value, json};

use super::{
    Common, Failure, Kind, ask::peer, files::input_file, host::Host, output::Output, words, wrong,
};
use crate::{
    client::{CallInput, Reply},
    config::capability_name,
    protocol,
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
    let answer = match services::named(capability) {
        Some(recipe) => recipe.json(&reply.body),
        None => protocol::decode(&reply.body).map_err(|e| e.to_string()).and_then(to_json),
    };
    let answer = answer.map_err(Failure::unreadable)?;
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

/// The arguments in CBOR. For what this program knows they are checked here; a value that is no
/// text to JSON is taken as text where only that fits, as in `text=42`.
fn arguments(capability: &str, given: &[(String, Value)]) -> Result<Vec<u8>, Failure> {
    let mut map = serde_json::Map::new();
    for (key, value) in given {
        if map.insert(key.clone(), value.clone()).is_some() {
            return Err(Failure::new(Kind::Usage, wrong::given_twice(key)));
        }
    }
    let Some(recipe) = services::named(capability) else {
        return protocol::encode(&map).map_err(Failure::internal);
    };
    let as_text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let texts: serde_json::Map<_, _> =
        map.iter().map(|(key, value)| (key.clone(), as_text(value).into())).collect();
    recipe.args(map.into()).or_else(|why| {
        recipe
            .args(texts.into())
            .map_err(|_| Failure::new(Kind::BadInput, wrong::arguments(capability, why)))
    })
}

/// Reads `KEY=VALUE`.
fn argument(text: &str) -> Result<(String, Value), wrong::Value> {
    let Some((key, value)) = text.split_once('=').filter(|(key, _)| !key.is_empty()) else {
        return Err(wrong::Value(wrong::key_value()));
    };
    let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    Ok((key.to_owned(), value))
}

/// Any CBOR as JSON: bytes as hexadecimal text, keys as text.
fn to_json(value: Cbor) -> Result<Value, String> {
    Ok(match value {
        Cbor::Null => Value::Null,
        Cbor::Bool(yes) => yes.into(),
        Cbor::Integer(number) => match (u64::try_from(number), i64::try_from(number)) {
            (Ok(number), _) => number.into(),
            (_, Ok(number)) => number.into(),
            _ => number.to_string().into(),
        },
        Cbor::Float(number) => number.into(),
        Cbor::Bytes(bytes) => bytes.iter().map(|b| format!("{b:02x}")).collect::<String>().into(),
        Cbor::Text(text) => text.into(),
        Cbor::Array(all) => all.into_iter().map(to_json).collect::<Result<Vec<_>, _>>()?.into(),
        Cbor::Map(all) => {
            let entries = all.into_iter().map(|(key, value)| {
                let key = match to_json(key)? {
                    Value::String(text) => text,
                    other => other.to_string(),
                };
                Ok((key, to_json(value)?))
            });
            // In a steady order, whatever the peer's.
            let entries: BTreeMap<_, _> = entries.collect::<Result<_, String>>()?;
            Value::Object(entries.into_iter().collect())
        }
        other => return Err(format!("it holds {other:?}, which JSON has not")),
    })
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
    fn what_this_program_knows_is_checked_before_anybody_is_asked() {
        let given = |text: &str| vec![argument(text).expect("an argument")];
        for text in ["text=42", "text=\"42\"", "text=true"] {
            assert!(arguments("chat/1", &given(text)).is_ok(), "{text}");
        }
        let wrong = arguments("chat/1", &[]).expect_err("no text");
        assert!(wrong.message.contains("text"), "{wrong}");
        let twice = [given("text=a"), given("text=b")].concat();
        assert!(arguments("chat/1", &twice).is_err());
        // Nobody here knows what others take.
        assert!(arguments("other/1", &given("x=1")).is_ok());
    }

    #[test]
    fn any_answer_can_be_shown() {
        let map = Cbor::Map(vec![
            (Cbor::Integer(7), Cbor::Bytes(vec![0, 255])),
            (Cbor::Text("b".into()), Cbor::Array(vec![Cbor::Null, Cbor::Float(0.5)])),
            (Cbor::Text("a".into()), Cbor::Integer(-3)),
        ]);
        let shown = to_json(map).expect("JSON").to_string();
        assert_eq!(shown, r#"{"7":"00ff","a":-3,"b":[null,0.5]}"#);
        assert_eq!(to_json(Cbor::Integer(1 << 70)), Ok(json!((1i128 << 70).to_string())));
    }
}
