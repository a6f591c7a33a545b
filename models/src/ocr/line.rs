//! Reads one line: cut out of the picture, turned the right way up, and read letter by letter.

use std::sync::OnceLock;

use super::quad::Quad;
use super::sizes::Sizes;
use crate::bundled::bundled;
use crate::engine::Engine;
use crate::picture::Picture;
use crate::pixels::{self, Scale};
use crate::session::{Fault, Session};

/// Height of a line for both networks.
const HEIGHT: usize = 48;
/// Width for the one that says which way up it stands.
const TURN_WIDTH: usize = 192;
/// Widths for the one that reads: few, see [`Sizes`]. A longer line is narrowed.
const WIDTHS: [usize; 4] = [320, 640, 1280, 2560];
/// How sure the network must be that a line stands upside down: PaddleOCR's value.
const TURNED: f32 = 0.9;
/// The share that a space needs between two characters, of which one is ASCII, to stand there: the network leaves out
/// many between words, but thinks of them. Of 90 real ones one had less, and nothing that is none had 0.01.
const SPACE: f32 = 0.05;
/// Of a large line, at most this many by this many places are looked at for one pixel.
const MOST_SAMPLES: f32 = 4.0;
/// The classes of an answer: nothing, the characters of the list, a space.
const CLASSES: usize = 6625;

const SCALE: Scale = Scale { mean: [127.5; 3], divisor: [127.5; 3], blue_first: true };

/// The two networks.
pub(super) struct Reader {
    turn: Session,
    read: Sizes,
}

/// A line in a picture.
pub(super) struct Cut<'a> {
    picture: &'a Picture,
    quad: Quad,
}

impl Reader {
    pub(super) fn load(engine: &Engine) -> Result<Reader, Fault> {
        let turn = include_bytes!("../../weights/text-turn.onnx");
        let read = include_bytes!("../../weights/text-read.onnx");
        let turn = bundled(engine, "text-turn", turn, [HEIGHT, TURN_WIDTH])
            .map_err(|error| Fault::Load(error.to_string()))?;
        Ok(Reader { turn, read: Sizes::load(engine, read, [HEIGHT, WIDTHS[0]])? })
    }

    /// Text, how surely it was read, and the rectangle with its text the way it runs. `None` where there is none.
    pub(super) fn read(&self, cut: &Cut) -> Result<Option<(String, f32, Quad)>, Fault> {
        let as_found = self.letters(cut)?.map(|(text, sure)| (text, sure, cut.quad));
        if !self.stands_upside_down(cut)? {
            return Ok(as_found);
        }
        let quad = cut.quad.turned(2);
        let turned = Cut { picture: cut.picture, quad };
        let turned = self.letters(&turned)?.map(|(text, sure)| (text, sure, quad));
        // Of a letter or two it is not to be told surely: what reads better is right.
        Ok(match (as_found, turned) {
            (Some(one), Some(two)) if one.1 > two.1 => Some(one),
            (one, two) => two.or(one),
        })
    }

    fn stands_upside_down(&self, cut: &Cut) -> Result<bool, Fault> {
        let width = cut.natural().min(TURN_WIDTH);
        let row = self.turn.run(&[&cut.planes(width, TURN_WIDTH)])?;
        Ok(row.get(1).is_some_and(|turned| *turned > TURNED))
    }

    fn letters(&self, cut: &Cut) -> Result<Option<(String, f32)>, Fault> {
        let natural = cut.natural();
        let last = WIDTHS[WIDTHS.len() - 1];
        let across = WIDTHS.into_iter().find(|width| *width >= natural).unwrap_or(last);
        let input = cut.planes(natural.min(across), across);
        Ok(spelled(&self.read.run([HEIGHT, across], &input)?))
    }
}

