//! Splits a text into pieces: words of scripts that write them apart, and runs of Chinese
//! characters, which are cut into words later.

use std::ops::Range;

/// Longer ones are keys and addresses, not words. Bytes.
const LONGEST_WORD: usize = 120;

/// A longer run of Chinese characters is cut here, maybe through a word, so that nothing grows
/// with the text. Characters.
const LONGEST_RUN: usize = 200;

/// What a piece is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    /// A word as it stands.
    Spaced,
    /// Chinese characters without a break.
    Chinese,
}

/// Calls `each` with every piece of at least two characters, of which a word has at least one
/// letter. An English word loses its `'s`.
pub(super) fn split(text: &str, mut each: impl FnMut(Range<usize>, Script)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let mut seen = 0;
        while let Some(&byte) = bytes.get(at)
            && CLASS[byte as usize] != 0
        {
            seen |= CLASS[byte as usize];
            at += 1;
        }
        if seen & WIDE != 0 {
            split_wide(text, start..at, &mut each);
        } else if seen & LETTER != 0 {
            word(text, start..at, seen & JOINER != 0, &mut each);
        }
        at += 1;
    }
}

const LETTER: u8 = 1;
const DIGIT: u8 = 2;
const JOINER: u8 = 4;
/// Part of a character beyond ASCII.
const WIDE: u8 = 8;

/// What each byte is; 0 parts words.
const CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        class[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' => LETTER,
            b'0'..=b'9' => DIGIT,
            b'\'' => JOINER,
            0x80.. => WIDE,
            _ => 0,
        };
        byte += 1;
    }
    class
};

/// What a character is, beyond ASCII too.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Belongs to a word.
    Word,
    /// An apostrophe: belongs to a word when inside it.
    Joiner,
    /// Belongs to whatever stands before it.
    Mark,
    /// Chinese, also in Japanese texts.
    Han,
    /// Writes words in Japanese texts. (Hiragana mostly writes their endings and is left out.)
    Katakana,
    /// Parts words.
    Other,
}

fn part(c: char) -> Part {
    match c {
        '\'' | '’' => Part::Joiner,
        '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}'
        | '々' => Part::Han,
        '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}' | '\u{ff66}'..='\u{ff9f}' => {
            Part::Katakana
        }
        '\u{3040}'..='\u{309f}' => Part::Other,
        // Marks that the standard library does not count as letters: accents, Hebrew points,
        // viramas and nuktas of Indic scripts, tones of Thai and its neighbours, joiners.
        '\u{300}'..='\u{36f}'
        | '\u{591}'..='\u{5c7}'
        | '\u{93c}'
        | '\u{94d}'
        | '\u{9bc}'
        | '\u{9cd}'
        | '\u{a3c}'
        | '\u{a4d}'
        | '\u{abc}'
        | '\u{acd}'
        | '\u{b3c}'
        | '\u{b4d}'
        | '\u{bcd}'
        | '\u{c4d}'
        | '\u{cbc}'
        | '\u{ccd}'
        | '\u{d4d}'
        | '\u{dca}'
        | '\u{e47}'..='\u{e4e}'
        | '\u{ec8}'..='\u{ece}'
        | '\u{1037}'
        | '\u{1039}'
        | '\u{103a}'
        | '\u{17c9}'..='\u{17d3}'
        | '\u{200c}'
        | '\u{200d}' => Part::Mark,
        c if c.is_alphanumeric() => Part::Word,
        _ => Part::Other,
    }
}

fn split_wide(text: &str, range: Range<usize>, each: &mut impl FnMut(Range<usize>, Script)) {
    let mut run = Part::Other;
    let mut start = range.start;
    let mut length = 0;
    for (offset, c) in text[range.clone()].char_indices() {
        let at = range.start + offset;
        let mut next = part(c);
        if run != Part::Other && (next == Part::Mark || (run == Part::Word && next == Part::Joiner))
        {
            next = run;
        }
        if next != run || (run == Part::Han && length == LONGEST_RUN) {
            end_run(text, run, start..at, each);
            (run, start, length) = (next, at, 0);
        }
        length += 1;
    }
    end_run(text, run, start..range.end, each);
}

fn end_run(
    text: &str,
    run: Part,
    range: Range<usize>,
    each: &mut impl FnMut(Range<usize>, Script),
) {
    match run {
        Part::Word => word(text, range, true, each),
        Part::Katakana => word(text, range, false, each),
        Part::Han if text[range.clone()].chars().nth(1).is_some() => each(range, Script::Chinese),
        _ => {}
    }
}

fn word(text: &str, range: Range<usize>, trim: bool, each: &mut impl FnMut(Range<usize>, Script)) {
    let range = if trim { without_apostrophes(text, range) } else { range };
    let word = &text[range.clone()];
    let is_word = if word.is_ascii() {
        word.len() > 1 && word.bytes().any(|byte| byte.is_ascii_alphabetic())
    } else {
        word.chars().filter(|c| part(*c) != Part::Mark).nth(1).is_some()
            && word.chars().any(char::is_alphabetic)
    };
    if is_word && range.len() <= LONGEST_WORD {
        each(range, Script::Spaced);
    }
}

fn without_apostrophes(text: &str, range: Range<usize>) -> Range<usize> {
    const APOSTROPHES: [char; 2] = ['\'', '’'];
    let trimmed = text[range.clone()].trim_start_matches(APOSTROPHES);
    let start = range.end - trimmed.len();
    let trimmed = trimmed.trim_end_matches(APOSTROPHES);
    let owned = trimmed.strip_suffix(['s', 'S']).and_then(|rest| rest.strip_suffix(APOSTROPHES));
    start..start + owned.unwrap_or(trimmed).len()
}
