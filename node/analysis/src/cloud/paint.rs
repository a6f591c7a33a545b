//! Writes the placed words as SVG.

use std::fmt::Write;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};

use super::escape;
use super::layout::Placed;
use crate::charts::Theme;
use crate::font;

/// What the SVG is made of, besides the words.
pub(super) struct Paint<'a> {
    pub(super) theme: Theme,
    pub(super) size: (u32, u32),
    pub(super) title: &'a str,
    /// The shape behind the words, as the `d` of a path.
    pub(super) shape: Option<String>,
    pub(super) seed: u64,
}

impl Paint<'_> {
    /// `drawable` writes only what the bundled font has, for a picture that is made with it.
    pub(super) fn svg(&self, words: &[(String, u64)], placed: &[Placed], drawable: bool) -> String {
        let (width, height) = self.size;
        let (background, tint, inks) = colours(self.theme);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" font-family=\"{}\">\n\
             <title>{}</title>\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"{background}\"/>\n",
            font::FAMILY,
            escape(self.title),
        );
        // Writing to a string cannot fail.
        if let Some(shape) = &self.shape {
            let _ = writeln!(svg, "<path d=\"{shape}\" fill=\"{tint}\" fill-opacity=\"0.07\"/>");
        }
        let mut random = Xoshiro256PlusPlus::seed_from_u64(self.seed);
        for place in placed {
            let ink = inks[(random.next_u64() % inks.len() as u64) as usize];
            let Some((word, _)) = words.get(place.word) else { continue };
            if drawable && font::drawable(word) != word.as_str() {
                continue;
            }
            text(&mut svg, word, place, ink);
        }
        svg.push_str("</svg>\n");
        svg
    }
}

/// The length is given, so that a viewer without the font, whose own is wider, keeps to the room.
fn text(svg: &mut String, word: &str, place: &Placed, ink: &str) {
    let Placed { size, x, y, upright, .. } = place;
    let at = if *upright {
        format!("transform=\"translate({x:.1} {y:.1}) rotate(-90)\"")
    } else {
        format!("x=\"{x:.1}\" y=\"{y:.1}\"")
    };
    let _ = writeln!(
        svg,
        "<text {at} font-size=\"{size:.1}\" fill=\"{ink}\" textLength=\"{:.1}\" \
         lengthAdjust=\"spacingAndGlyphs\">{}</text>",
        font::width(word, *size),
        escape(word),
    );
}

/// Background, shape behind the words, and inks.
fn colours(theme: Theme) -> (&'static str, &'static str, &'static [&'static str]) {
    match theme {
        Theme::Light => (
            "#ffffff",
            "#0072b2",
            &[
                "#0072b2", "#d55e00", "#009e73", "#b4588e", "#c98500", "#3a9bd9", "#7a6a00",
                "#6b4fbb",
            ],
        ),
        Theme::Dark => (
            "#141a24",
            "#56b4e9",
            &[
                "#56b4e9", "#ff8a4c", "#2fc79a", "#e39ac4", "#f0b429", "#9cc9f5", "#d8cd4b",
                "#b19cf0",
            ],
        ),
    }
}
