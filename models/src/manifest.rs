//! The TOML manifest that says how a picture becomes a model's input and what its output means.

use serde::{Deserialize, Serialize};

/// The largest input side that is accepted, in pixels.
const MAX_SIZE: u32 = 2048;

/// Everything that is needed to use an ImageNet-style ONNX classifier, or a face detector of a known kind.
/// `models/README.md` shows a whole one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Lower-case name, also the name of its folder.
    pub name: String,
    /// Licence of the weights.
    #[serde(default = "unknown")]
    pub licence: String,
    /// Where the weights come from.
    #[serde(default = "unknown")]
    pub source: String,
    /// SHA-256 of the ONNX file in hexadecimal. Written by `models add`, which checks one that is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// What the model does.
    #[serde(default)]
    pub task: Task,
    /// How a face detector's outputs are read; only with `task = "faces"`, which takes `input.size` from the
    /// manifest and knows the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detector: Option<Detector>,
    /// `imagenet` for the built-in list of 1,000 names, or a text file beside the manifest with one label a line.
    #[serde(default = "imagenet")]
    pub labels: String,
    /// What goes in.
    pub input: Input,
    /// What comes out.
    #[serde(default)]
    pub output: Output,
}

/// How a picture becomes the input: the centre square is cut out and resized to `size` x `size`, then each
/// channel value x in 0..=255 becomes `(x - mean) / std`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Name of the input; not needed when there is only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Side of the square input in pixels.
    pub size: u32,
    /// Order of the dimensions.
    #[serde(default)]
    pub layout: Layout,
    /// Order of the colour channels.
    #[serde(default)]
    pub colours: Colours,
    /// Subtracted from each channel, on the scale 0 to 255, in the order of `colours`.
    #[serde(default)]
    pub mean: [f32; 3],
    /// Divides each channel, on the scale 0 to 255, in the order of `colours`.
    #[serde(default = "ones")]
    pub std: [f32; 3],
    /// Share of the shorter side that is kept, 0 to 1; without `crop` and `resize` all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<f32>,
    /// The other way to say it: the shorter side is resized to this many pixels, of which the centre
    /// `size` are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resize: Option<u32>,
    /// The filter for resizing.
    #[serde(default)]
    pub interpolation: Interpolation,
}

/// What the output means: one number for each label.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Name of the output; not needed when there is only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether the numbers are probabilities already.
    #[serde(default)]
    pub softmax: Softmax,
}

/// What a model does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Gives labels for a picture.
    #[default]
    Labels,
    /// Finds faces in a picture.
    Faces,
}

/// Face detectors whose outputs are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Detector {
    /// YuNet with twelve outputs, `cls_8` to `kps_32`.
    Yunet,
}

/// Order of the input's dimensions: N pictures, C channels, H rows, W columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Layout {
    /// Channel by channel, as PyTorch and Caffe.
    #[default]
    #[serde(rename = "NCHW")]
    Nchw,
    /// Pixel by pixel, as TensorFlow.
    #[serde(rename = "NHWC")]
    Nhwc,
}

/// Order of the colour channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Colours {
    /// Red first.
    #[default]
    #[serde(rename = "RGB")]
    Rgb,
    /// Blue first, as Caffe and OpenCV.
    #[serde(rename = "BGR")]
    Bgr,
}

/// The filter for resizing; each is widened when the picture shrinks, as Pillow does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// The nearest pixel.
    Nearest,
    /// Triangle filter.
    #[default]
    Bilinear,
    /// Catmull-Rom, which is Pillow's `BICUBIC`.
    Bicubic,
    /// Lanczos with three lobes.
    Lanczos3,
}

