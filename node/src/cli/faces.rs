//! `potluck faces`: faces on pictures, found in the mesh or through Face++.

mod targets;
mod text;

pub(super) use text::line;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Args, ValueEnum};
use futures::{StreamExt as _, stream};
use potluck_i18n::Lang;
use serde_json::{Value, json};
use tokio::{sync::Semaphore, time::Instant};

use super::{
    Common, Failure, Kind, ask::peer, host::Host, output::Output, recognize::check, words, wrong,
};
use crate::{
    client::{Call, CallInput, Reply},
    config::Config,
    data_dir::DataDir,
    protocol,
    say::{Reason, Say as _},
    services::{
        face::{Face, annotate},
        facepp, faces,
    },
};

/// Unless --timeout says otherwise; for each picture.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pictures under way at once.
const WINDOW: usize = 8;
/// Copies that are drawn at once.
const DRAWING: usize = 2;
/// The way through the cloud.
const FACEPP: &str = "facepp/1";

/// The options of `faces`.
#[derive(Debug, Args)]
#[command(
    after_help = "A picture leaves the local network only with --via facepp, or with --via auto \
    where your own settings say [faces] cloud = true."
)]
pub struct Faces {
    /// Pictures: JPEG, PNG, WebP, BMP, GIF or TIFF
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
    /// Where annotated copies go: a .jpg or .png file for one picture, a folder for several
    #[arg(short, long, value_name = "OUT")]
    out: Option<PathBuf>,
    /// Who looks: a node of the mesh, or the Face++ cloud through a node that has a key
    #[arg(long, value_enum, default_value_t = Via::Auto)]
    via: Via,
    /// Only this node may serve (its client id)
    #[arg(long, value_name = "CLIENT")]
    peer: Option<String>,
}

/// Who looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Via {
    /// A node of the mesh; no picture leaves it
    Local,
    /// The Face++ cloud
    Facepp,
    /// Face++ first where the settings allow it, a node otherwise
    Auto,
}

/// One picture's outcome.
struct Seen {
    file: PathBuf,
    outcome: Result<Found, Failure>,
}

/// What was found on one picture.
struct Found {
    faces: Vec<Face>,
    size: (u32, u32),
    source: &'static str,
    /// Whether the file is a JPEG without its end marker.
    lacks_end: bool,
    /// The annotated copy, or why there is none.
    copy: Option<Result<PathBuf, Reason>>,
    reply: Reply,
}

impl Faces {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<ExitCode, Failure> {
        let only = peer(self.peer.as_deref())?;
        let lang = output.lang();
        let targets = targets::targets(&self.images, self.out.as_deref())?;
        let ways = self.ways(common)?;
        let checked: Vec<_> = self.images.iter().map(|file| (file.clone(), check(file))).collect();
        let host = match checked.iter().any(|(_, path)| path.is_ok()) {
            true => Some(Host::find(common, ways).await?),
            false => None,
        };
        let bar = output.bar(checked.len() as u64);
        let timeout = common.timeout.unwrap_or(PATIENCE);
        let drawing = || Semaphore::new(DRAWING);
        let asking = host.as_ref().map(|host| Asking {
            host,
            ways,
            only,
            timeout,
            lang,
            drawing: drawing(),
        });
        let asking = asking.as_ref();
        let ask = |((file, path), target)| {
            let bar = bar.clone();
            async move {
                let outcome = match (path, asking) {
                    (Ok(path), Some(asking)) => asking.look(path, target).await,
                    (Ok(_), None) => Err(Failure::new(Kind::Internal, wrong::no_node())),
                    (Err(failure), _) => Err(failure),
                };
                bar.inc(1);
                Seen { file, outcome }
            }
        };
        let jobs = checked.into_iter().zip(targets);
        let seen: Vec<Seen> = stream::iter(jobs).map(ask).buffered(WINDOW).collect().await;
        bar.finish_and_clear();
        if let Some(host) = host {
            host.leave().await;
        }
        let documents: Vec<_> = seen.iter().map(document).collect();
        output.print(&documents, || {
            let text = |seen| text::text(seen, lang, common.explain);
            seen.iter().map(text).collect::<Vec<_>>().join("\n")
        });
        let failed = seen.iter().find_map(|s| match &s.outcome {
            Err(failure) => Some(failure.kind),
            Ok(found) => matches!(found.copy, Some(Err(_))).then_some(Kind::Usage),
        });
        Ok(failed.map_or(ExitCode::SUCCESS, Kind::exit_code))
    }

    /// The capabilities to ask, in order.
    fn ways(&self, common: &Common) -> Result<&'static [&'static str], Failure> {
        Ok(match self.via {
            Via::Local => &["faces/1"],
            Via::Facepp => &[FACEPP],
            Via::Auto => {
                let data_dir = DataDir::open(common.data_dir())?;
                match Config::load(&data_dir.config_file())?.section::<faces::Options>().cloud {
                    true => &[FACEPP, "faces/1"],
                    false => &["faces/1"],
                }
            }
        })
    }
}

