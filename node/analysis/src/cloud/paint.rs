//! Writes the placed words as SVG.

use std::fmt::Write;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};

use super::layout::Placed;
use crate::charts::Theme;
use crate::charts::canvas::escape;
use crate::charts::palette::{Paint, SERIES};
use crate::font;

/// Below this size thin letters need the colours of high contrast: by number, those that have 4.5:1
/// to the paper.
const SMALL: f32 = 18.0;
const DARK: [usize; 3] = [0, 6, 7];

/// What the SVG is made of, besides the words.
pub(super) struct Drawing<'a> {
    pub(super) theme: Theme,
    pub(super) size: (u32, u32),
    pub(super) title: &'a str,
    /// The shape behind the words, as the `d` of a path.
    pub(super) shape: Option<String>,
    /// Whether the shape is made of rectangles.
    pub(super) crisp: bool,
    pub(super) seed: u64,
}

impl Drawing<'_> {
    pub(super) fn svg(&self, words: &[(String, u64)], placed: &[Placed]) -> String {
        let (width, height) = self.size;
        let background = Paint::Paper.css(self.theme);
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
            let tint = Paint::Series(0).css(self.theme);
            // Crisp, because the shape of a picture is made of rectangles, between which a soft
            // edge would show.
            let crisp = if self.crisp { " shape-rendering=\"crispEdges\"" } else { "" };
            let _ =
                writeln!(svg, "<path d=\"{shape}\" fill=\"{tint}\" fill-opacity=\"0.07\"{crisp}/>");
        }
        let mut random = Xoshiro256PlusPlus::seed_from_u64(self.seed);
        for place in placed {
            let number = (random.next_u64() % SERIES as u64) as usize;
            let ink = Paint::Series(match place.size < SMALL {
                true => DARK[number % DARK.len()],
                false => number,
            });
            let Some((word, _)) = words.get(place.word) else { continue };
            text(&mut svg, word, place, &ink.css(self.theme));
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
