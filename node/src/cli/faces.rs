//! `potluck faces`: faces on pictures, found in the mesh or through Face++.

mod annotate;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Args, ValueEnum};
use futures::{StreamExt as _, stream};
use potluck_analysis::Lang;
use serde_json::{Value, json};

use super::{
    Common, Failure, Kind,
    ask::peer,
    files::system_language,
    host::Host,
    output::{Output, route_text},
    recognize::check,
};
use crate::{
    client::{Call, CallInput, Reply, RouteHop},
    config::Config,
    data_dir::DataDir,
    protocol,
    services::{
        face::{Face, Sex},
        facepp, faces,
    },
};

/// Unless --timeout says otherwise; for each picture.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pictures under way at once.
const WINDOW: usize = 8;

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
    /// The language of labels: en or zh [default: that of the system]
    #[arg(long)]
    lang: Option<String>,
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
    annotated: Option<PathBuf>,
    reply: Reply,
}

impl Faces {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<ExitCode, Failure> {
        let only = peer(self.peer.as_deref())?;
        let lang = match &self.lang {
            Some(text) => text.parse::<Lang>().map_err(Failure::usage)?,
            None => system_language(),
        };
        let targets = self.targets()?;
        let ways = self.ways(common)?;
        let checked: Vec<_> = self.images.iter().map(|file| (file.clone(), check(file))).collect();
        let host = match checked.iter().any(|(_, path)| path.is_ok()) {
            true => Some(Host::find(common, ways).await?),
            false => None,
        };
        let bar = output.bar(checked.len() as u64);
        let host_ref = host.as_ref();
        let timeout = common.timeout.unwrap_or(PATIENCE);
        let ask = |((file, path), target)| {
            let bar = bar.clone();
            async move {
                let outcome = match (path, host_ref) {
                    (Ok(path), Some(host)) => {
                        look(host, ways, path, only, timeout, target, lang).await
                    }
                    (Ok(_), None) => Err(Failure::internal("there is no node")),
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
            seen.iter().map(|s| text(s, common.explain)).collect::<Vec<_>>().join("\n")
        });
        let failed = seen.iter().find_map(|s| s.outcome.as_ref().err());
        Ok(failed.map_or(ExitCode::SUCCESS, |failure| failure.kind.exit_code()))
    }

    /// The capabilities to ask, in order.
    fn ways(&self, common: &Common) -> Result<&'static [&'static str], Failure> {
        Ok(match self.via {
            Via::Local => &["faces/1"],
            Via::Facepp => &["facepp/1"],
            Via::Auto => {
                let data_dir = DataDir::open(common.data_dir())?;
                match Config::load(&data_dir.config_file())?.faces.cloud {
                    true => &["facepp/1", "faces/1"],
                    false => &["faces/1"],
                }
            }
        })
    }

    /// Where the annotated copy of each picture goes.
    fn targets(&self) -> Result<Vec<Option<PathBuf>>, Failure> {
        let Some(out) = &self.out else { return Ok(vec![None; self.images.len()]) };
        let is_picture = |path: &Path| {
            let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
            matches!(ending.as_deref(), Some("jpg" | "jpeg" | "png"))
        };
        if self.images.len() == 1 && is_picture(out) && !out.is_dir() {
            return Ok(vec![Some(out.clone())]);
        }
        if is_picture(out) && !out.is_dir() {
            return Err(Failure::usage("several pictures need a folder: -o FOLDER"));
        }
        std::fs::create_dir_all(out).map_err(|e| {
            Failure::usage(format!("the folder {} cannot be made: {e}", out.display()))
        })?;
        let mut taken = std::collections::HashSet::new();
        let name = |file: &PathBuf| {
            let stem = file.file_stem().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
            let mut name = format!("{stem}-faces.jpg");
            let mut number = 2;
            while !taken.insert(name.clone()) {
                name = format!("{stem}-faces-{number}.jpg");
                number += 1;
            }
            Some(out.join(name))
        };
        Ok(self.images.iter().map(name).collect())
    }
}

