//! The colours of all charts: one palette that colour-blind people can tell apart (after Okabe
//! and Ito), light and dark, and YlGnBu for coefficients.

use super::Theme;

/// What something is painted with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Paint {
    /// Texts and axes.
    Ink,
    /// Texts of less weight.
    Muted,
    /// Lines behind the data, cells without a value.
    Grid,
    /// What is behind everything.
    Paper,
    /// Whatever is put together from the rest.
    Rest,
    /// Data, by number.
    Series(usize),
    /// The same in both themes.
    Fixed([u8; 3]),
}

/// How many colours data has.
pub(crate) const SERIES: usize = 8;

/// The CSS variables that an inline drawing asks for, without the leading `--`.
const VARIABLES: [&str; 13] = [
    "ink", "muted", "grid", "paper", "rest", "series-1", "series-2", "series-3", "series-4",
    "series-5", "series-6", "series-7", "series-8",
];

const LIGHT: [&str; 13] = [
    "#1f2937", "#5b6472", "#e2e6ec", "#ffffff", "#a3abb8", "#0072b2", "#d55e00", "#009e73",
    "#b4588e", "#c98500", "#3a9bd9", "#7a6a00", "#6b4fbb",
];

const DARK: [&str; 13] = [
    "#e8ebf0", "#a3adbb", "#323b4a", "#141a24", "#6f7a8a", "#56b4e9", "#ff8a4c", "#2fc79a",
    "#e39ac4", "#f0b429", "#9cc9f5", "#d8cd4b", "#b19cf0",
];

/// `--ink:#1f2937;...`: the variables that inline drawings ask for, to put into a rule of a page.
pub fn variables(theme: Theme) -> String {
    let pairs = VARIABLES.iter().zip(colours(theme));
    pairs.map(|(name, colour)| format!("--{name}:{colour};")).collect()
}

impl Paint {
    /// For `fill` and `stroke`: a CSS variable with the colour of `theme` to fall back on.
    pub(crate) fn css(self, theme: Theme) -> String {
        let slot = match self {
            Self::Ink => 0,
            Self::Muted => 1,
            Self::Grid => 2,
            Self::Paper => 3,
            Self::Rest => 4,
            Self::Series(number) => 5 + number % SERIES,
            Self::Fixed([red, green, blue]) => return format!("#{red:02x}{green:02x}{blue:02x}"),
        };
        format!("var(--{},{})", VARIABLES[slot], colours(theme)[slot])
    }
}

/// The drawing with colours instead of variables, for whoever knows no CSS variables.
pub(super) fn concrete(svg: &str) -> String {
    let mut out = String::with_capacity(svg.len());
    let mut rest = svg;
    while let Some(start) = rest.find("var(--") {
        let (before, variable) = rest.split_at(start);
        out.push_str(before);
        let Some((name, after)) = variable.split_once(')') else {
            rest = variable;
            break;
        };
        out.push_str(name.split_once(',').map_or("currentColor", |(_, colour)| colour));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// matplotlib's `YlGnBu`, entry `index` of 256: linear in sRGB over 9 stops (ColorBrewer).
pub(super) fn ylgnbu(index: u8) -> [u8; 3] {
    const STOPS: [[u8; 3]; 9] = [
        [0xff, 0xff, 0xd9],
        [0xed, 0xf8, 0xb1],
        [0xc7, 0xe9, 0xb4],
        [0x7f, 0xcd, 0xbb],
        [0x41, 0xb6, 0xc4],
        [0x1d, 0x91, 0xc0],
        [0x22, 0x5e, 0xa8],
        [0x25, 0x34, 0x94],
        [0x08, 0x1d, 0x58],
    ];
    // In whole numbers, so that no rounding error decides.
    let place = usize::from(index) * 8;
    let (stop, part) = ((place / 255).min(7), place - (place / 255).min(7) * 255);
    std::array::from_fn(|channel| {
        let (from, to) = (STOPS[stop][channel], STOPS[stop + 1][channel]);
        let mixed = usize::from(from) * (255 - part) + usize::from(to) * part;
        ((2 * mixed + 255) / 510) as u8
    })
}

/// Whether dark text stands out more from a colour than white text, by the contrast of WCAG 2:
/// both have the same at a relative luminance of 0.2.
pub(super) fn wants_dark_text(colour: [u8; 3]) -> bool {
    let linear = colour.map(|channel| {
        let part = f64::from(channel) / 255.0;
        if part <= 0.03928 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] > 0.2
}

fn colours(theme: Theme) -> &'static [&'static str; 13] {
    match theme {
        Theme::Light => &LIGHT,
        Theme::Dark => &DARK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table is `matplotlib.colormaps["YlGnBu"]` of matplotlib 3, as bytes.
    #[test]
    fn ylgnbu_is_that_of_matplotlib() {
        let table = include_str!("../../tests/charts/ylgnbu_matplotlib_256.csv");
        let rows: Vec<&str> = table.lines().collect();
        assert_eq!(rows.len(), 256);
        for (index, row) in rows.into_iter().enumerate() {
            let [red, green, blue] = ylgnbu(index as u8);
            assert_eq!(format!("{red},{green},{blue}"), row, "entry {index}");
        }
    }

    #[test]
    fn variables_become_their_colours() {
        let ink = Paint::Ink.css(Theme::Light);
        assert_eq!(ink, "var(--ink,#1f2937)");
        let svg =
            format!("<a fill=\"{ink}\"/><b stroke=\"{}\"/>", Paint::Series(9).css(Theme::Dark));
        assert_eq!(concrete(&svg), "<a fill=\"#1f2937\"/><b stroke=\"#ff8a4c\"/>");
        assert_eq!(concrete("nothing var(--half"), "nothing var(--half");
    }

    /// WCAG 2 asks 3:1 of what is drawn and 4.5:1 of texts.
    #[test]
    fn colours_stand_out_from_the_paper() {
        let light = |colour: &str| -> f64 {
            let channel = |at: usize| u8::from_str_radix(&colour[at..at + 2], 16).unwrap();
            let linear = [channel(1), channel(3), channel(5)].map(|channel| {
                let part = f64::from(channel) / 255.0;
                if part <= 0.03928 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
            });
            0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05
        };
        for colours in [LIGHT, DARK] {
            let paper = light(colours[3]);
            for (place, colour) in colours.iter().enumerate().filter(|(place, _)| *place != 3) {
                let ratio = (light(colour) / paper).max(paper / light(colour));
                let least = match place {
                    0 | 1 => 4.5,
                    2 => 1.1,
                    4 => 2.2,
                    _ => 2.9,
                };
                assert!(ratio >= least, "{colour} {ratio}");
            }
        }
    }
}
