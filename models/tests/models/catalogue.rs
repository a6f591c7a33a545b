//! Adding models, and every way in which that goes wrong.

use std::fs;
use std::path::{Path, PathBuf};

use potluck_models::{
    Catalogue, Classifier, DEFAULT_MODEL, Engine, ModelError, ModelInfo, Picture,
};
use tempfile::TempDir;

use crate::engines;

/// A catalogue in a folder of its own, with a second folder for what a person would add.
struct Kitchen {
    folder: TempDir,
    catalogue: Catalogue,
    engine: Engine,
}

impl Kitchen {
    fn new(engine: Engine) -> Kitchen {
        let folder = tempfile::tempdir().unwrap();
        let catalogue = Catalogue::open(Some(&folder.path().join("models"))).unwrap();
        fs::write(folder.path().join("three.txt"), "red\ngreen\nblue\n").unwrap();
        Kitchen { folder, catalogue, engine }
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let file = self.folder.path().join(name);
        fs::write(&file, text).unwrap();
        file
    }

    fn add(&self, name: &str, onnx: &Path, manifest: &str) -> Result<ModelInfo, ModelError> {
        let manifest = self.file("m.toml", manifest);
        self.catalogue.add(&self.engine, name, onnx, Some(&manifest), None)
    }
}

fn tiny(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/tiny")
        .join(name)
        .with_extension("onnx")
}

/// The manifest of a tiny model: scores are channel means from 0 to 1.
fn manifest(more: &str) -> String {
    format!(
        "name = 'tiny'\nlabels = 'three.txt'\n[input]\nsize = 8\nstd = [255, 255, 255]\n{more}\n[output]\nsoftmax = 'apply'\n"
    )
}

fn full(rgb: [u8; 3]) -> Picture {
    Picture::from_rgb(20, 10, rgb.repeat(200)).unwrap()
}

