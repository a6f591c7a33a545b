//! One loaded classifier: picture in, labels with probabilities out.

use std::time::{Duration, Instant};

use fast_image_resize as resize;
use serde::{Deserialize, Serialize};

use crate::catalogue::{Catalogue, ModelError, Parts};
use crate::engine::{Engine, EngineInfo};
use crate::manifest::{Colours, Interpolation, Layout, Manifest, Softmax};
use crate::picture::{Picture, decode};
use crate::samples::samples;
use crate::session::{Session, Wanted};

/// One answer for a picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// The class in words, like `tabby, tabby cat`.
    pub label: String,
    /// The class's place in the output, from 0.
    pub index: usize,
    /// 0 to 1.
    pub probability: f32,
}

/// A picture as the model takes it. Belongs to the classifier that prepared it.
#[derive(Clone, Debug)]
pub struct Prepared {
    values: Vec<f32>,
}

/// A model loaded into an engine. Shared between threads in an `Arc`; runs one batch at a time.
pub struct Classifier {
    session: Session,
    manifest: Manifest,
    labels: Vec<String>,
    engine: EngineInfo,
}

/// How long one size is tried in [`Classifier::best_batch`], unless one batch takes longer.
const MEASURE_BATCH: Duration = Duration::from_millis(80);
/// How far a probability, and the sum of all, may be off by rounding and quantisation.
const ROUNDING: f32 = 0.01;
const SUM: f32 = 0.05;
/// A bigger batch must save this share of the time, or answers wait for nothing.
const WORTH: f64 = 0.95;

impl Classifier {
    /// Loads the model `name` of the catalogue and runs it once.
    ///
    /// # Errors
    /// [`ModelError`]; an unknown name lists the models that exist.
    pub fn load(
        engine: &Engine,
        catalogue: &Catalogue,
        name: &str,
    ) -> Result<Classifier, ModelError> {
        Classifier::from_parts(engine, catalogue.parts(name)?)
    }

    pub(crate) fn from_parts(engine: &Engine, parts: Parts) -> Result<Classifier, ModelError> {
        let Parts { manifest, labels, onnx } = parts;
        let size = manifest.input.size as usize;
        let output = manifest.output.name.as_deref();
        let wanted = Wanted {
            input: manifest.input.name.as_deref(),
            outputs: output.as_slice(),
            item: match manifest.input.layout {
                Layout::Nchw => [3, size, size],
                Layout::Nhwc => [size, size, 3],
            },
        };
        let session = Session::load(engine, &onnx, &wanted)
            .map_err(|fault| ModelError::from_fault(&manifest.name, fault))?;
        if session.outputs != labels.len() {
            return Err(ModelError::WrongLabels {
                name: manifest.name,
                labels: labels.len(),
                outputs: session.outputs,
            });
        }
        let info = EngineInfo { device: session.device.into(), ..engine.info().clone() };
        Ok(Classifier { session, manifest, labels, engine: info })
    }

    /// The model's name.
    pub fn name(&self) -> &str {
        &self.manifest.name
    }

    /// SHA-256 of its file in hexadecimal; empty where its manifest does not say.
    pub fn sha256(&self) -> &str {
        self.manifest.sha256.as_deref().unwrap_or_default()
    }

    /// The engine, and the device that this model runs on.
    pub fn engine(&self) -> &EngineInfo {
        &self.engine
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.labels.len()
    }

    /// Cuts, resizes and normalises a picture as the manifest says. A few milliseconds of processor time.
    ///
    /// # Errors
    /// [`ModelError::Run`] when the picture cannot be resized, which a decoded picture always can.
    pub fn prepare(&self, picture: &Picture) -> Result<Prepared, ModelError> {
        let input = &self.manifest.input;
        let square = self
            .resized(picture)
            .map_err(|reason| ModelError::Run { name: self.manifest.name.clone(), reason })?;
        let area = (input.size * input.size) as usize;
        let source = |channel: usize| match input.colours {
            Colours::Rgb => channel,
            Colours::Bgr => 2 - channel,
        };
        let mut values = vec![0.0; area * 3];
        for channel in 0..3 {
            // One value for each byte: three small tables instead of 150,000 divisions.
            let table: Vec<f32> = (0..=255u8)
                .map(|x| (f32::from(x) - input.mean[channel]) / input.std[channel])
                .collect();
            let bytes = square.iter().skip(source(channel)).step_by(3);
            match input.layout {
                Layout::Nchw => {
                    let plane = &mut values[channel * area..(channel + 1) * area];
                    for (value, byte) in plane.iter_mut().zip(bytes) {
                        *value = table[usize::from(*byte)];
                    }
                }
                Layout::Nhwc => {
                    for (value, byte) in values.iter_mut().skip(channel).step_by(3).zip(bytes) {
                        *value = table[usize::from(*byte)];
                    }
                }
            }
        }
        Ok(Prepared { values })
    }

