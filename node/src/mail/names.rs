//! Names of files that come from the network. They are cleaned, never trusted: what a name says
//! never chooses where a file goes.

use std::collections::HashSet;

/// Longest name that file systems take, in bytes.
const MAX_BYTES: usize = 255;
/// Room that is left for a number, as in `name (12).txt`.
const MAX_CLEAN: usize = MAX_BYTES - 8;
/// Longest ending that is kept when a name is cut.
const MAX_ENDING: usize = 16;
/// What a file without a name is called.
const UNNAMED: &str = "unnamed";
/// Names that Windows keeps for devices, whatever their ending.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// One name, without anything that is more than a name: no separators, no control characters, no
/// marks that turn the direction of text, nothing that Windows takes for a device.
pub fn clean(name: &str) -> String {
    let kept: String = name
        .chars()
        .filter(|c| !c.is_control() && !invisible(*c))
        .map(|c| if "/\\:*?\"<>|".contains(c) { '_' } else { c })
        .collect();
    // Windows drops dots and spaces at the end; spaces at the start hide a name.
    let kept = kept.trim_start().trim_end_matches([' ', '.']);
    if kept.is_empty() || kept.chars().all(|c| c == '.' || c.is_whitespace()) {
        return UNNAMED.to_owned();
    }
    let stem = kept.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let numbered = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    let device = DEVICES.contains(&stem.as_str())
        || numbered.is_some_and(|n| n.chars().count() == 1 && n.chars().all(char::is_numeric));
    let kept = if device { format!("_{kept}") } else { kept.to_owned() };
    cut(&kept)
}

/// A path of cleaned names; empty parts and those that lead up or nowhere are left out. `None` when
/// nothing is left, or when it is deeper than `deepest`.
pub fn clean_path(path: &str, deepest: usize) -> Option<Vec<String>> {
    let parts: Vec<String> = path
        .split(['/', '\\'])
        .filter(|part| !matches!(*part, "" | "." | ".."))
        .map(clean)
        .collect();
    (!parts.is_empty() && parts.len() <= deepest).then_some(parts)
}

/// The `n`th name to try where others are taken: `a.txt`, `a (2).txt`, `a (3).txt`.
pub fn numbered(name: &str, n: usize) -> String {
    if n <= 1 {
        return name.to_owned();
    }
    let (stem, ending) = split(name);
    format!("{stem} ({n}){ending}")
}

/// Names in one folder that are taken, as a file system sees them that ignores case.
#[derive(Debug, Default)]
pub struct Taken(HashSet<String>);

impl Taken {
    /// Takes a name, or the first numbered one that is free.
    pub fn take(&mut self, name: &str) -> String {
        let mut n = 1;
        loop {
            let wanted = numbered(name, n);
            if self.0.insert(wanted.to_lowercase()) {
                return wanted;
            }
            n += 1;
        }
    }
}

/// Marks that change how a name looks and not what it is: directions (Unicode UAX #9), joiners,
/// and the byte order mark.
fn invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{061c}' | '\u{180e}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{2028}' | '\u{2029}')
}

fn cut(name: &str) -> String {
    if name.len() <= MAX_CLEAN {
        return name.to_owned();
    }
    let (stem, ending) = split(name);
    let mut end = MAX_CLEAN.saturating_sub(ending.len()).min(stem.len());
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{ending}", stem[..end].trim_end())
}

/// What stands before the ending, and the ending with its dot.
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= MAX_ENDING => name.split_at(dot),
        _ => (name, ""),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_cleaned() {
        for (name, clean_name) in [
            ("report.pdf", "report.pdf"),
            ("年报 2026.xlsx", "年报 2026.xlsx"),
            (".profile", ".profile"),
            ("../../etc/passwd", ".._.._etc_passwd"),
            ("C:\\boot.ini", "C__boot.ini"),
            ("a\0b\nc\u{7f}", "abc"),
            ("", UNNAMED),
            (" . ", UNNAMED),
            ("..", UNNAMED),
            ("name. . ", "name"),
            ("CON", "_CON"),
            ("con.txt", "_con.txt"),
            ("Com1.log", "_Com1.log"),
            ("com10", "com10"),
            ("aux .c", "_aux .c"),
            // Looks like "ann-exe.txt" where the mark is obeyed.
            ("ann-\u{202e}txt.exe", "ann-txt.exe"),
            ("\u{feff}a\u{200b}b", "ab"),
        ] {
            assert_eq!(clean(name), clean_name, "{name:?}");
        }
        let long = format!("{}.tar.gz", "ü".repeat(300));
        let cleaned = clean(&long);
        assert!(cleaned.len() <= MAX_CLEAN && cleaned.ends_with("ü.gz"), "{cleaned}");
    }

    #[test]
    fn paths_lead_nowhere_else() {
        let path = |text| clean_path(text, 8).map(|parts| parts.join("/"));
        assert_eq!(path("a/b/c.txt").as_deref(), Some("a/b/c.txt"));
        assert_eq!(path("/etc//./passwd").as_deref(), Some("etc/passwd"));
        assert_eq!(path("../../x").as_deref(), Some("x"));
        assert_eq!(path("..\\..\\x").as_deref(), Some("x"));
        assert_eq!((path("/"), path(".."), path("1/2/3/4/5/6/7/8/9")), (None, None, None));
    }

    #[test]
    fn clashes_get_numbers_whatever_their_case() {
        let mut taken = Taken::default();
        let names = ["a.txt", "A.TXT", "a.txt", "b", "a (2).txt"].map(|name| taken.take(name));
        assert_eq!(names, ["a.txt", "A (2).TXT", "a (3).txt", "b", "a (2) (2).txt"]);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_one_name(text in any::<String>()) {
            let name = clean(&text);
            prop_assert!(!name.is_empty() && name.len() <= MAX_CLEAN + 1);
            prop_assert!(name != "." && name != "..");
            prop_assert!(!name.contains(['/', '\\', '\0', ':']));
            prop_assert_eq!(clean(&name), name.clone(), "cleaning again changes nothing");
            prop_assert!(numbered(&name, 9999).len() <= MAX_BYTES);
        }
    }
}
