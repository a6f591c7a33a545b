//! Turns the errors of the TOML reader into one line that a person can act on.

use toml::de::{DeTable, DeValue};

use super::shown;

/// Where a mistake is and what to do about it.
pub(crate) struct Explained {
    /// Counted from 1.
    pub line: usize,
    /// One line of plain words.
    pub reason: String,
}

/// Explains an error that reading `source` as a [`Config`](super::Config) gave.
pub(super) fn explain(source: &str, error: &toml::de::Error) -> Explained {
    let mut explained = plain(source, error);
    let start = error.span().map_or(0, |span| span.start);
    if let Some((field, known_here)) = unknown_field(error.message()) {
        let everywhere = known("");
        let top = known_here.contains(&"contacts");
        let known_here = match top {
            true => everywhere.iter().map(String::as_str).collect(),
            false => known_here,
        };
        explained.reason = unknown(field, &known_here);
    } else if let Some(setting) = setting_at(source, start) {
        explained.reason = format!("'{setting}': {}", explained.reason);
    }
    explained
}

/// Explains an error that reading any TOML text gave.
pub(crate) fn plain(source: &str, error: &toml::de::Error) -> Explained {
    let line = line_at(source, error.span().map_or(0, |span| span.start));
    let message = error.message().lines().next().unwrap_or_default();
    let reason = match unknown_field(message) {
        Some((field, known)) => {
            format!("unknown setting '{}' (known here: {})", shown(field), known.join(", "))
        }
        None => plain_words(message),
    };
    Explained { line, reason }
}

/// The line of a byte, counted from 1.
pub(crate) fn line_at(source: &str, offset: usize) -> usize {
    let before = source.as_bytes().get(..offset).unwrap_or(source.as_bytes());
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

/// The line of the first of `settings` that stands in `[section]`, else 1.
pub(super) fn line_of(source: &str, section: &str, settings: &[&str]) -> usize {
    let Ok(table) = DeTable::parse(source) else {
        return 1;
    };
    let Some(DeValue::Table(section)) = table.get_ref().get(section).map(|it| it.get_ref()) else {
        return 1;
    };
    let found = settings.iter().find_map(|setting| section.get(*setting));
    found.map_or(1, |value| line_at(source, value.span().start))
}

/// The settings that `section` (empty: the top level) knows, in order.
pub(super) fn known(section: &str) -> Vec<String> {
    let probe = if section.is_empty() { "?=0".to_owned() } else { format!("[{section}]\n?=0") };
    let probe = probe.replace('?', "\"?\"");
    let error = super::Config::read(&probe).err();
    let fields = error.as_ref().and_then(|error| unknown_field(error.message()));
    let mut known: Vec<_> =
        fields.map_or(Vec::new(), |(_, known)| known.into_iter().map(str::to_owned).collect());
    if section.is_empty() {
        // The sections of services stand before those of people.
        let own = super::sections().map(|section| section.name.to_owned());
        let at = known.len().saturating_sub(4);
        known.splice(at..at, own);
    }
    known
}

/// The sections with settings of fixed names, in order.
pub(super) fn with_settings() -> Vec<&'static str> {
    ["network", "services"].into_iter().chain(super::sections().map(|it| it.name)).collect()
}

/// The field and the known ones, out of serde's "unknown field `a`, expected one of `b`, `c`".
fn unknown_field(message: &str) -> Option<(&str, Vec<&str>)> {
    let rest = message.strip_prefix("unknown field `")?;
    let (field, rest) = rest.split_once("`, expected ").or_else(|| rest.split_once("`, there "))?;
    Some((field, rest.split('`').skip(1).step_by(2).collect()))
}

fn unknown(field: &str, known_here: &[&str]) -> String {
    let field = shown(field);
    let sections = with_settings();
    let elsewhere = sections.iter().find(|section| known(section).contains(&field));
    if let Some(section) = elsewhere {
        return format!("unknown setting '{field}' (it belongs below [{section}])");
    }
    let everywhere = sections.iter().flat_map(|section| known(section)).collect::<Vec<_>>();
    let nearest = known_here
        .iter()
        .copied()
        .chain(everywhere.iter().map(String::as_str))
        .map(|known| (distance(&field, known), known))
        .filter(|(distance, known)| *distance <= 1 + known.len() / 4)
        .min_by_key(|(distance, _)| *distance);
    match nearest {
        Some((_, known)) => format!("unknown setting '{field}' (did you mean '{known}'?)"),
        None => format!("unknown setting '{field}' (known here: {})", known_here.join(", ")),
    }
}

/// The setting whose value stands at `offset`, as `section.setting`.
fn setting_at(source: &str, offset: usize) -> Option<String> {
    let table = DeTable::parse(source).ok()?;
    for (key, value) in table.get_ref() {
        if let DeValue::Table(inner) = value.get_ref() {
            let found = inner.iter().find(|(_, value)| covers(value.span(), offset));
            if let Some((name, _)) = found {
                return Some(format!("{}.{}", key.get_ref(), name.get_ref()));
            }
        }
        if covers(value.span(), offset) {
            return Some(key.get_ref().to_string());
        }
    }
    None
}

fn covers(span: std::ops::Range<usize>, offset: usize) -> bool {
    span.contains(&offset)
}

/// Serde's words for a wrong type, without the names of Rust types.
fn plain_words(message: &str) -> String {
    if let Some(field) = message.strip_prefix("missing field ") {
        return format!("{} is missing", field.replace('`', "'"));
    }
    let Some((found, expected)) = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))
        .and_then(|rest| rest.rsplit_once(", expected "))
    else {
        return message.to_owned();
    };
    let expected = match expected {
        "usize" | "u64" | "i64" => "a whole number",
        "a boolean" => "true or false",
        "a string" | "path string" => "text in quotes",
        "a sequence" | "sequence" => "a list such as [\"a\", \"b\"]",
        other if other.starts_with("struct ") => "a section, written as [name] on its own line",
        other => other,
    };
    let found =
        found.replace('`', "").replace("string ", "the text ").replace("boolean", "the value");
    let found = match found.split_once(' ') {
        Some(("integer" | "floating", rest)) => {
            format!("the number {}", rest.trim_start_matches("point "))
        }
        _ => found,
    };
    format!("wrong value: {found} where {expected} is needed")
}

/// Optimal string alignment: edits, with swapped neighbours counted once.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            let mut best =
                (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}