/// What is asked of every picture.
struct Asking<'a> {
    host: &'a Host,
    /// Capabilities, in order.
    ways: &'a [&'static str],
    only: Option<libp2p::PeerId>,
    /// For one picture, however many ways are tried.
    timeout: Duration,
    lang: Lang,
    /// Copies that are drawn at once: each takes the memory of its picture twice.
    drawing: Semaphore,
}

impl Asking<'_> {
    /// Asks each way in turn, and draws. What was found stays when the copy cannot be written.
    async fn look(&self, path: PathBuf, target: Option<PathBuf>) -> Result<Found, Failure> {
        let until = Instant::now() + self.timeout;
        let mut failures: Vec<Failure> = Vec::new();
        let mut tried = Vec::new();
        for (number, way) in self.ways.iter().enumerate() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            // A way that gives no answer leaves time for those after it.
            let ways = u32::try_from(self.ways.len() - number).unwrap_or(1);
            match self.ask(way, &path, left / ways).await {
                Ok(mut found) => {
                    tried.append(&mut found.reply.route);
                    found.reply.route = tried;
                    if let Some(target) = target {
                        found.copy = Some(self.draw(path, &found, target).await);
                    }
                    return Ok(found);
                }
                Err(mut failure) => {
                    tried.append(&mut failure.route);
                    failures.push(failure);
                }
            }
        }
        let Some(mut last) = failures.pop() else {
            return Err(Failure::new(Kind::TimedOut, wrong::no_time()));
        };
        // What the cloud said is worth knowing, too.
        for earlier in failures {
            last.message = wrong::before_that(last.message, earlier.message);
        }
        last.route = tried;
        Err(last)
    }

    async fn ask(
        &self,
        way: &'static str,
        path: &Path,
        timeout: Duration,
    ) -> Result<Found, Failure> {
        let through_cloud = way == FACEPP;
        let args = match through_cloud {
            true => protocol::encode(&facepp::Request { landmarks: true, ..Default::default() }),
            false => protocol::encode(&faces::Request::default()),
        };
        let call = Call {
            capability: way.to_owned(),
            variant: None,
            args: args.map_err(Failure::internal)?,
            input: Some(CallInput::File(path.to_owned())),
            timeout,
            only: self.only,
            progress: None,
        };
        let reply = self.host.call(call).await?;
        let (source, faces, size, lacks_end) = if through_cloud {
            let found: facepp::Response =
                protocol::decode(&reply.body).map_err(Failure::unreadable)?;
            ("facepp", found.faces, (found.width, found.height), false)
        } else {
            let found: faces::Response =
                protocol::decode(&reply.body).map_err(Failure::unreadable)?;
            ("local", found.faces, (found.width, found.height), found.lacks_end)
        };
        let is = upright(path).await?;
        if is != size {
            let sides = |(width, height)| format!("{width} x {height}");
            let why = wrong::another_size(&reply.served_by.name, sides(size), sides(is));
            return Err(Failure::new(Kind::PeerFailed, why));
        }
        let faces = Face::checked(faces, size);
        Ok(Found { faces, size, source, lacks_end, copy: None, reply })
    }

    async fn draw(&self, path: PathBuf, found: &Found, target: PathBuf) -> Result<PathBuf, Reason> {
        let _place = self.drawing.acquire().await.map_err(|e| e.to_string())?;
        let (faces, lang) = (found.faces.clone(), self.lang);
        let drawn = tokio::task::spawn_blocking(move || {
            let bytes = std::fs::read(&path).map_err(|e| e.reason())?;
            let picture = potluck_models::decode(&bytes).map_err(|e| e.reason())?;
            drop(bytes);
            // The copy is drawn in the same pixels, and takes their place until it is saved.
            let _room = picture.room();
            annotate::annotate(picture, &faces, lang)
                .and_then(|copy| annotate::save(&copy, &target))
                .map_err(|e| wrong::path(&target, &e))
        });
        drawn.await.map_err(|e| e.to_string())?
    }
}

/// Columns and rows of a picture as everybody counts them.
async fn upright(path: &Path) -> Result<(u32, u32), Failure> {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let bytes = std::fs::read(&path).map_err(|e| e.reason())?;
        potluck_models::dimensions(&bytes).map_err(|e| e.reason())
    });
    let size = read.await.map_err(Failure::internal)?;
    size.map_err(|why| Failure::new(Kind::BadInput, why))
}

/// The JSON of one picture.
fn document(seen: &Seen) -> Value {
    let file = seen.file.display().to_string();
    match &seen.outcome {
        Ok(found) => json!({
            "file": file,
            "width": found.size.0,
            "height": found.size.1,
            "faces": found.faces,
            "source": found.source,
            "lacks_end": found.lacks_end,
            "annotated": found.copy.as_ref().and_then(|copy| copy.as_ref().ok())
                .map(|path| path.display().to_string()),
            "not_annotated": found.copy.as_ref().and_then(|copy| copy.as_ref().err()).map(|why| why.english()),
            "served_by": found.reply.served_by,
            "route": found.reply.route,
            "milliseconds": found.reply.milliseconds,
        }),
        Err(failure) => json!({
            "file": file,
            "error": { "kind": failure.kind, "message": failure.message.english() },
            "route": failure.route,
        }),
    }
}
