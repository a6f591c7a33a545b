//! Short names for columns and values that stay different from each other.

use std::collections::HashMap;

/// What is kept beside what differs, from round to round less, until the labels differ.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Beside {
    /// The words that it is part of, and the word before it.
    Words,
    /// The words that it is part of, and letters while there is room.
    Word,
    /// Only letters.
    Nothing,
}

/// Letters of a name that are looked at, so that thousands of long names take no time.
const LONGEST: usize = 1000;

/// Letters of words that are kept.
const WORD: usize = 14;

/// Each name as `cut` leaves it. Where names that differ would become equal, what they have in
/// common at both ends is left out first; where that does not help, they are numbered.
pub(crate) fn distinct(names: &[&str], cut: &dyn Fn(&str) -> String) -> Vec<String> {
    let mut labels: Vec<String> = names.iter().map(|name| cut(name)).collect();
    for beside in [Beside::Words, Beside::Word, Beside::Nothing] {
        for group in equal(names, &labels) {
            let letters = |place: &usize| names[*place].chars().take(LONGEST).collect();
            let letters: Vec<Vec<char>> = group.iter().map(letters).collect();
            let (before, after) = common(&letters);
            let texts = |more: usize| -> Vec<String> {
                let text = |letters: &Vec<char>| middle(letters, (before, after), beside, more);
                letters.iter().map(text).collect()
            };
            let fit = |texts: &Vec<String>| texts.iter().all(|text| cut(text) == *text);
            let widest = if beside == Beside::Words { 0 } else { WORD };
            let texts = (0..=widest).rev().map(texts).find(fit).unwrap_or_else(|| texts(0));
            for (place, text) in group.into_iter().zip(texts) {
                labels[place] = cut(&text);
            }
        }
    }
    for group in equal(names, &labels) {
        for place in group {
            labels[place] = cut(&format!("{} ({})", names[place], place + 1));
        }
    }
    labels
}

/// Places of different names with equal labels, in groups.
fn equal(names: &[&str], labels: &[String]) -> Vec<Vec<usize>> {
    let mut groups: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, label) in labels.iter().enumerate() {
        groups.entry(label).or_default().push(place);
    }
    let differ = |group: &Vec<usize>| group.iter().any(|place| names[*place] != names[group[0]]);
    let mut groups: Vec<Vec<usize>> = groups.into_values().filter(differ).collect();
    groups.sort_unstable();
    groups
}

/// How many letters all have in common at the beginning, and at the end beyond those.
fn common(names: &[Vec<char>]) -> (usize, usize) {
    let Some((first, others)) = names.split_first() else { return (0, 0) };
    let (mut before, mut least) = (first.len(), first.len());
    for other in others {
        let same = first.iter().zip(other).take_while(|(one, other)| one == other).count();
        (before, least) = (before.min(same), least.min(other.len()));
    }
    let mut after = least - before;
    for other in others {
        let pairs = first.iter().rev().zip(other.iter().rev());
        after = after.min(pairs.take_while(|(one, other)| one == other).count());
    }
    (before, after)
}

/// What differs, what is kept beside it, and so many letters more at both ends.
fn middle(name: &[char], (before, after): (usize, usize), beside: Beside, more: usize) -> String {
    let parts = |c: &char| !c.is_alphanumeric();
    let differs = before..name.len() - after;
    let nearest = before.saturating_sub(WORD);
    let word_before = |until: usize| name[nearest..until.max(nearest)].iter().rposition(parts);
    let furthest = (differs.end + WORD).min(name.len());
    let word_after = || name[differs.end..furthest].iter().position(parts);
    let (start, end) = match beside {
        Beside::Words => {
            let start = match word_before(before.saturating_sub(1)) {
                _ if nearest == 0 => 0,
                Some(place) => nearest + place + 1,
                None => before.saturating_sub(WORD / 2),
            };
            let end = match word_after() {
                _ if furthest == name.len() => name.len(),
                Some(place) => differs.end + place,
                None => (differs.end + WORD / 2).min(name.len()),
            };
            (start, end)
        }
        Beside::Word => {
            let start = word_before(before).map_or(before, |place| nearest + place + 1);
            (start, word_after().map_or(differs.end, |place| differs.end + place))
        }
        Beside::Nothing => (differs.start, differs.end),
    };
    let (start, end) = (start.saturating_sub(more), (end + more).min(name.len()));
    let mut text: String = if start > 0 { "…".into() } else { String::new() };
    text.extend(&name[start..end]);
    if end < name.len() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twelve letters, the middle left out.
    fn cut(text: &str) -> String {
        let letters: Vec<char> = text.chars().collect();
        match letters.len() {
            0..=14 => text.to_owned(),
            all => {
                let (head, tail) = (&letters[..8], &letters[all - 5..]);
                format!("{}…{}", String::from_iter(head), String::from_iter(tail))
            }
        }
    }

    #[test]
    fn what_differs_in_the_middle_is_shown() {
        let name = |number| format!("survey question {number} about household income");
        let names: Vec<String> = [7, 17, 18].into_iter().map(name).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let all = distinct(&names, &cut);
        assert_eq!(all, ["…question 7…", "…question 17…", "…question 18…"]);
    }

    #[test]
    fn with_little_room_only_what_differs_is_shown() {
        let names: Vec<String> =
            (7..11).map(|n| format!("measurement_{n:02}_temperature")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(
            distinct(&names, &cut),
            ["…ment_07_temp…", "…ment_08_temp…", "…ment_09_temp…", "…ment_10_temp…"]
        );
        let names =
            ["很长很长很长很长的列名甲很长很长的列名", "很长很长很长很长的列名乙很长很长的列名"];
        assert_eq!(
            distinct(&names, &cut),
            ["…很长的列名甲很长很长的…", "…很长的列名乙很长很长的…"]
        );
    }

    #[test]
    fn names_stay_different_whatever_they_are() {
        let mut names: Vec<String> =
            (0..200).map(|n| format!("{}{n:03}{0}", "x".repeat(30))).collect();
        names.extend((0..50).map(|n| format!("{}{}", "y".repeat(40), "z".repeat(n))));
        names.extend((0..50).map(|n| format!("很长的列名{}很长的列名很长的列名", "列".repeat(n))));
        names.extend(["", " ", "a", "一"].map(str::to_owned));
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let labels = distinct(&names, &cut);
        let different: std::collections::HashSet<&String> = labels.iter().collect();
        assert_eq!(different.len(), names.len());
        assert!(labels.iter().all(|label| label.chars().count() <= 14), "{labels:?}");
    }

    #[test]
    fn equal_names_stay_equal_and_short_ones_whole() {
        assert_eq!(distinct(&["a", "a", "b"], &cut), ["a", "a", "b"]);
        assert!(distinct(&[], &cut).is_empty());
    }
}
