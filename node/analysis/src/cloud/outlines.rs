//! What words look like: the outlines of their letters in the bundled font.

use resvg::tiny_skia::{Path, PathBuilder, Rect};
use resvg::usvg::{self, Node};

use crate::charts::canvas::escape;
use crate::font;

/// The font size of the outlines, pixels.
pub(super) const SIZE: f32 = 100.0;

/// A word of [`SIZE`] whose baseline starts at 0, 0.
pub(super) struct Outline {
    /// Around the ink alone.
    pub(super) bounds: Rect,
    /// The letters; a box for words that the font lacks, which each viewer's own fonts fill.
    pub(super) path: Path,
}

/// Outlines of `words`; `None` for what has no ink.
pub(super) fn outlines<'a>(words: impl ExactSizeIterator<Item = &'a str>) -> Vec<Option<Outline>> {
    let mut paths: Vec<Option<Path>> = (0..words.len()).map(|_| None).collect();
    let mut texts = String::new();
    for (number, word) in words.enumerate() {
        if font::drawable(word) == word {
            texts += &format!("<text id=\"{number}\">{}</text>", escape(word));
        } else {
            let (width, height) = (font::width(word, SIZE), font::ASCENT + font::DESCENT);
            paths[number] = Rect::from_xywh(0.0, -font::ASCENT * SIZE, width, height * SIZE)
                .map(PathBuilder::from_rect);
        }
    }
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"100\" height=\"100\" \
         font-family=\"{}\" font-size=\"{SIZE}\">{texts}</svg>",
        font::FAMILY
    );
    let options = usvg::Options { fontdb: font::database(), ..Default::default() };
    if let Ok(tree) = usvg::Tree::from_str(&svg, &options) {
        for node in tree.root().children() {
            if let Node::Text(text) = node
                && let Some(path) = text.id().parse().ok().and_then(|at: usize| paths.get_mut(at))
            {
                let mut letters = PathBuilder::new();
                collect(text.flattened(), &mut letters);
                *path = letters.finish();
            }
        }
    }
    let outline = |path: Path| {
        let bounds = path.compute_tight_bounds()?;
        Some(Outline { bounds, path })
    };
    paths.into_iter().map(|path| path.and_then(outline)).collect()
}

fn collect(group: &usvg::Group, letters: &mut PathBuilder) {
    for node in group.children() {
        match node {
            Node::Group(group) => collect(group, letters),
            Node::Path(path) => {
                if let Some(path) = path.data().clone().transform(path.abs_transform()) {
                    letters.push_path(&path);
                }
            }
            _ => {}
        }
    }
}
