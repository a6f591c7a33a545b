//! Charts in the page: which go where, and how a drawing becomes part of the page.

use std::collections::BTreeMap;

use super::{Page, text};
use crate::charts::{Chart, ChartKind};

/// Bytes of drawings in one page.
const MOST_BYTES: usize = 6_000_000;

/// Characters of a chart's title that are read aloud.
const TITLE: usize = 200;

/// Every drawing at its place.
#[derive(Default)]
pub(super) struct Drawings {
    sections: BTreeMap<ChartKind, Vec<String>>,
    cards: BTreeMap<usize, Vec<String>>,
    /// Charts that did not fit.
    pub(super) left_out: u64,
}

impl Drawings {
    /// Distributions belong into the cards of their columns, where these have one; all others into
    /// sections. Sections come first when there is not room for all.
    pub(super) fn place(page: &Page, charts: &[Chart]) -> Self {
        let mut placed = Self::default();
        let mut room = MOST_BYTES;
        let (cards, sections): (Vec<&Chart>, Vec<&Chart>) = charts
            .iter()
            .partition(|chart| chart.kind == ChartKind::Distributions && chart.column.is_some());
        for chart in sections {
            if let Some(figure) = placed.figure(chart, &mut room) {
                placed.sections.entry(chart.kind).or_default().push(figure);
            }
        }
        for chart in cards {
            let card = chart.column.as_deref().and_then(|column| page.card(column));
            if let Some(figure) = placed.figure(chart, &mut room) {
                let place = match card {
                    Some(at) => placed.cards.entry(at).or_default(),
                    None => placed.sections.entry(chart.kind).or_default(),
                };
                place.push(figure);
            }
        }
        placed
    }

    fn figure(&mut self, chart: &Chart, room: &mut usize) -> Option<String> {
        let figure = figure(chart)?;
        if figure.len() > *room {
            self.left_out += 1;
            return None;
        }
        *room -= figure.len();
        Some(figure)
    }

    /// The drawings of one kind.
    pub(super) fn of(&self, kind: ChartKind) -> String {
        let Some(figures) = self.sections.get(&kind) else {
            return String::new();
        };
        format!("<div class=\"charts\">\n{}</div>\n", figures.concat())
    }

    /// The drawings of the column at a place.
    pub(super) fn of_column(&self, at: usize) -> String {
        self.cards.get(&at).map(|figures| figures.concat()).unwrap_or_default()
    }
}

/// A drawing as wide as there is room, so that its texts can be read.
fn figure(chart: &Chart) -> Option<String> {
    let drawing = inline(chart)?;
    // Only a cloud does not say in itself what it is of.
    let caption = match chart.kind {
        ChartKind::Cloud => {
            format!("<figcaption>{}</figcaption>", text::quoted(&chart.title, TITLE))
        }
        _ => String::new(),
    };
    let width = chart.size.0;
    Some(format!("<figure style=\"max-width:{width}px\">{drawing}{caption}</figure>\n"))
}

/// The drawing without the prologue of a file, with a name for those who do not see it, and as
/// wide as there is room.
fn inline(chart: &Chart) -> Option<String> {
    let (_, rest) = chart.svg.split_once("<svg")?;
    let (head, body) = rest.split_once('>')?;
    let mut added = String::new();
    if !head.contains("viewBox=") {
        added += &format!(" viewBox=\"0 0 {} {}\"", chart.size.0, chart.size.1);
    }
    if !head.contains("role=") {
        added += " role=\"img\"";
    }
    if !head.contains("aria-label") {
        added += &format!(" aria-label=\"{}\"", text::short(&chart.title, TITLE));
    }
    Some(format!("<svg{added}{head}>{}", body.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(svg: &str) -> Chart {
        Chart {
            kind: ChartKind::Skew,
            column: None,
            name: "skew".to_owned(),
            title: "a < b".to_owned(),
            size: (640, 360),
            svg: svg.to_owned(),
            png: Vec::new(),
        }
    }

    #[test]
    fn a_file_becomes_a_part_of_the_page() {
        let file = "<?xml version=\"1.0\"?>\n<svg width=\"640\" height=\"360\"><g/></svg>\n";
        assert_eq!(
            inline(&chart(file)).unwrap(),
            "<svg viewBox=\"0 0 640 360\" role=\"img\" aria-label=\"a &lt; b\" width=\"640\" height=\"360\"><g/></svg>"
        );
        let named = "<svg viewBox=\"0 0 1 1\" role=\"img\" aria-label=\"x\"></svg>";
        assert_eq!(inline(&chart(named)).unwrap(), named);
        assert_eq!(inline(&chart("no drawing")), None);
    }
}
