//! A sheet of SVG: shapes and measured texts. Whatever text comes in, the SVG stays well-formed.

use std::fmt::Write as _;

use super::Theme;
use super::palette::Paint;
use crate::{font, names};

/// Every chart is that wide, in pixels.
pub(super) const WIDTH: f32 = 1200.0;
/// Free on all sides.
pub(super) const PAD: f32 = 40.0;
/// Where drawing may start below title and subtitle.
pub(super) const TOP: f32 = 108.0;

/// Font sizes.
pub(super) const TITLE: f32 = 26.0;
pub(super) const LABEL: f32 = 17.0;
pub(super) const SMALL: f32 = 15.0;

/// Characters of a name that show on hovering.
const HOVER: usize = 500;

/// Which point of a text stands at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A sheet that grows.
pub(super) struct Canvas {
    theme: Theme,
    height: f32,
    title: String,
    body: String,
}

impl Canvas {
    /// With background, title and a line below it.
    pub(super) fn new(theme: Theme, height: f32, title: &str, subtitle: &str) -> Self {
        let height = height.ceil();
        let mut canvas =
            Self { theme, height, title: title_of("", title, ""), body: String::new() };
        canvas.rect(0.0, 0.0, WIDTH, height, Paint::Paper, 1.0);
        let title = canvas.title.clone();
        canvas.text(PAD, 52.0, TITLE, Anchor::Start, Paint::Ink, &title);
        let subtitle = fit(subtitle, LABEL, WIDTH - 2.0 * PAD);
        canvas.text(PAD, 82.0, LABEL, Anchor::Start, Paint::Muted, &subtitle);
        canvas
    }

    /// The title as drawn, and the whole drawing.
    pub(super) fn finish(self) -> (String, (u32, u32), String) {
        let (width, height) = (WIDTH as u32, self.height as u32);
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" role=\"img\" font-family=\"{}\">\n\
             <title>{}</title>\n{}</svg>\n",
            font::FAMILY,
            escape(&self.title),
            self.body
        );
        (self.title, (width, height), svg)
    }

    /// A filled rectangle; negative sizes are taken as nothing.
    pub(super) fn rect(&mut self, x: f32, y: f32, w: f32, h: f32, paint: Paint, opacity: f32) {
        let _ = writeln!(
            self.body,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"{}/>",
            short(x),
            short(y),
            short(w.max(0.0)),
            short(h.max(0.0)),
            paint.css(self.theme),
            alpha("fill-opacity", opacity)
        );
    }

    /// A filled path; crisp paths are those of rectangles only, which must not show seams.
    pub(super) fn fill(&mut self, path: &Path, paint: Paint, opacity: f32, crisp: bool) {
        let crisp = if crisp { " shape-rendering=\"crispEdges\"" } else { "" };
        let _ = writeln!(
            self.body,
            "<path d=\"{}\" fill=\"{}\"{}{crisp}/>",
            path.0,
            paint.css(self.theme),
            alpha("fill-opacity", opacity)
        );
    }

    /// A drawn path with round ends and corners.
    pub(super) fn stroke(&mut self, path: &Path, paint: Paint, width: f32, opacity: f32) {
        let _ = writeln!(
            self.body,
            "<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" \
             stroke-linecap=\"round\" stroke-linejoin=\"round\"{}/>",
            path.0,
            paint.css(self.theme),
            short(width),
            alpha("stroke-opacity", opacity)
        );
    }

    /// A straight line.
    pub(super) fn line(&mut self, from: (f32, f32), to: (f32, f32), paint: Paint, width: f32) {
        let mut path = Path::default();
        path.start(from);
        path.line(to);
        self.stroke(&path, paint, width, 1.0);
    }

    /// One line of text, its baseline at `y`.
    pub(super) fn text(
        &mut self,
        x: f32,
        y: f32,
        size: f32,
        anchor: Anchor,
        paint: Paint,
        text: &str,
    ) {
        self.place_text((x, y), size, anchor, paint, text, Extra::default());
    }

    /// As [`Canvas::text`]: a label that shows what it is cut from on hovering.
    pub(super) fn label(
        &mut self,
        (x, y): (f32, f32),
        size: f32,
        anchor: Anchor,
        (label, full): (&str, &str),
    ) {
        let extra = Extra { turn: "", full };
        self.place_text((x, y), size, anchor, Paint::Ink, label, extra);
    }

    /// A label that rises by 45 degrees and ends at the place.
    pub(super) fn rising_label(
        &mut self,
        (x, y): (f32, f32),
        size: f32,
        (label, full): (&str, &str),
    ) {
        let turn = format!(" transform=\"rotate(-45 {} {})\"", short(x), short(y));
        let extra = Extra { turn: &turn, full };
        self.place_text((x, y), size, Anchor::End, Paint::Ink, label, extra);
    }

    fn place_text(
        &mut self,
        (x, y): (f32, f32),
        size: f32,
        anchor: Anchor,
        paint: Paint,
        text: &str,
        Extra { turn, full }: Extra<'_>,
    ) {
        // A viewer shows it on hovering; a picture has nothing of it.
        let title = match full {
            "" => String::new(),
            full => match clean(full) {
                full if full == text => String::new(),
                full => {
                    let full: String = full.chars().take(HOVER).collect();
                    format!("<title>{}</title>", escape(&full))
                }
            },
        };
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let _ = writeln!(
            self.body,
            "<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{}\"{anchor}{turn}>{title}{}</text>",
            short(x),
            short(y),
            short(size),
            paint.css(self.theme),
            escape(text)
        );
    }
}

/// What a text may have beside itself.
#[derive(Default)]
struct Extra<'a> {
    /// An attribute that turns it.
    turn: &'a str,
    /// What it was cut from.
    full: &'a str,
}

