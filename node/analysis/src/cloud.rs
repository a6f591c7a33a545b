//! The word cloud: counting words, and placing them inside a shape.

mod chinese;
mod grid;
mod layout;
mod mask;
mod outlines;
mod paint;
mod phrases;
mod pieces;
mod shape;
mod tally;
mod words;

pub use mask::Mask;
pub use shape::Shape;
pub use words::WordCounter;

use crate::charts::{Chart, ChartKind, Theme, rasterise};
use crate::facets::Words;
use crate::{AnalysisError, Lang, Watch};
use layout::Layout;
use paint::Drawing;

/// How a cloud looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudOptions {
    /// Of the title.
    pub lang: Lang,
    /// Background and ink.
    pub theme: Theme,
    /// What the words fill.
    pub mask: Mask,
    /// Another seed, another picture; the same seed and words, the same picture on every machine.
    pub seed: u64,
    /// Whether to draw the PNG too; it stays empty otherwise.
    pub png: bool,
    /// Width and height in pixels, 100 to 4000 each.
    pub size: (u32, u32),
}

impl Default for CloudOptions {
    fn default() -> Self {
        Self {
            lang: Lang::default(),
            theme: Theme::default(),
            mask: Mask::default(),
            seed: 0,
            png: true,
            size: (1200, 800),
        }
    }
}

/// Words that a cloud shows; more are too small to read.
pub const MOST_WORDS: usize = 200;

/// Cells of the grid on which words are placed: as fine as time allows.
const CELLS: f32 = 240_000.0;

/// The smallest font in a picture of 1200x800, pixels; it grows with the picture.
const LEAST_FONT: f32 = 11.0;

/// Draws the most frequent of `words`, the frequent large: a word of a quarter of the counts has
/// half the size. `None` when there are no words.
///
/// # Errors
///
/// [`AnalysisError::BadOption`] when the mask is not a picture or leaves no room, or the size is
/// out of bounds; [`AnalysisError::Cancelled`].
pub fn draw(
    words: &Words,
    options: &CloudOptions,
    watch: &dyn Watch,
) -> Result<Option<Chart>, AnalysisError> {
    let (width, height) = options.size;
    if !(100..=4000).contains(&width) || !(100..=4000).contains(&height) {
        return Err(AnalysisError::BadOption(format!(
            "a word cloud of {width}x{height} pixels cannot be drawn; take 100 to 4000 each"
        )));
    }
    let counts = &words.counts[..words.counts.len().min(MOST_WORDS)];
    let Some((_, most)) = counts.first() else { return Ok(None) };
    watch.check()?;
    let area = width as f32 * height as f32;
    let cell = (area / CELLS).sqrt().max(1.0);
    let cells = ((width as f32 / cell) as usize, (height as f32 / cell) as usize);
    let free = mask::free_cells(&options.mask, cells, cell)?;
    let outlines = outlines::outlines(counts.iter().map(|(word, _)| word.as_str()));
    if outlines.iter().all(Option::is_none) {
        return Ok(None);
    }
    let ratios: Vec<f32> =
        counts.iter().map(|(_, times)| (*times as f32 / (*most).max(1) as f32).sqrt()).collect();
    let layout = Layout {
        grid: grid::Grid::new(&free, cells),
        cell,
        least: LEAST_FONT * (area / (1200.0 * 800.0)).sqrt(),
        outlines: &outlines,
        ratios: &ratios,
        seed: options.seed,
    };
    let placed = layout.place(watch)?;
    if placed.is_empty() {
        return Err(mask::no_room());
    }
    let title = title(&words.column, options.lang);
    let drawing = Drawing {
        theme: options.theme,
        size: options.size,
        title: &title,
        shape: backdrop(options),
        seed: options.seed,
    };
    let svg = drawing.svg(counts, &placed, false);
    let png = match options.png {
        true => rasterise(&drawing.svg(counts, &placed, true), options.size)?,
        false => Vec::new(),
    };
    Ok(Some(Chart {
        kind: ChartKind::Cloud,
        column: Some(words.column.clone()),
        name: ChartKind::Cloud.name().into(),
        title,
        size: options.size,
        svg,
        png,
    }))
}

fn title(column: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("Words of {column}"),
        Lang::Zh => format!("“{column}”的词云"),
    }
}

/// The shape behind the words, which shows it where words are few.
fn backdrop(options: &CloudOptions) -> Option<String> {
    match options.mask {
        Mask::Shape(Shape::Rectangle) | Mask::Picture(_) => None,
        Mask::Shape(shape) => {
            let (width, height) = options.size;
            Some(shape::svg_path(&shape.path(width as f32, height as f32)?))
        }
    }
}

/// `text` inside XML. Characters that XML forbids are left out.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}