impl<'a> Cut<'a> {
    pub(super) fn new(picture: &'a Picture, quad: Quad) -> Cut<'a> {
        Cut { picture, quad }
    }

    /// Its width at the networks' height.
    fn natural(&self) -> usize {
        let width = HEIGHT as f32 * self.quad.width / self.quad.height.max(1.0);
        width.ceil().clamp(1.0, 1e6) as usize
    }

    /// The line as numbers, `width` pixels wide, the rest of `across` filled with zeros, as in training.
    fn planes(&self, width: usize, across: usize) -> Vec<f32> {
        let bytes = self.pixels(width);
        let line = pixels::planes(&bytes, &SCALE);
        let mut values = vec![0.0; 3 * HEIGHT * across];
        for (to, from) in values.chunks_exact_mut(across).zip(line.chunks_exact(width)) {
            to[..width].copy_from_slice(from);
        }
        values
    }

    /// The line upright, as `width` x [`HEIGHT`] RGB bytes, each the mean of what falls into it.
    fn pixels(&self, width: usize) -> Vec<u8> {
        let samples = |from: f32, to: usize| (from / to as f32).ceil().clamp(1.0, MOST_SAMPLES);
        let across = samples(self.quad.width, width) as usize;
        let down = samples(self.quad.height, HEIGHT) as usize;
        let most = (self.picture.width() as f32 - 0.5, self.picture.height() as f32 - 0.5);
        let share = |at: usize, inner: usize, of: usize, all: usize| {
            (at as f32 + (inner as f32 + 0.5) / of as f32) / all as f32 - 0.5
        };
        let mut bytes = Vec::with_capacity(width * HEIGHT * 3);
        for row in 0..HEIGHT {
            for column in 0..width {
                let mut sum = [0.0f32; 3];
                for index in 0..across * down {
                    let u = share(column, index % across, across, width);
                    let v = share(row, index / across, down, HEIGHT);
                    let (x, y) = self.quad.at(u, v);
                    // At the picture's edge the last pixel goes on.
                    let place = (x.clamp(0.5, most.0.max(0.5)), y.clamp(0.5, most.1.max(0.5)));
                    let colour = pixels::at(self.picture, place);
                    sum = std::array::from_fn(|channel| sum[channel] + colour[channel]);
                }
                bytes.extend(sum.map(|sum| (sum / (across * down) as f32).round() as u8));
            }
        }
        bytes
    }
}

/// The text of an answer, a row of probabilities a step: the likeliest of each step, without repetitions and steps
/// that say nothing (connectionist temporal classification), with the spaces that it thought of. `None` for an empty
/// text.
fn spelled(steps: &[f32]) -> Option<(String, f32)> {
    let (mut text, mut sum, mut count, mut before) = (String::new(), 0.0, 0u16, 0);
    let mut space = 0.0f32;
    for step in steps.chunks_exact(CLASSES) {
        let likeliest = step.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        let Some((class, share)) = likeliest else { continue };
        space = space.max(step[CLASSES - 1]);
        if class != 0 && class != before {
            let next = character(class);
            let apart = text.chars().next_back().is_some_and(|last| {
                last != ' ' && next != ' ' && (last.is_ascii() || next.is_ascii())
            });
            if apart && space >= SPACE {
                text.push(' ');
            }
            space = 0.0;
            text.push(next);
            sum += share;
            count = count.saturating_add(1);
        }
        before = class;
    }
    let confidence = sum / f32::from(count.max(1));
    let text = text.trim();
    (!text.is_empty() && (0.0..=1.0).contains(&confidence)).then(|| (text.to_owned(), confidence))
}

/// What a class other than 0 stands for.
fn character(class: usize) -> char {
    static LIST: OnceLock<Vec<char>> = OnceLock::new();
    let read = || {
        let lines = include_str!("../../weights/text-characters.txt").lines();
        lines.filter_map(|line| line.chars().next()).collect()
    };
    LIST.get_or_init(read).get(class - 1).copied().unwrap_or(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_and_pauses_are_left_out() {
        let classes = |text: &str| -> Vec<usize> {
            text.chars()
                .map(|letter| match letter {
                    '-' => 0,
                    ' ' => CLASSES - 1,
                    other => (1..CLASSES).find(|class| character(*class) == other).unwrap(),
                })
                .collect()
        };
        let steps: Vec<f32> = classes("--大大-a a-aa--")
            .into_iter()
            .flat_map(|class| (0..CLASSES).map(move |each| if each == class { 0.75 } else { 0.0 }))
            .collect();
        let (text, confidence) = spelled(&steps).unwrap();
        assert_eq!((text.as_str(), confidence), ("大a aa", 0.75));
        // A space that is thought of between words, and between Chinese characters, where none is written.
        let mut thought = steps.clone();
        for step in thought.chunks_exact_mut(CLASSES).filter(|step| step[0] > 0.0) {
            step[CLASSES - 1] = 0.1;
        }
        assert_eq!(spelled(&thought).unwrap().0, "大 a a a");
        assert_eq!(spelled(&[]), None);
        assert_eq!(spelled(&vec![0.0; CLASSES * 3]), None);
    }

    /// `tests/golden/text/networks.json`: the same inputs, without any of this code.
    #[derive(serde::Deserialize)]
    struct Expected {
        read: Line,
        turn: [f32; 2],
    }

    #[derive(serde::Deserialize)]
    struct Line {
        text: String,
        confidence: f32,
    }

    fn golden(name: &str) -> Vec<u8> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/text");
        std::fs::read(format!("{folder}/{name}")).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    #[test]
    fn the_networks_say_what_they_say_elsewhere() {
        let config = crate::EngineConfig {
            choice: crate::EngineChoice::Tract,
            ..crate::EngineConfig::default()
        };
        let reader = Reader::load(&Engine::start(&config).unwrap()).unwrap();
        let expected: Expected = serde_json::from_slice(&golden("networks.json")).unwrap();
        let input = |name: &str, across: usize| {
            let picture = crate::decode(&golden(name)).unwrap();
            let (width, height) = (picture.width() as f32, picture.height() as f32);
            let centre = (width / 2.0, height / 2.0);
            let quad = Quad { centre, along: (1.0, 0.0), width, height };
            Cut::new(&picture, quad).planes(picture.width() as usize, across)
        };
        let rows = reader.read.run([HEIGHT, 640], &input("line.png", 640)).unwrap();
        let (text, confidence) = spelled(&rows).unwrap();
        assert_eq!(text, expected.read.text);
        assert!((confidence - expected.read.confidence).abs() < 0.002, "{confidence}");
        let turn = reader.turn.run(&[&input("line192.png", TURN_WIDTH)]).unwrap();
        for (got, want) in turn.iter().zip(expected.turn) {
            assert!((got - want).abs() < 0.002, "{turn:?}");
        }
    }

    #[test]
    fn every_class_has_a_character() {
        assert_eq!(character(1), '\'');
        assert_eq!(character(CLASSES - 1), ' ');
        assert_ne!(character(CLASSES - 2), ' ');
    }
}
