//! Words that mean that a cell has no value, and words that mean yes and no.

/// Whether a cell has no value: blank, or one of the words that `pandas.read_csv` takes for
/// missing (`pandas._libs.parsers.STR_NA_VALUES`), or what a spreadsheet writes for an error.
pub(super) fn missing(cell: &str) -> bool {
    let bytes = cell.as_bytes();
    let first = match bytes.first() {
        None => return true,
        Some(first) => *first,
    };
    if !matches!(first, b'#' | b'-' | b'1' | b'<' | b'N' | b'n') && first > b' ' && first < 0x80 {
        return false;
    }
    let text = cell.trim();
    text.len() <= 9
        && matches!(
            text,
            "" | "#N/A"
                | "#N/A N/A"
                | "#NA"
                // What spreadsheets write where a formula failed.
                | "#REF!"
                | "#DIV/0!"
                | "#VALUE!"
                | "#NAME?"
                | "#NUM!"
                | "#NULL!"
                | "-1.#IND"
                | "-1.#QNAN"
                | "-NaN"
                | "-nan"
                | "1.#IND"
                | "1.#QNAN"
                | "<NA>"
                | "N/A"
                | "NA"
                | "NULL"
                | "NaN"
                | "None"
                | "n/a"
                | "nan"
                | "null"
        )
}

/// Whether a cell says that there is no value, where its column does not use the word otherwise
/// (`无` may be the opposite of `有`).
pub(super) fn none(cell: &str) -> bool {
    let bytes = cell.as_bytes();
    if bytes.first().is_none_or(|first| *first > b' ' && *first < 0x80) {
        return false;
    }
    matches!(cell.trim(), "无" | "無" | "未知" | "暂无" | "暫無" | "—" | "——")
}

/// Whether a cell among numbers or days says that there is none, as accounts do.
pub(super) fn dash(cell: &str) -> bool {
    cell.len() <= 8 && matches!(cell.trim(), "-" | "--" | "–" | "—" | "——")
}

/// Pairs of words that mean yes and no, in lower case.
const PAIRS: &[(&str, &str)] = &[
    ("true", "false"),
    ("yes", "no"),
    ("是", "否"),
    ("真", "假"),
    ("y", "n"),
    ("t", "f"),
    ("有", "无"),
];
/// From this pair on, one of the words alone is more likely something else.
const SHORT: usize = 4;

/// The pair of words that all but `tolerated` cells are of.
pub(super) fn pair<'a>(cells: impl Iterator<Item = &'a str>, tolerated: f64) -> Option<usize> {
    let mut counts = [[0_usize; 2]; PAIRS.len()];
    let mut all = 0;
    for cell in cells {
        all += 1;
        for (pair, count) in counts.iter_mut().enumerate() {
            if let Some(yes) = truth(cell, pair) {
                count[usize::from(yes)] += 1;
            }
        }
    }
    let (pair, count) = counts.iter().enumerate().max_by_key(|(_, c)| c[0] + c[1])?;
    let both = count[0] > 0 && count[1] > 0;
    let enough = (all - count[0] - count[1]) as f64 <= tolerated * all as f64;
    (all > 0 && enough && (both || pair < SHORT) && count[0] + count[1] > 0).then_some(pair)
}

/// What a cell means as a word of this pair.
pub(super) fn truth(cell: &str, pair: usize) -> Option<bool> {
    let (yes, no) = PAIRS.get(pair)?;
    let cell = cell.trim();
    if cell.eq_ignore_ascii_case(yes) {
        Some(true)
    } else if cell.eq_ignore_ascii_case(no) {
        Some(false)
    } else {
        None
    }
}