/// Whether the model ends in a softmax.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Softmax {
    /// The outputs are probabilities.
    #[default]
    Already,
    /// The outputs are scores; the softmax is applied here.
    Apply,
}

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// One sentence that names the line or the field.
    pub fn parse(text: &str) -> Result<Manifest, String> {
        let manifest: Manifest = toml::from_str(text)
            .map_err(|error| error.to_string().trim_end().replace('\n', "\n  "))?;
        manifest.check()?;
        Ok(manifest)
    }

    /// The manifest as TOML text.
    pub(crate) fn to_toml(&self) -> Result<String, String> {
        toml::to_string(self).map_err(|error| error.to_string())
    }

    fn check(&self) -> Result<(), String> {
        check_name(&self.name)?;
        match (self.task, self.detector) {
            (Task::Faces, None) => return Err("task = \"faces\" needs detector = \"yunet\"".into()),
            (Task::Labels, Some(_)) => return Err("detector is only for task = \"faces\"".into()),
            _ => {}
        }
        let labels = &self.labels;
        if labels.is_empty() || labels.starts_with('.') || labels.contains(['/', '\\', ':', '\0']) {
            return Err(format!(
                "labels is {labels:?}; it must be the name of a file beside the manifest, or \"imagenet\" (`--labels` takes a file from anywhere)"
            ));
        }
        let input = &self.input;
        if input.size == 0 || input.size > MAX_SIZE {
            return Err(format!("input.size is {}; it must be 1 to {MAX_SIZE}", input.size));
        }
        if input.mean.iter().any(|mean| !mean.is_finite()) {
            return Err("input.mean must be three finite numbers".into());
        }
        if input.std.iter().any(|std| !std.is_finite() || *std == 0.0) {
            return Err("input.std must be three finite numbers other than 0".into());
        }
        match (input.crop, input.resize) {
            (Some(_), Some(_)) => Err("give input.crop or input.resize, not both".into()),
            (Some(crop), None) if !(crop > 0.0 && crop <= 1.0) => {
                Err(format!("input.crop is {crop}; it must be above 0 and at most 1"))
            }
            (None, Some(resize)) if resize < input.size => {
                Err(format!("input.resize is {resize}, less than input.size ({})", input.size))
            }
            _ => Ok(()),
        }
    }
}

impl Input {
    /// Share of the shorter side that is kept, above 0 and at most 1.
    pub(crate) fn kept(&self) -> f64 {
        match (self.crop, self.resize) {
            (Some(crop), _) => f64::from(crop),
            (None, Some(resize)) => f64::from(self.size) / f64::from(resize),
            (None, None) => 1.0,
        }
    }
}

/// A name that is safe as a folder name everywhere.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let fine =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    // A dot at the end is dropped by Windows.
    if starts && name.len() <= 64 && name.chars().all(fine) && !name.ends_with('.') {
        Ok(())
    } else {
        Err(format!(
            "{name:?} cannot be a model's name: use 1 to 64 of a-z, 0-9, '-', '_' and '.', beginning with a letter or digit"
        ))
    }
}

fn unknown() -> String {
    "unknown".into()
}

fn imagenet() -> String {
    "imagenet".into()
}

fn ones() -> [f32; 3] {
    [1.0; 3]
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "name = 'm'\n[input]\nsize = 224\n";

    #[test]
    fn defaults_are_those_of_the_documentation() {
        let manifest = Manifest::parse(SMALL).unwrap();
        assert_eq!(manifest.input.layout, Layout::Nchw);
        assert_eq!(manifest.input.std, [1.0; 3]);
        assert_eq!(manifest.labels, "imagenet");
        assert_eq!(manifest.input.kept(), 1.0);
        let again = Manifest::parse(&manifest.to_toml().unwrap()).unwrap();
        assert_eq!(again, manifest);
    }

    #[test]
    fn errors_name_the_field() {
        for (extra, word) in [
            ("std = [1, 0, 1]", "input.std"),
            ("mean = [nan, 0, 1]", "input.mean"),
            ("crop = 1.5", "input.crop"),
            ("crop = 0.5\nresize = 256", "not both"),
            ("resize = 100", "input.resize"),
            ("layout = 'CHW'", "CHW"),
            ("colour = 'RGB'", "unknown field"),
            ("mean = [1, 2]", "line 4"),
        ] {
            let error = Manifest::parse(&format!("{SMALL}{extra}\n")).unwrap_err();
            assert!(error.contains(word), "{extra}: {error}");
        }
        for (extra, word) in
            [("task = 'faces'", "needs detector"), ("detector = 'yunet'", "only for task")]
        {
            let error = Manifest::parse(&SMALL.replace("[input]", &format!("{extra}\n[input]")))
                .unwrap_err();
            assert!(error.contains(word), "{extra}: {error}");
        }
        for labels in ["/etc/passwd", "../x.txt", "a/b.txt", "C:x", "", ".."] {
            let toml = SMALL.replace("[input]", &format!("labels = '{labels}'\n[input]"));
            assert!(Manifest::parse(&toml).unwrap_err().contains("labels is"), "{labels}");
        }
        assert!(Manifest::parse("name = 'm'").unwrap_err().contains("input"));
        assert!(Manifest::parse(&SMALL.replace("224", "0")).unwrap_err().contains("input.size"));
    }

    #[test]
    fn names_cannot_leave_the_folder() {
        for bad in ["", "..", ".hidden", "a/b", "a\\b", "A", "a b", "a.", "é", &"x".repeat(65)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
        for good in ["googlenet", "efficientnet-lite0", "a.b_c", "7"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
    }
}
