//! Faces with gender and age a second, against a Python loop over the same networks.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use potluck_models::{
    Area, Catalogue, DEFAULT_FACES, Engine, EngineChoice, EngineConfig, Face, FaceFinder, Sex,
    decode,
};
use serde::Deserialize;
use serde_json::json;

use super::{Measured, Target, python::Python, rounded};

/// One turn of one side.
const TURN: Duration = Duration::from_secs(5);

/// Where to find what is compared with.
pub struct Options {
    /// A Python that has onnxruntime, Pillow and numpy.
    pub python: PathBuf,
    /// A folder of JPEGs with faces.
    pub pictures: PathBuf,
    /// Turns that count.
    pub turns: usize,
}

/// Measures both sides in turns: from JPEG bytes to faces, one picture after the other.
pub fn run(options: &Options) -> anyhow::Result<Vec<Measured>> {
    let weights = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/weights");
    let mut python =
        Python::start(&options.python, "faces_baseline.py", [&weights, &options.pictures])?;
    let library = python.hello["library"].as_str().map(PathBuf::from);
    let choice = EngineChoice::OnnxRuntime;
    let engine = Engine::start(&EngineConfig { choice, library, ..EngineConfig::default() })?;
    let finder = FaceFinder::load(&engine, &Catalogue::open(None)?, DEFAULT_FACES)?;
    let pictures = pictures(&options.pictures)?;
    let found = pictures.iter().map(|bytes| look(&finder, bytes)).collect::<Result<Vec<_>, _>>()?;
    let theirs: Vec<Vec<Their>> = serde_json::from_value(python.hello["faces"].clone())?;
    let years_apart = same_work(&found, &theirs)?;
    let (mut ours, mut theirs) = (vec![], vec![]);
    for turn in 0..=options.turns {
        let (started, mut done) = (Instant::now(), 0usize);
        while started.elapsed() < TURN || done % pictures.len() != 0 {
            look(&finder, &pictures[done % pictures.len()])?;
            done += 1;
        }
        let our = done as f64 / started.elapsed().as_secs_f64();
        let their = python.rate("loop", TURN)?;
        if turn > 0 {
            ours.push(rounded(our));
            theirs.push(rounded(their));
        }
    }
    let ratio = ours.iter().sum::<f64>() / theirs.iter().sum::<f64>();
    let detail = json!({
        "our_pictures_per_s": ours,
        "python_pictures_per_s": theirs,
        "pictures": pictures.len(),
        "faces": found.iter().map(Vec::len).sum::<usize>(),
        "ages_apart_in_years": rounded(years_apart),
        "engine": finder.engine().engine,
    });
    let what = "pictures with faces, gender and age, against a Python loop";
    Ok(vec![Measured::new(what, ratio, "ratio", Target::AtLeast(1.0), detail)])
}

fn pictures(folder: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut files: Vec<_> = std::fs::read_dir(folder)?.flatten().map(|e| e.path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "jpg"));
    files.sort();
    ensure!(!files.is_empty(), "there is no .jpg in {}", folder.display());
    Ok(files.iter().map(std::fs::read).collect::<Result<_, _>>()?)
}

fn look(finder: &FaceFinder, bytes: &[u8]) -> anyhow::Result<Vec<Face>> {
    Ok(finder.find(&decode(bytes)?)?)
}

/// A face as the Python loop tells it.
#[derive(Deserialize)]
struct Their {
    /// Left, top, right, bottom.
    #[serde(rename = "box")]
    edges: [f32; 4],
    male: bool,
    age: f32,
}

/// Both sides must find the same faces with the same genders, and ages that are near. Gives how far
/// the ages are apart in the mean.
fn same_work(ours: &[Vec<Face>], theirs: &[Vec<Their>]) -> anyhow::Result<f64> {
    let (mut apart, mut count) = (0.0, 0usize);
    ensure!(ours.len() == theirs.len(), "{} pictures here, {} there", ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        ensure!(ours.len() == theirs.len(), "{} faces here, {} there", ours.len(), theirs.len());
        for face in ours {
            let male = face.gender.value == Sex::Male;
            let same = theirs.iter().find(|their| overlap(face, their) >= 0.7);
            let same = same.filter(|their| their.male == male);
            let same = same.with_context(|| format!("{face:?} is not there"))?;
            apart += f64::from((same.age - face.age).abs());
            count += 1;
        }
    }
    let mean = apart / count.max(1) as f64;
    ensure!(count > 0 && mean <= 2.0, "{count} faces, ages {mean} years apart");
    Ok(mean)
}

fn overlap(face: &Face, their: &Their) -> f32 {
    let [x, y, right, bottom] = their.edges;
    face.area.overlap(&Area { x, y, width: right - x, height: bottom - y })
}