#[test]
fn layouts_colours_and_batches() {
    for engine in engines() {
        let kitchen = Kitchen::new(engine);
        kitchen.add("rgb", &tiny("nchw-fixed"), &manifest("")).unwrap();
        kitchen.add("bgr", &tiny("nchw-fixed"), &manifest("colours = 'BGR'")).unwrap();
        kitchen.add("nhwc", &tiny("nhwc"), &manifest("layout = 'NHWC'")).unwrap();
        let names: Vec<String> =
            kitchen.catalogue.list().into_iter().map(|info| info.name).collect();
        assert_eq!(names, [DEFAULT_MODEL, "bgr", "nhwc", "rgb"]);

        for (name, red, blue) in
            [("rgb", "red", "blue"), ("nhwc", "red", "blue"), ("bgr", "blue", "red")]
        {
            let classifier = Classifier::load(&kitchen.engine, &kitchen.catalogue, name).unwrap();
            let pictures: Vec<_> = [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
                .map(|rgb| classifier.prepare(&full(rgb)).unwrap())
                .into();
            let answers = classifier.classify(&pictures, 3).unwrap();
            let best: Vec<&str> = answers.iter().map(|labels| labels[0].label.as_str()).collect();
            assert_eq!(best, [red, "green", blue], "{name}");
            // softmax of (1, 0, 0): e / (e + 2).
            assert!((answers[0][0].probability - 0.576_117).abs() < 1e-4, "{:?}", answers[0]);
            if name == "rgb" {
                assert!(!classifier.batches() || kitchen.engine.info().library.is_none());
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_with_a_reason() {
    for engine in engines() {
        let kitchen = Kitchen::new(engine);
        let text = kitchen.file("words.onnx", "these are only words, and a good many of them");
        let empty = kitchen.file("empty.onnx", "");
        let whole = fs::read(tiny("nhwc")).unwrap();
        let half = kitchen.file("half.onnx", &whole[..whole.len() / 2]);
        for file in [&text, &empty, &half] {
            let error = kitchen.add("bad", file, &manifest("")).unwrap_err();
            assert!(
                matches!(error, ModelError::NotOnnx { .. } | ModelError::WrongShape { .. }),
                "{}: {error:?}",
                file.display()
            );
        }
        let cases = [
            ("nhwc", manifest(""), "the shape [?, 8, 8, 3]"),
            ("nchw-fixed", manifest("").replace("size = 8", "size = 9"), "[N, 3, 9, 9]"),
            ("nchw-fixed", manifest("name = 'data'"), "no input \"data\"; its inputs are: x"),
            ("two-outputs", manifest(""), "there are: y, z"),
            ("two-inputs", manifest("name = 'x'"), "2 inputs (x, w)"),
            ("nchw-fixed", manifest("") + "name = 'prob'\n", "no output \"prob\""),
        ];
        for (file, manifest, words) in cases {
            let error = kitchen.add("bad", &tiny(file), &manifest).unwrap_err();
            assert!(matches!(error, ModelError::WrongShape { .. }), "{file}: {error:?}");
            assert!(error.to_string().contains(words), "{file}: {error}");
        }
        let error = kitchen
            .add("bad", &tiny("nchw-fixed"), &manifest("").replace("three.txt", "imagenet"))
            .unwrap_err();
        assert!(
            matches!(error, ModelError::WrongLabels { labels: 1000, outputs: 3, .. }),
            "{error:?}"
        );
        assert_eq!(kitchen.catalogue.list().len(), 1, "nothing was added");
        assert!(!kitchen.folder.path().join("models").exists(), "nothing was left behind");
        // The named output of two is fine.
        kitchen.add("y", &tiny("two-outputs"), &(manifest("") + "name = 'z'\n")).unwrap();
    }
}

#[test]
fn a_model_has_to_do_what_its_manifest_says() {
    for engine in engines() {
        let kitchen = Kitchen::new(engine);
        // Means of channels are no probabilities.
        let already = manifest("").replace("'apply'", "'already'");
        let error = kitchen.add("bad", &tiny("nchw-fixed"), &already).unwrap_err();
        assert!(matches!(error, ModelError::Untrue { .. }), "{error:?}");
        assert!(error.to_string().contains("softmax = \"apply\""), "{error}");
        assert_eq!(kitchen.catalogue.list().len(), 1, "nothing was added");
    }
}

#[test]
fn a_hash_that_is_named_is_checked() {
    let kitchen = Kitchen::new(engines().remove(0));
    let named = |hash: &str| format!("sha256 = '{hash}'\n{}", manifest("layout = 'NHWC'"));
    let error = kitchen.add("m", &tiny("nhwc"), &named(&"0".repeat(64))).unwrap_err();
    let ModelError::OtherFile { found, .. } = error else { panic!("{error:?}") };
    kitchen.add("m", &tiny("nhwc"), &named(&found.to_uppercase())).unwrap();
    // The known ones are known by theirs.
    for name in ["googlenet", "yunet"] {
        let (catalogue, onnx) = (&kitchen.catalogue, tiny("nhwc"));
        let error = catalogue.add(&kitchen.engine, name, &onnx, None, None).unwrap_err();
        assert!(matches!(error, ModelError::OtherFile { .. }), "{name}: {error:?}");
    }
}

#[test]
fn what_was_added_can_be_removed() {
    let kitchen = Kitchen::new(engines().remove(0));
    kitchen.add("mine", &tiny("nhwc"), &manifest("layout = 'NHWC'")).unwrap();
    for name in [DEFAULT_MODEL, "mtcnn-blazeface"] {
        assert_eq!(kitchen.catalogue.remove(name), Err(ModelError::Bundled(name.into())));
    }
    for name in ["other", "../models", "", "."] {
        let error = kitchen.catalogue.remove(name).unwrap_err();
        assert!(matches!(error, ModelError::Unknown { .. }), "{error:?}");
    }
    kitchen.catalogue.remove("mine").unwrap();
    assert_eq!(kitchen.catalogue.list().len(), 1);
    assert_eq!(fs::read_dir(kitchen.folder.path().join("models")).unwrap().count(), 0);
    kitchen.add("mine", &tiny("nhwc"), &manifest("layout = 'NHWC'")).unwrap();
}

#[test]
fn names_and_manifests_are_checked_first() {
    let kitchen = Kitchen::new(engines().remove(0));
    let onnx = tiny("nhwc");
    for name in ["../up", "", "A", ".hidden"] {
        let error = kitchen.add(name, &onnx, &manifest("")).unwrap_err();
        assert!(matches!(error, ModelError::BadName { .. }), "{error:?}");
    }
    let error = kitchen.add(DEFAULT_MODEL, &onnx, &manifest("")).unwrap_err();
    assert!(matches!(error, ModelError::Taken { .. }), "{error:?}");
    let error = kitchen.add("m", &onnx, "name = 'm'\nsize = 3\n").unwrap_err();
    assert!(
        error.to_string().contains("m.toml") && error.to_string().contains("line 2"),
        "{error}"
    );
    let error = kitchen.add("m", Path::new("/nowhere/m.onnx"), &manifest("")).unwrap_err();
    assert!(matches!(error, ModelError::Io { .. }), "{error:?}");
    let error = kitchen.add("m", kitchen.folder.path(), &manifest("")).unwrap_err();
    assert!(error.to_string().contains("not a file"), "{error}");
    let error = kitchen.catalogue.add(&kitchen.engine, "m", &onnx, None, None).unwrap_err();
    assert!(error.to_string().contains("googlenet"), "{error}");
    let error =
        Catalogue::open(None).unwrap().add(&kitchen.engine, "m", &onnx, None, None).unwrap_err();
    assert_eq!(error, ModelError::NoFolder);
}

#[test]
fn unknown_and_changed_models_say_so() {
    let kitchen = Kitchen::new(engines().remove(0));
    let labels = kitchen.folder.path().join("three.txt");
    let toml =
        kitchen.file("n.toml", manifest("layout = 'NHWC'").replace("labels = 'three.txt'", ""));
    let add = |name| {
        kitchen.catalogue.add(&kitchen.engine, name, &tiny("nhwc"), Some(&toml), Some(&labels))
    };
    add("mine").unwrap();
    assert!(matches!(add("mine").unwrap_err(), ModelError::Taken { .. }));

    let load = |name| Classifier::load(&kitchen.engine, &kitchen.catalogue, name);
    for name in ["other", "../mine", ""] {
        let error = load(name).unwrap_err();
        assert!(error.is_caller_error());
        assert!(error.to_string().contains("efficientnet-lite0, mine"), "{error}");
    }
    assert_eq!(load("mine").unwrap().classes(), 3);
    let stored = kitchen.folder.path().join("models/mine/model.onnx");
    fs::write(&stored, fs::read(tiny("nchw-fixed")).unwrap()).unwrap();
    assert!(matches!(load("mine").unwrap_err(), ModelError::Changed { .. }));

    // A folder without a manifest is no model; a broken manifest is left out of the list and explained by load.
    fs::create_dir(kitchen.folder.path().join("models/stray")).unwrap();
    fs::write(kitchen.folder.path().join("models/mine/manifest.toml"), "name = ").unwrap();
    assert_eq!(kitchen.catalogue.list().len(), 1);
    assert!(matches!(load("mine").unwrap_err(), ModelError::Manifest { .. }));
}