    /// The `top` best labels of each picture, best first; `top` is cut to the number of classes. All
    /// pictures run together where the model's batch dimension is open, one by one otherwise.
    ///
    /// # Errors
    /// [`ModelError::Run`] when the engine fails or gives something that is no number.
    pub fn classify(
        &self,
        pictures: &[Prepared],
        top: usize,
    ) -> Result<Vec<Vec<Label>>, ModelError> {
        if pictures.is_empty() {
            return Ok(Vec::new());
        }
        let items: Vec<&[f32]> = pictures.iter().map(|picture| picture.values.as_slice()).collect();
        let rows = self
            .session
            .run(&items)
            .map_err(|fault| ModelError::from_fault(&self.manifest.name, fault))?;
        rows.chunks_exact(self.labels.len()).map(|row| self.best(row, top)).collect()
    }

    /// Whether it gives what its manifest says for the bundled pictures: probabilities or scores, and, where its
    /// labels are those of ImageNet, a right one for some picture.
    ///
    /// # Errors
    /// [`ModelError::Untrue`] says what to change.
    pub(crate) fn try_samples(&self, imagenet: bool) -> Result<(), ModelError> {
        let untrue = |reason: &str| {
            Err(ModelError::Untrue { name: self.manifest.name.clone(), reason: reason.into() })
        };
        let (mut probabilities, mut right) = (true, false);
        for sample in samples() {
            let picture = decode(sample.bytes).map_err(|error| ModelError::Run {
                name: self.manifest.name.clone(),
                reason: error.to_string(),
            })?;
            let prepared = self.prepare(&picture)?;
            let row = self
                .session
                .run(&[&prepared.values])
                .map_err(|fault| ModelError::from_fault(&self.manifest.name, fault))?;
            let sum: f32 = row.iter().sum();
            probabilities &= row.iter().all(is_probability) && (sum - 1.0).abs() < SUM;
            if self.manifest.output.softmax == Softmax::Already && !probabilities {
                return untrue(
                    "its outputs are no probabilities; say softmax = \"apply\" below [output]",
                );
            }
            let best = self.best(&row, 5)?;
            right |= best.iter().flat_map(|label| label.label.split(", ")).any(|name| {
                let mut expected = sample.expect.iter();
                expected.any(|word| *word == name)
            });
        }
        if self.manifest.output.softmax == Softmax::Apply && probabilities {
            return untrue(
                "its outputs are probabilities already; say softmax = \"already\" below [output]",
            );
        }
        match imagenet && !right {
            true => untrue(
                "it names none of the bundled pictures right; check colours, mean, std and size below [input], and labels",
            ),
            false => Ok(()),
        }
    }

    /// Whether several pictures can run together at all.
    pub fn batches(&self) -> bool {
        self.session.batches
    }

    /// The number of pictures, 1 to `limit`, that should run together here: doubled as long as that makes a
    /// picture cheaper by 5 %. Measured, in about half a second; 1 for a model with a fixed batch dimension.
    pub fn best_batch(&self, limit: usize) -> usize {
        if !self.session.batches {
            return 1;
        }
        let zeros = Prepared {
            values: vec![0.0; (self.manifest.input.size * self.manifest.input.size * 3) as usize],
        };
        let cost = |size: usize| {
            let batch = vec![zeros.clone(); size];
            // The first run of a size allocates its memory and is not counted.
            self.classify(&batch, 1).ok()?;
            let (start, mut runs) = (Instant::now(), 0u32);
            while runs < 2 || start.elapsed() < MEASURE_BATCH {
                self.classify(&batch, 1).ok()?;
                runs += 1;
            }
            Some(start.elapsed().as_secs_f64() / f64::from(runs) / size as f64)
        };
        let (mut best, Some(mut cheapest)) = (1, cost(1)) else {
            return 1;
        };
        let mut size = 2;
        while size <= limit {
            match cost(size) {
                Some(now) if now < cheapest * WORTH => (best, cheapest) = (size, now),
                _ => break,
            }
            size *= 2;
        }
        best
    }

