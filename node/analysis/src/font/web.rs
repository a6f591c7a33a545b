//! The glyphs of the bundled font that a page uses, as a font of its own in the page: so it shows
//! Chinese on a machine that has no Chinese font.
//!
//! `subsetter` cuts the outlines, for PDF; what browsers want beside them (which glyph a character
//! has, and the measures for a line) is added here. OpenType 1.9, "Font file" and `cmap`.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use subsetter::GlyphRemapper;
use ttf_parser::Face;

use super::data;

/// The family that a page asks for, one of [`super::FAMILY`].
const FAMILY: &str = "Noto Sans SC";

/// A style with the characters of `text` that the bundled font has; nothing when it has none of
/// those that are not Latin, which every machine shows.
pub fn face(text: &str) -> Option<String> {
    let other = |c: &char| u32::from(*c) >= 0x2000;
    if !text.chars().any(|c| other(&c)) {
        return None;
    }
    let font = BASE64.encode(&subset(text)?);
    Some(format!(
        "@font-face {{ font-family: \"{FAMILY}\"; src: url(data:font/otf;base64,{font}) format(\"opentype\"); }}\n"
    ))
}

/// The font with the glyphs of these characters only.
fn subset(text: &str) -> Option<Vec<u8>> {
    let whole = Face::parse(data(), 0).ok()?;
    let mut glyphs = GlyphRemapper::new();
    let mut points = BTreeMap::new();
    for c in text.chars().filter(|c| !c.is_control()) {
        if let Some(glyph) = whole.glyph_index(c) {
            points.entry(u32::from(c)).or_insert_with(|| glyphs.remap(glyph.0));
        }
    }
    let cut = subsetter::subset(data(), 0, &glyphs).ok()?;
    let mut tables = tables(&cut)?;
    let lines = whole.raw_face().table(ttf_parser::Tag::from_bytes(b"OS/2"))?;
    tables.insert(*b"OS/2", lines.to_vec());
    tables.insert(*b"cmap", cmap(&points));
    Some(file(tables))
}

/// The tables of a font by their names.
fn tables(font: &[u8]) -> Option<BTreeMap<[u8; 4], Vec<u8>>> {
    let number = |at: usize| font.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    let count = u16::from_be_bytes(font.get(4..6)?.try_into().ok()?);
    let record = |at: usize| {
        let name: [u8; 4] = font.get(at..at + 4)?.try_into().ok()?;
        let (start, long) = (number(at + 8)? as usize, number(at + 12)? as usize);
        Some((name, font.get(start..start + long)?.to_vec()))
    };
    (0..usize::from(count)).map(|at| record(12 + 16 * at)).collect()
}

/// Which glyph a character has: one table of segments (format 12) for Windows and one for Unicode.
fn cmap(points: &BTreeMap<u32, u16>) -> Vec<u8> {
    let mut groups: Vec<(u32, u32, u32)> = Vec::new();
    for (&point, &glyph) in points {
        let glyph = u32::from(glyph);
        match groups.last_mut() {
            Some((from, to, first)) if *to + 1 == point && *first + (point - *from) == glyph => {
                *to = point;
            }
            _ => groups.push((point, point, glyph)),
        }
    }
    let mut table = Vec::new();
    let mut two = |number: u16| table.extend(number.to_be_bytes());
    [0, 2].map(&mut two);
    for platform in [(0_u16, 4_u16), (3, 10)] {
        [platform.0, platform.1, 0, 20].map(&mut two);
    }
    [12, 0].map(&mut two);
    let mut four = |number: u32| table.extend(number.to_be_bytes());
    let count = groups.len() as u32;
    [16 + 12 * count, 0, count].map(&mut four);
    for (from, to, glyph) in groups {
        [from, to, glyph].map(&mut four);
    }
    table
}

/// A font file of these tables.
fn file(mut tables: BTreeMap<[u8; 4], Vec<u8>>) -> Vec<u8> {
    // The sum over the whole file is made with none in it.
    const SUM: std::ops::Range<usize> = 8..12;
    if let Some(sum) = tables.get_mut(b"head").and_then(|head| head.get_mut(SUM)) {
        sum.fill(0);
    }
    let count = tables.len() as u16;
    let power = count.ilog2() as u16;
    let range = 16 << power;
    let mut font = b"OTTO".to_vec();
    for number in [count, range, power, count * 16 - range] {
        font.extend(number.to_be_bytes());
    }
    let mut at = 12 + 16 * tables.len();
    let mut head = None;
    for (name, table) in &tables {
        font.extend(name);
        for number in [checksum(table), at as u32, table.len() as u32] {
            font.extend(number.to_be_bytes());
        }
        if name == b"head" {
            head = Some(at);
        }
        at += table.len().next_multiple_of(4);
    }
    for table in tables.values() {
        font.extend(table);
        font.resize(font.len().next_multiple_of(4), 0);
    }
    let sum = 0xb1b0_afba_u32.wrapping_sub(checksum(&font));
    if let Some(place) = head.and_then(|at| font.get_mut(at + SUM.start..at + SUM.end)) {
        place.copy_from_slice(&sum.to_be_bytes());
    }
    font
}

fn checksum(bytes: &[u8]) -> u32 {
    let word = |word: &[u8]| {
        let mut whole = [0; 4];
        whole[..word.len()].copy_from_slice(word);
        u32::from_be_bytes(whole)
    };
    bytes.chunks(4).fold(0, |sum, bytes| sum.wrapping_add(word(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_font_has_the_glyphs_of_a_text_and_no_others() {
        let text = "Report 报告：平均值 ½ 12,5 €";
        let cut = subset(text).expect("a font");
        assert!(cut.len() < 20_000, "{} bytes", cut.len());
        let (whole, part) = (Face::parse(data(), 0).expect("the font"), Face::parse(&cut, 0));
        let part = part.expect("a font");
        for c in text.chars() {
            let (old, new) = (whole.glyph_index(c).expect("old"), part.glyph_index(c));
            let new = new.unwrap_or_else(|| panic!("{c} is lost"));
            assert_eq!(whole.glyph_hor_advance(old), part.glyph_hor_advance(new), "{c}");
            assert_eq!(whole.glyph_bounding_box(old), part.glyph_bounding_box(new), "{c}");
        }
        assert_eq!(part.glyph_index('汉'), None);
        assert_eq!((part.ascender(), part.units_per_em()), (whole.ascender(), 1000));
    }

    #[test]
    fn latin_needs_no_font() {
        assert_eq!(face("Plain text, naïve"), None);
        assert!(face("数据").expect("a face").contains("font/otf;base64,T1RUT"));
    }
}
