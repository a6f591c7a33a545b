//! Texts of a file, made harmless: nothing that a cell or a name contains can become markup,
//! turn the reading direction of the page, or stay invisible.

/// Escaped for text and for attributes in double quotes. Control characters and those that
/// change the direction of reading become visible signs; XML 1.0 and HTML both accept the rest.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    text.chars().for_each(|c| push(&mut out, c));
    out
}

/// As [`escape`], at most `most` characters of the text, the rest an ellipsis.
pub(super) fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => escape(text),
        Some((end, _)) => escape(&text[..end]) + "…",
    }
}

/// A text of the file in a line of the page, shortened, its direction kept to itself.
pub(super) fn quoted(text: &str, most: usize) -> String {
    format!("<bdi>{}</bdi>", short(text, most))
}

/// As [`quoted`]; where the text is shortened, up to `full` characters of it show on hovering.
pub(super) fn titled(text: &str, most: usize, full: usize) -> String {
    if text.char_indices().nth(most).is_none() {
        return quoted(text, most);
    }
    format!("<bdi title=\"{}\">{}</bdi>", short(text, full), short(text, most))
}

/// As [`titled`], at most as wide as `most` Latin letters; a Chinese character is as wide as two.
pub(super) fn narrow(text: &str, most: usize, full: usize) -> String {
    let mut used = 0;
    let fits = |c: &char| {
        used += wide(*c);
        used <= most
    };
    titled(text, text.chars().take_while(fits).count(), full)
}

/// How wide a character is beside a Latin letter.
pub(super) fn wide(c: char) -> usize {
    if u32::from(c) < 0x1100 { 1 } else { 2 }
}

/// At most so wide, the middle left out: names often differ at their ends.
pub(super) fn middle(text: &str, most: usize, wide: fn(char) -> usize) -> String {
    if text.chars().map(wide).sum::<usize>() <= most {
        return text.to_owned();
    }
    let tail = most * 2 / 5;
    let take = |chars: &mut dyn Iterator<Item = char>, room: usize| {
        let mut used = 0;
        let fits = |c: &char| {
            used += wide(*c);
            used <= room
        };
        chars.take_while(fits).collect::<String>()
    };
    let head = take(&mut text.chars(), most.saturating_sub(tail + 1));
    let tail: String = take(&mut text.chars().rev(), tail).chars().rev().collect();
    format!("{head}…{tail}")
}

/// A label with all that it is cut from on hovering.
pub(super) fn labelled(label: &str, full: &str) -> String {
    match label == full {
        true => format!("<bdi>{}</bdi>", escape(label)),
        false => format!("<bdi title=\"{}\">{}</bdi>", short(full, 300), escape(label)),
    }
}

fn push(out: &mut String, c: char) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        '\u{0}'..='\u{1f}' => out.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}')),
        '\u{7f}' => out.push('\u{2421}'),
        '\u{80}'..='\u{9f}' => out.push('\u{fffd}'),
        _ if is_hidden(c) => out.push_str(&format!("[U+{:04X}]", u32::from(c))),
        // Both are no characters; so are the last two of every other plane, which XML allows.
        '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
        _ => out.push(c),
    }
}

/// Characters that turn the direction of reading, break lines or take no room. Joiners are left
/// alone: Persian and emoji need them.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_text() {
        assert_eq!(escape("<b a='1'>&\"]]>"), "&lt;b a=&#39;1&#39;&gt;&amp;&quot;]]&gt;");
    }

    #[test]
    fn nothing_stays_invisible() {
        assert_eq!(escape("a\u{0}b\nc\u{7f}\u{85}"), "a␀b␊c␡�");
        assert_eq!(escape("gpj\u{202e}exe\u{feff}"), "gpj[U+202E]exe[U+FEFF]");
        assert_eq!(escape("\u{ffff}"), "�");
        assert_eq!(escape("👩\u{200d}🚀 名字"), "👩\u{200d}🚀 名字");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(short("名字很长", 2), "名字…");
        assert_eq!(short("名字", 2), "名字");
        assert_eq!(titled("a<b>c", 2, 4), "<bdi title=\"a&lt;b&gt;…\">a&lt;…</bdi>");
        assert_eq!(narrow("名字很长", 5, 9), "<bdi title=\"名字很长\">名字…</bdi>");
        assert_eq!(narrow("名字ab", 6, 9), "<bdi>名字ab</bdi>");
        assert_eq!(middle("abcdefghijkl", 10, wide), "abcde…ijkl");
        assert_eq!(middle("这是很长的名字", 10, wide), "这是…名字");
        assert_eq!(middle("这是很长的名字", 10, |_| 1), "这是很长的名字");
    }
}