    /// The centre square as `size * size * 3` bytes. Cropping and resizing are one step over the part of the
    /// picture that is needed.
    fn resized(&self, picture: &Picture) -> Result<Vec<u8>, String> {
        let input = &self.manifest.input;
        let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
        let side = width.min(height) * input.kept();
        let source = resize::images::ImageRef::new(
            picture.width(),
            picture.height(),
            picture.pixels(),
            resize::PixelType::U8x3,
        )
        .map_err(|error| error.to_string())?;
        let mut target =
            resize::images::Image::new(input.size, input.size, resize::PixelType::U8x3);
        let filter = match input.interpolation {
            Interpolation::Nearest => resize::ResizeAlg::Nearest,
            Interpolation::Bilinear => resize::ResizeAlg::Convolution(resize::FilterType::Bilinear),
            Interpolation::Bicubic => {
                resize::ResizeAlg::Convolution(resize::FilterType::CatmullRom)
            }
            Interpolation::Lanczos3 => resize::ResizeAlg::Convolution(resize::FilterType::Lanczos3),
        };
        let options = resize::ResizeOptions::new().resize_alg(filter).use_alpha(false).crop(
            (width - side) / 2.0,
            (height - side) / 2.0,
            side,
            side,
        );
        resize::Resizer::new()
            .resize(&source, &mut target, &options)
            .map_err(|error| error.to_string())?;
        Ok(target.into_vec())
    }

    fn best(&self, row: &[f32], top: usize) -> Result<Vec<Label>, ModelError> {
        if row.iter().any(|number| !number.is_finite()) {
            return Err(ModelError::Run {
                name: self.manifest.name.clone(),
                reason: "its output is not a number".into(),
            });
        }
        let probabilities = match self.manifest.output.softmax {
            Softmax::Already if !row.iter().all(is_probability) => {
                return Err(ModelError::Run {
                    name: self.manifest.name.clone(),
                    reason: "its output is no probability".into(),
                });
            }
            Softmax::Already => row.to_vec(),
            Softmax::Apply => softmax(row),
        };
        let mut order: Vec<usize> = (0..row.len()).collect();
        let top = top.min(order.len());
        let by_probability =
            |a: &usize, b: &usize| probabilities[*b].total_cmp(&probabilities[*a]).then(a.cmp(b));
        if top < order.len() {
            order.select_nth_unstable_by(top, by_probability);
            order.truncate(top);
        }
        order.sort_unstable_by(by_probability);
        Ok(order
            .into_iter()
            .map(|index| Label {
                label: self.labels[index].clone(),
                index,
                probability: probabilities[index],
            })
            .collect())
    }
}

impl std::fmt::Debug for Classifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Classifier")
            .field("name", &self.manifest.name)
            .field("engine", &self.engine.engine)
            .finish_non_exhaustive()
    }
}

/// Within what rounding does.
fn is_probability(number: &f32) -> bool {
    (-ROUNDING..=1.0 + ROUNDING).contains(number)
}

/// exp(x - max) / sum, which cannot overflow.
fn softmax(row: &[f32]) -> Vec<f32> {
    let highest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = row.iter().map(|x| (x - highest).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::softmax;

    #[test]
    fn softmax_sums_to_one_without_overflow() {
        let row = softmax(&[1000.0, 1000.0, -1000.0]);
        assert!((row[0] - 0.5).abs() < 1e-6 && row[2] == 0.0, "{row:?}");
        // Reference: numpy, exp(x) / exp(x).sum() for [1, 2, 3].
        let row = softmax(&[1.0, 2.0, 3.0]);
        for (got, want) in row.iter().zip([0.090_030_57, 0.244_728_47, 0.665_240_96]) {
            assert!((got - want).abs() < 1e-6, "{row:?}");
        }
    }
}