/// The `d` of a path.
#[derive(Debug, Default)]
pub(super) struct Path(String);

impl Path {
    /// Moves without drawing.
    pub(super) fn start(&mut self, (x, y): (f32, f32)) {
        let _ = write!(self.0, "M{} {}", short(x), short(y));
    }

    /// Draws a straight line.
    pub(super) fn line(&mut self, (x, y): (f32, f32)) {
        let _ = write!(self.0, "L{} {}", short(x), short(y));
    }

    /// A dot, when drawn with a wide pen. Some viewers leave out lines of no length.
    pub(super) fn dot(&mut self, (x, y): (f32, f32)) {
        // A tenth of a pixel does: there may be tens of thousands.
        let tenth = |value: f32| (value * 10.0).round() / 10.0;
        let _ = write!(self.0, "M{} {}h.01", short(tenth(x)), short(tenth(y)));
    }

    /// A closed rectangle.
    pub(super) fn rect(&mut self, x: f32, y: f32, w: f32, h: f32) {
        let (w, h) = (short(w), short(h));
        let _ = write!(self.0, "M{} {}h{w}v{h}h-{w}z", short(x), short(y));
    }

    /// Closes what was started.
    pub(super) fn close(&mut self) {
        self.0.push('z');
    }

    /// A piece of a ring around `centre`, angles in turns from the top, clockwise.
    pub(super) fn ring(&mut self, centre: (f32, f32), radii: (f32, f32), turns: (f32, f32)) {
        let at = |radius: f32, turn: f32| {
            let angle = turn * std::f32::consts::TAU;
            (centre.0 + radius * angle.sin(), centre.1 - radius * angle.cos())
        };
        // In two halves, because a single arc cannot go all the way round.
        let middle = (turns.0 + turns.1) / 2.0;
        let (outer, inner) = radii;
        self.start(at(outer, turns.0));
        self.arc(outer, 1, at(outer, middle));
        self.arc(outer, 1, at(outer, turns.1));
        self.line(at(inner, turns.1));
        self.arc(inner, 0, at(inner, middle));
        self.arc(inner, 0, at(inner, turns.0));
        self.close();
    }

    fn arc(&mut self, radius: f32, sweep: u8, (x, y): (f32, f32)) {
        let radius = short(radius);
        let _ = write!(self.0, "A{radius} {radius} 0 0 {sweep} {} {}", short(x), short(y));
    }

    /// Whether nothing was drawn.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// `text` on one line of at most `room`, its middle left out when it is longer: names often
/// differ at their ends.
pub(super) fn fit(text: &str, size: f32, room: f32) -> String {
    let text = clean(text);
    // In thousandths, as the advances are.
    let room = (room.max(0.0) * 1000.0 / size) as u64;
    let advance = |c: char| u64::from(font::advance(c));
    if text.chars().map(advance).sum::<u64>() <= room {
        return text;
    }
    let left = room.saturating_sub(advance('…'));
    let take = |chars: &mut dyn Iterator<Item = char>, room: u64| {
        let mut used = 0;
        let fits = |c: &char| {
            used += advance(*c);
            used <= room
        };
        chars.take_while(fits).collect::<String>()
    };
    let tail: String = take(&mut text.chars().rev(), left * 2 / 5).chars().rev().collect();
    let spent: u64 = tail.chars().map(advance).sum();
    let head = take(&mut text.chars(), left - spent);
    format!("{}…{}", head.trim_end(), tail.trim_start())
}

/// As [`fit`]: labels of one chart, which differ where the texts do.
pub(super) fn fit_all(texts: &[&str], size: f32, room: f32) -> Vec<String> {
    let clean: Vec<String> = texts.iter().map(|text| clean(text)).collect();
    let clean: Vec<&str> = clean.iter().map(String::as_str).collect();
    names::distinct(&clean, &|text| fit(text, size, room))
}

/// A title of a column with words before and after it, all on one line.
pub(super) fn title_of(before: &str, column: &str, after: &str) -> String {
    let words = font::width(before, TITLE) + font::width(after, TITLE);
    format!("{before}{}{after}", fit(column, TITLE, WIDTH - 2.0 * PAD - words))
}

/// One line without what XML forbids or what would turn the reading direction; what is blank is
/// shown as `""`. Bounded, so that a huge name costs little.
pub(super) fn clean(text: &str) -> String {
    const LONGEST: usize = 2_000;
    let mut out = String::new();
    for c in text.chars().take(LONGEST) {
        let dropped = matches!(u32::from(c),
            0x200B..=0x200F | 0x202A..=0x202E | 0x2066..=0x2069 | 0xFEFF | 0xFFFE | 0xFFFF);
        match c {
            _ if dropped => {}
            _ if c.is_whitespace() || c.is_control() => {
                if !out.is_empty() && !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            _ => out.push(c),
        }
    }
    out.truncate(out.trim_end().len());
    if out.is_empty() { "\"\"".to_owned() } else { out }
}

/// For XML.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // What XML forbids.
            '\u{fffe}' | '\u{ffff}' => {}
            _ if c.is_control() => {}
            _ => out.push(c),
        }
    }
    // A text must not pass for one of the variables, which are replaced in pictures.
    if out.contains("var(--") { out.replace("var(--", "var&#40;--") } else { out }
}

fn alpha(name: &str, opacity: f32) -> String {
    if opacity < 1.0 { format!(" {name}=\"{}\"", short(opacity)) } else { String::new() }
}

/// At most two decimals and nothing superfluous; what is no number is 0.
fn short(value: f32) -> f32 {
    let rounded = (value * 100.0).round() / 100.0;
    // Adding 0 makes -0 a 0.
    if rounded.is_finite() { rounded + 0.0 } else { 0.0 }
}
