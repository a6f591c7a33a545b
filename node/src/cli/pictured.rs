//! What `detect` and `read` have in common: pictures go to one capability, several at a time, and what was found is
//! marked on copies where the person wants them.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use futures::{StreamExt as _, stream};
use potluck_i18n::Lang;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{
    Common, Failure, Kind,
    ask::peer,
    faces::upright,
    host::Host,
    output::{Output, route_text},
    recognize::check,
    targets::targets,
    words, wrong,
};
use crate::{
    client::{Call, CallInput, Reply},
    protocol,
    say::{Reason, Say as _},
    services::marks::{self, Mark},
};

/// Unless --timeout says otherwise; for each picture.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pictures under way at once.
const WINDOW: usize = 8;
/// Copies that are drawn at once.
const DRAWING: usize = 2;

/// The options of both.
#[derive(Debug, Args)]
pub(super) struct Pictures {
    /// Pictures: JPEG, PNG, WebP, BMP, GIF or TIFF
    #[arg(required = true, value_name = "IMAGE")]
    pub images: Vec<PathBuf>,
    /// Where annotated copies go: a .jpg or .png file for one picture, a folder for several
    #[arg(short, long, value_name = "OUT")]
    pub out: Option<PathBuf>,
    /// Only this node may serve (its client id)
    #[arg(long, value_name = "CLIENT")]
    pub peer: Option<String>,
}

/// What a capability answers about a picture.
pub(super) trait Answer: DeserializeOwned + Send + Sync {
    /// Its name with the version.
    const CAPABILITY: &'static str;
    /// What is marked on a copy, for the copy's name.
    const MARKED: &'static str;

    /// Columns and rows of the picture that was looked at.
    fn size(&self) -> (u32, u32);
    /// Brings what a peer said into a picture of that size.
    fn check(&mut self);
    /// What is drawn on a copy.
    fn marks(&self, lang: Lang) -> Vec<Mark>;
    /// What was found, as JSON: the key and its value.
    fn found(&self) -> (&'static str, Value);
    /// What was found, for people, a line each.
    fn lines(&self, lang: Lang) -> Vec<String>;
    /// Which model looked, what ran it, on which device.
    fn by(&self) -> [&str; 3];
}

/// One picture's outcome.
struct Seen<A> {
    file: PathBuf,
    outcome: Result<Found<A>, Failure>,
}

/// What was found on one picture.
struct Found<A> {
    answer: A,
    /// The annotated copy, or why there is none.
    copy: Option<Result<PathBuf, Reason>>,
    reply: Reply,
}

/// Asks, draws, prints.
pub(super) async fn run<A: Answer>(
    pictures: Pictures,
    common: &Common,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let only = peer(pictures.peer.as_deref())?;
    let lang = output.lang();
    let targets = targets(&pictures.images, pictures.out.as_deref(), A::MARKED)?;
    let checked: Vec<_> = pictures.images.iter().map(|file| (file.clone(), check(file))).collect();
    // Nobody needs to be found for files that cannot be read.
    let host = match checked.iter().any(|(_, path)| path.is_ok()) {
        true => Some(Host::find(common, &[A::CAPABILITY]).await?),
        false => None,
    };
    let bar = output.bar(checked.len() as u64);
    let drawing = Semaphore::new(DRAWING);
    let timeout = common.timeout.unwrap_or(PATIENCE);
    let asking = host.as_ref().map(|host| Asking { host, only, timeout, lang, drawing: &drawing });
    let asking = asking.as_ref();
    let ask = |((file, path), target)| {
        let bar = bar.clone();
        async move {
            let outcome = match (path, asking) {
                (Ok(path), Some(asking)) => asking.look::<A>(path, target).await,
                (Ok(_), None) => Err(Failure::new(Kind::Internal, wrong::no_node())),
                (Err(failure), _) => Err(failure),
            };
            bar.inc(1);
            Seen { file, outcome }
        }
    };
    let jobs = checked.into_iter().zip(targets);
    let seen: Vec<Seen<A>> = stream::iter(jobs).map(ask).buffered(WINDOW).collect().await;
    bar.finish_and_clear();
    if let Some(host) = host {
        host.leave().await;
    }
    let documents: Vec<_> = seen.iter().map(document).collect();
    output.print(&documents, || {
        let text = |seen| text(seen, lang, common.explain);
        seen.iter().map(text).collect::<Vec<_>>().join("\n")
    });
    let failed = seen.iter().find_map(|seen| match &seen.outcome {
        Err(failure) => Some(failure.kind),
        Ok(found) => matches!(found.copy, Some(Err(_))).then_some(Kind::Usage),
    });
    Ok(failed.map_or(ExitCode::SUCCESS, Kind::exit_code))
}

/// What is asked of every picture.
struct Asking<'a> {
    host: &'a Host,
    only: Option<libp2p::PeerId>,
    timeout: Duration,
    lang: Lang,
    drawing: &'a Semaphore,
}

