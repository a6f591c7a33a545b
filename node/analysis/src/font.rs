//! The bundled font, cut to Latin and the common Chinese characters: its bytes, and how wide a
//! text is in it.

pub mod web;

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use resvg::usvg::fontdb::{Database, Source};

/// The families that an SVG asks for, the nearest to the bundled font first.
pub const FAMILY: &str =
    "'Noto Sans SC','Noto Sans CJK SC','Microsoft YaHei','PingFang SC',sans-serif";

/// The family name inside the bundled font.
pub const NAME: &str = "Noto Sans CJK SC";

/// From the baseline to the top of a tall letter or a Chinese character, in font sizes.
pub const ASCENT: f32 = 0.88;

/// From the baseline to the lowest point, in font sizes.
pub const DESCENT: f32 = 0.21;

/// Stands in pictures for a character that the font lacks.
const LACKING: char = '·';

/// From, to, advance in thousandths of the font size; sorted, without overlap.
static ADVANCES: OnceLock<Vec<(u32, u32, u16)>> = OnceLock::new();

static DATABASE: OnceLock<Arc<Database>> = OnceLock::new();

/// The font file, OpenType with CFF outlines.
pub fn data() -> &'static [u8] {
    include_bytes!("../fonts/NotoSansSC-cut.otf")
}

/// The bundled font and no other, whatever family is asked for.
pub fn database() -> Arc<Database> {
    let make = || {
        let mut database = Database::new();
        database.load_font_source(Source::Binary(Arc::new(data())));
        database.set_serif_family(NAME);
        database.set_sans_serif_family(NAME);
        database.set_monospace_family(NAME);
        Arc::new(database)
    };
    DATABASE.get_or_init(make).clone()
}

/// How wide `text` is on one line, in the unit of `size`. Exact for what the font has; of other
/// characters a guess at what a viewer's own fonts will take.
pub fn width(text: &str, size: f32) -> f32 {
    let thousandths: u64 = text.chars().map(|c| u64::from(advance(c))).sum();
    thousandths as f32 * size / 1000.0
}

/// How wide one character is, in thousandths of the font size.
pub fn advance(c: char) -> u16 {
    known(c).unwrap_or_else(|| match u32::from(c) {
        _ if is_joiner(c) => 0,
        0x1F000.. => 1300,
        0x1100.. => 1000,
        // A viewer has it, a picture shows a dot instead: the wider of the two.
        _ => known(LACKING).unwrap_or(0).max(650),
    })
}

/// `text` as the bundled font can draw it: a middle dot for each character that it lacks.
pub fn drawable(text: &str) -> Cow<'_, str> {
    // Printable ASCII is nearly all of a drawing, and the font has it.
    let fine = |c: char| matches!(c, ' '..='~' | '\n' | '\r' | '\t') || known(c).is_some();
    if text.chars().all(fine) {
        return Cow::Borrowed(text);
    }
    let replace = |c: char| match c {
        _ if fine(c) => Some(c),
        _ if is_joiner(c) => None,
        _ => Some(LACKING),
    };
    Cow::Owned(text.chars().filter_map(replace).collect())
}

/// The advance of a character that the font has.
fn known(c: char) -> Option<u16> {
    let runs = ADVANCES.get_or_init(|| read_advances(include_str!("../fonts/advances.txt")));
    let point = u32::from(c);
    let after = runs.partition_point(|run| run.0 <= point);
    let (_, to, advance) = *runs.get(after.checked_sub(1)?)?;
    (point <= to).then_some(advance)
}

/// Characters that take no room of their own: controls, combining marks, joiners, selectors.
fn is_joiner(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0x300..=0x36F | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0x20D0..=0x20FF
            | 0xFE00..=0xFE0F | 0xFEFF | 0x1F3FB..=0x1F3FF | 0xE0000..=0xE0FFF)
}

fn read_advances(text: &str) -> Vec<(u32, u32, u16)> {
    let read = |line: &str| {
        let mut parts = line.split(' ');
        let from = u32::from_str_radix(parts.next()?, 16).ok()?;
        let to = u32::from_str_radix(parts.next()?, 16).ok()?;
        Some((from, to, parts.next()?.parse().ok()?))
    };
    text.lines().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let text = include_str!("../fonts/advances.txt");
        let runs = read_advances(text);
        assert_eq!(runs.len(), text.lines().count());
        assert!(runs.windows(2).all(|pair| pair[0].1 < pair[1].0));
        assert_eq!(runs.iter().map(|run| run.1 - run.0 + 1).sum::<u32>(), 11_393);
        assert!((' '..='~').all(|c| known(c).is_some()));
    }

    #[test]
    fn lacking_characters_become_dots() {
        assert_eq!(drawable("温度 ℃"), "温度 ℃");
        assert_eq!(drawable("a😀\u{fe0f}b\u{202e}"), "a·b");
    }
}
