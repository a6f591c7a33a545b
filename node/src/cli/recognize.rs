//! `potluck recognize`: many pictures in one command, spread over the mesh.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use futures::{StreamExt as _, stream};
use potluck_i18n::Lang;
use serde_json::{Value, json};

use super::{
    Common, Failure, Kind,
    ask::peer,
    files::input_file,
    host::Host,
    output::{Output, route_text},
    words, wrong,
};
use crate::{
    client::{Call, CallInput, Reply, RouteHop},
    protocol,
    services::recognize::{Request, Response, name},
};

/// Unless --timeout says otherwise; for each picture.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pictures under way at once: enough to keep several nodes busy.
const WINDOW: usize = 16;
/// Larger files are no pictures that anybody here would take.
const MAX_PICTURE: u64 = potluck_models::MAX_BYTES as u64;

/// The options of `recognize`.
#[derive(Debug, Args)]
pub struct Recognize {
    /// Pictures: JPEG, PNG, WebP, BMP, GIF or TIFF
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
    /// How many labels for each picture
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=100))]
    top: u16,
    /// Which model; `potluck models list` shows this node's [default: the server's own]
    #[arg(long)]
    model: Option<String>,
    /// Only this node may serve (its client id)
    #[arg(long, value_name = "CLIENT")]
    peer: Option<String>,
}

/// One picture's outcome.
pub(super) struct Seen {
    pub(super) file: String,
    pub(super) outcome: Result<(Response, Reply), Failure>,
}

impl Recognize {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<ExitCode, Failure> {
        let only = peer(self.peer.as_deref())?;
        let args = protocol::encode(&Request { model: self.model.clone(), top: self.top })
            .map_err(Failure::internal)?;
        let checked: Vec<_> = self.images.iter().map(|file| (file, check(file))).collect();
        // Nobody needs to be found for files that cannot be read.
        let host = match checked.iter().any(|(_, path)| path.is_ok()) {
            true => Some(Host::find(common, &["recognize/1"]).await?),
            false => None,
        };
        let bar = output.bar(checked.len() as u64);
        let host_ref = host.as_ref();
        let ask = |(file, path): (&PathBuf, Result<PathBuf, Failure>)| {
            let call = Call {
                capability: "recognize/1".into(),
                variant: self.model.clone(),
                args: args.clone(),
                input: None,
                timeout: common.timeout.unwrap_or(PATIENCE),
                only,
                progress: None,
            };
            let bar = bar.clone();
            let file = file.display().to_string();
            async move {
                let outcome = match (path, host_ref) {
                    (Ok(path), Some(host)) => look(host, call, path).await,
                    (Ok(_), None) => Err(Failure::new(Kind::Internal, wrong::no_node())),
                    (Err(failure), _) => Err(failure),
                };
                bar.inc(1);
                bar.set_message(file.clone());
                Seen { file, outcome }
            }
        };
        let seen: Vec<Seen> = stream::iter(checked).map(ask).buffered(WINDOW).collect().await;
        bar.finish_and_clear();
        if let Some(host) = host {
            host.leave().await;
        }
        print(&seen, output, common.explain);
        let failed = seen.iter().find_map(|s| s.outcome.as_ref().err());
        Ok(failed.map_or(ExitCode::SUCCESS, |failure| failure.kind.exit_code()))
    }
}

async fn look(host: &Host, mut call: Call, path: PathBuf) -> Result<(Response, Reply), Failure> {
    call.input = Some(CallInput::File(path));
    let reply = host.call(call).await?;
    let response = protocol::decode(&reply.body).map_err(Failure::unreadable)?;
    Ok((response, reply))
}

/// What can be said of a picture before anybody is asked.
pub(super) fn check(file: &Path) -> Result<PathBuf, Failure> {
    let path = input_file(file)?;
    let size = std::fs::metadata(&path).map_or(0, |meta| meta.len());
    if size > MAX_PICTURE {
        let (name, is, most) = (file.display().to_string(), size >> 20, MAX_PICTURE >> 20);
        return Err(Failure::new(Kind::BadInput, wrong::picture_too_large(name, is, most)));
    }
    Ok(path)
}

fn print(seen: &[Seen], output: &Output, explain: bool) {
    let documents: Vec<_> = seen.iter().map(document).collect();
    output.print(&documents, || {
        seen.iter().map(|s| text(s, explain, output.lang())).collect::<Vec<_>>().join("\n")
    });
}

/// The JSON of one picture.
pub(super) fn document(seen: &Seen) -> Value {
    match &seen.outcome {
        Ok((response, reply)) => json!({
            "file": seen.file,
            "labels": response.labels.iter().map(|label| json!({
                "label": label.label,
                "index": label.index,
                "probability": label.probability,
            })).collect::<Vec<_>>(),
            "model": response.model,
            "engine": response.engine,
            "device": response.device,
            "lacks_end": response.lacks_end,
            "served_by": reply.served_by,
            "route": reply.route,
            "milliseconds": reply.milliseconds,
        }),
        Err(failure) => json!({
            "file": seen.file,
            "error": { "kind": failure.kind, "message": failure.message.english() },
            "route": failure.route,
        }),
    }
}

fn text(seen: &Seen, explain: bool, lang: Lang) -> String {
    let route = |hops: &[RouteHop]| match explain {
        true => format!("\n{}", route_text(lang, hops)),
        false => String::new(),
    };
    match &seen.outcome {
        Ok((response, reply)) => {
            let mut labels: Vec<_> = response
                .labels
                .iter()
                .map(|l| format!("  {:5.1} %  {}", l.probability * 100.0, name(l, lang)))
                .collect();
            labels.extend(response.lacks_end.then(|| format!("  {}", words::lacks_end(lang))));
            let by = words::recognized(
                lang,
                &reply.served_by.name,
                reply.milliseconds,
                &response.model,
                &response.engine,
                &response.device,
            );
            let route = route(&reply.route);
            format!("{}\n{}\n  {by}{route}", seen.file, labels.join("\n"))
        }
        Err(failure) => {
            let why = words::not_recognized(lang, failure.message.say(lang));
            format!("{}\n  {why}{}", seen.file, route(&failure.route))
        }
    }
}
