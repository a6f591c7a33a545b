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
use crate::{AnalysisError, Lang, Watch, font, wrong};
use layout::{Layout, Placed};
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
        return Err(AnalysisError::BadOption(wrong::cloud_size(width, height)));
    }
    let counts = &words.counts[..words.counts.len().min(MOST_WORDS)];
    let Some(placed) = place(counts, options, watch)? else { return Ok(None) };
    let title = title(&words.column, options.lang);
    let drawing = Drawing {
        theme: options.theme,
        size: options.size,
        title: &title,
        shape: backdrop(options)?,
        crisp: matches!(options.mask, Mask::Picture(_)),
        seed: options.seed,
    };
    let svg = drawing.svg(counts, &placed);
    // A viewer of the page has more letters than the bundled font, with which pictures are made.
    let drawable = |word: &&(String, u64)| font::drawable(&word.0) == word.0.as_str();
    let png = match counts.iter().filter(drawable).count() {
        _ if !options.png => Vec::new(),
        all if all == counts.len() => rasterise(&svg, options.size)?,
        _ => {
            let some: Vec<_> = counts.iter().filter(drawable).cloned().collect();
            match place(&some, options, watch)? {
                Some(placed) => rasterise(&drawing.svg(&some, &placed), options.size)?,
                None => Vec::new(),
            }
        }
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

/// Where each word stands; `None` when there is none with ink.
fn place(
    counts: &[(String, u64)],
    options: &CloudOptions,
    watch: &dyn Watch,
) -> Result<Option<Vec<Placed>>, AnalysisError> {
    let Some((_, most)) = counts.first() else { return Ok(None) };
    watch.check()?;
    let (cells, cell) = grid(options.size);
    let free = mask::free_cells(&options.mask, cells, cell)?;
    let outlines = outlines::outlines(counts.iter().map(|(word, _)| word.as_str()));
    if outlines.iter().all(Option::is_none) {
        return Ok(None);
    }
    let ratios: Vec<f32> =
        counts.iter().map(|(_, times)| (*times as f32 / (*most).max(1) as f32).sqrt()).collect();
    let area = options.size.0 as f32 * options.size.1 as f32;
    let layout = Layout {
        grid: grid::Grid::new(&free, cells),
        cell,
        least: LEAST_FONT * (area / (1200.0 * 800.0)).sqrt(),
        outlines: &outlines,
        ratios: &ratios,
        seed: options.seed,
    };
    let placed = layout.place(watch)?;
    if placed.is_empty() { Err(mask::no_room()) } else { Ok(Some(placed)) }
}

impl Mask {
    /// Whether it can be read and leaves words any room.
    ///
    /// # Errors
    ///
    /// [`AnalysisError::BadOption`] that says what to take instead.
    pub fn check(&self) -> Result<(), AnalysisError> {
        let (cells, cell) = grid(CloudOptions::default().size);
        mask::free_cells(self, cells, cell).map(drop)
    }
}

/// How many cells a cloud of this size has, and how wide they are in pixels.
fn grid((width, height): (u32, u32)) -> ((usize, usize), f32) {
    let cell = (width as f32 * height as f32 / CELLS).sqrt().max(1.0);
    (((width as f32 / cell) as usize, (height as f32 / cell) as usize), cell)
}

fn title(column: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("Words of {column}"),
        Lang::Zh => format!("“{column}”的词云"),
    }
}

/// The shape behind the words, which shows it where words are few.
fn backdrop(options: &CloudOptions) -> Result<Option<String>, AnalysisError> {
    let (width, height) = options.size;
    Ok(match options.mask {
        Mask::Shape(Shape::Rectangle) => None,
        Mask::Shape(shape) => {
            shape.path(width as f32, height as f32).map(|path| shape::svg_path(&path))
        }
        Mask::Picture(_) => {
            let (cells, cell) = grid(options.size);
            let free = mask::free_cells(&options.mask, cells, cell)?;
            // All of it says nothing.
            let all = free.iter().filter(|free| **free).count() > free.len() * 9 / 10;
            (!all).then(|| mask::outline(&free, cells.0, cell))
        }
    })
}