impl Asking<'_> {
    /// Asks, and draws. What was found stays when the copy cannot be written.
    async fn look<A: Answer>(
        &self,
        path: PathBuf,
        target: Option<PathBuf>,
    ) -> Result<Found<A>, Failure> {
        let call = Call {
            capability: A::CAPABILITY.to_owned(),
            variant: None,
            args: protocol::encode(&json!({})).map_err(Failure::internal)?,
            input: Some(CallInput::File(path.clone())),
            timeout: self.timeout,
            only: self.only,
            progress: None,
        };
        let reply = self.host.call(call).await?;
        let mut answer: A = protocol::decode(&reply.body).map_err(Failure::unreadable)?;
        let (is, said) = (upright(&path).await?, answer.size());
        if is != said {
            let sides = |(width, height)| format!("{width} x {height}");
            let why = wrong::another_size(&reply.served_by.name, sides(said), sides(is));
            return Err(Failure::new(Kind::PeerFailed, why));
        }
        answer.check();
        let copy = match target {
            Some(target) => Some(self.draw(path, answer.marks(self.lang), target).await),
            None => None,
        };
        Ok(Found { answer, copy, reply })
    }

    async fn draw(
        &self,
        path: PathBuf,
        marks: Vec<Mark>,
        target: PathBuf,
    ) -> Result<PathBuf, Reason> {
        let _place = self.drawing.acquire().await.map_err(|e| e.to_string())?;
        let drawn = tokio::task::spawn_blocking(move || {
            let picture = decoded(&path)?;
            // The copy is drawn in the same pixels, and takes their place until it is saved.
            let _room = picture.room();
            marks::draw(picture, &marks)
                .and_then(|copy| marks::save(&copy, &target))
                .map_err(|e| wrong::path(&target, &e))
        });
        drawn.await.map_err(|e| e.to_string())?
    }
}

fn decoded(path: &Path) -> Result<potluck_models::Picture, Reason> {
    let bytes = std::fs::read(path).map_err(|e| e.reason())?;
    potluck_models::decode(&bytes).map_err(|e| e.reason())
}

/// The JSON of one picture.
fn document<A: Answer>(seen: &Seen<A>) -> Value {
    let file = seen.file.display().to_string();
    match &seen.outcome {
        Ok(found) => {
            let (width, height) = found.answer.size();
            let (key, what) = found.answer.found();
            let [model, engine, device] = found.answer.by();
            let copy = found.copy.as_ref();
            let mut document = json!({
                "file": file,
                "width": width,
                "height": height,
                "model": model,
                "engine": engine,
                "device": device,
                "annotated": copy.and_then(|copy| copy.as_ref().ok())
                    .map(|path| path.display().to_string()),
                "not_annotated": copy.and_then(|copy| copy.as_ref().err()).map(|why| why.english()),
                "served_by": found.reply.served_by,
                "route": found.reply.route,
                "milliseconds": found.reply.milliseconds,
            });
            document[key] = what;
            document
        }
        Err(failure) => json!({
            "file": file,
            "error": { "kind": failure.kind, "message": failure.message.english() },
            "route": failure.route,
        }),
    }
}

/// One picture, for people.
fn text<A: Answer>(seen: &Seen<A>, lang: Lang, explain: bool) -> String {
    let mut lines = vec![seen.file.display().to_string()];
    let route = match &seen.outcome {
        Err(failure) => {
            lines.push(format!("  {}", words::not_looked_at(lang, failure.message.say(lang))));
            &failure.route
        }
        Ok(found) => {
            lines.extend(found.answer.lines(lang).iter().map(|line| format!("  {line}")));
            let (name, time) = (&found.reply.served_by.name, found.reply.milliseconds);
            let [model, engine, device] = found.answer.by();
            lines.push(format!("  {}", words::recognized(lang, name, time, model, engine, device)));
            let copy = found.copy.as_ref().map(|copy| match copy {
                Ok(copy) => words::annotated(lang, copy.display().to_string()),
                Err(why) => words::not_annotated(lang, why.say(lang)),
            });
            lines.extend(copy.map(|copy| format!("  {copy}")));
            &found.reply.route
        }
    };
    if explain {
        lines.push(route_text(lang, route));
    }
    lines.join("\n")
}