/// Asks each way in turn, and draws.
async fn look(
    host: &Host,
    ways: &[&'static str],
    path: PathBuf,
    only: Option<libp2p::PeerId>,
    timeout: Duration,
    target: Option<PathBuf>,
    lang: Lang,
) -> Result<Found, Failure> {
    let mut last = Failure::internal("nobody was asked");
    let mut tried = Vec::new();
    for way in ways {
        match ask(host, way, &path, only, timeout).await {
            Ok(mut found) => {
                tried.append(&mut found.reply.route);
                found.reply.route = tried;
                if let Some(target) = target {
                    found.annotated = Some(draw(path, &found, target, lang).await?);
                }
                return Ok(found);
            }
            // The picture is no better elsewhere.
            Err(failure) if failure.kind == Kind::BadInput => return Err(failure),
            Err(mut failure) => {
                tried.append(&mut failure.route);
                last = failure;
            }
        }
    }
    last.route = tried;
    Err(last)
}

async fn ask(
    host: &Host,
    way: &'static str,
    path: &Path,
    only: Option<libp2p::PeerId>,
    timeout: Duration,
) -> Result<Found, Failure> {
    let args = match way {
        "facepp/1" => protocol::encode(&facepp::Request::default()),
        _ => protocol::encode(&faces::Request::default()),
    };
    let call = Call {
        capability: way.to_owned(),
        variant: None,
        args: args.map_err(Failure::internal)?,
        input: Some(CallInput::File(path.to_owned())),
        timeout,
        only,
        progress: None,
    };
    let reply = host.call(call).await?;
    let (source, faces, size) = if way == "facepp/1" {
        let found: facepp::Response = protocol::decode(&reply.body).map_err(Failure::unreadable)?;
        ("facepp", found.faces, (found.width, found.height))
    } else {
        let found: faces::Response = protocol::decode(&reply.body).map_err(Failure::unreadable)?;
        ("local", found.faces, (found.width, found.height))
    };
    Ok(Found { faces, size, source, annotated: None, reply })
}

async fn draw(
    path: PathBuf,
    found: &Found,
    target: PathBuf,
    lang: Lang,
) -> Result<PathBuf, Failure> {
    let faces = found.faces.clone();
    let drawn = tokio::task::spawn_blocking(move || {
        let unreadable = |e: &dyn std::fmt::Display| Failure::new(Kind::BadInput, e.to_string());
        let bytes = std::fs::read(&path).map_err(|e| unreadable(&e))?;
        let picture = potluck_models::decode(&bytes).map_err(|e| unreadable(&e))?;
        annotate::annotate(&picture, &faces, lang)
            .and_then(|copy| annotate::save(&copy, &target))
            .map_err(|e| {
                let text = format!("the copy {} cannot be written: {e}", target.display());
                Failure::usage(text)
            })?;
        Ok(target)
    });
    drawn.await.map_err(Failure::internal)?
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
            "annotated": found.annotated.as_ref().map(|path| path.display().to_string()),
            "served_by": found.reply.served_by,
            "route": found.reply.route,
            "milliseconds": found.reply.milliseconds,
        }),
        Err(failure) => json!({
            "file": file,
            "error": { "kind": failure.kind, "message": failure.message },
            "route": failure.route,
        }),
    }
}

fn text(seen: &Seen, explain: bool) -> String {
    let route = |hops: &[RouteHop]| match explain {
        true => format!("\n{}", route_text(hops)),
        false => String::new(),
    };
    let file = seen.file.display();
    let found = match &seen.outcome {
        Ok(found) => found,
        Err(failure) => {
            return format!(
                "{file}\n  not looked at: {}{}",
                failure.message,
                route(&failure.route)
            );
        }
    };
    let mut lines = vec![file.to_string()];
    if found.faces.is_empty() {
        lines.push("  No face in the picture".to_owned());
    }
    lines.extend(found.faces.iter().map(|face| format!("  {}", line(face))));
    let via = if found.source == "facepp" { " through Face++" } else { "" };
    lines.push(format!(
        "  by {}{via} in {} ms",
        found.reply.served_by.name, found.reply.milliseconds
    ));
    if let Some(copy) = &found.annotated {
        lines.push(format!("  annotated: {}", copy.display()));
    }
    lines.join("\n") + &route(&found.reply.route)
}

fn line(face: &Face) -> String {
    let at = &face.frame;
    let mut parts = Vec::new();
    if let Some(gender) = &face.gender {
        let word = match gender.value {
            Sex::Male => "male",
            Sex::Female => "female",
        };
        parts.push(match gender.confidence {
            Some(sure) => format!("{word} ({:.0} %)", sure * 100.0),
            None => word.to_owned(),
        });
    }
    if let Some(age) = &face.age {
        parts.push(format!("about {:.0}", age.years));
    }
    if let Some(beauty) = &face.beauty {
        parts.push(format!(
            "beauty {:.0} to men, {:.0} to women",
            beauty.male_score, beauty.female_score
        ));
    }
    parts.push(format!("at {:.0},{:.0} of {:.0}x{:.0}", at.x, at.y, at.width, at.height));
    parts.join(", ")
}
