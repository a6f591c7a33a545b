//! Words that mean that a cell has no value, and words that mean yes and no.

/// Whether a cell has no value: blank, or one of the words that `pandas.read_csv` takes for
/// missing (`pandas._libs.parsers.STR_NA_VALUES`).
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
    text.len() <= 8
        && matches!(
            text,
            "" | "#N/A"
                | "#N/A N/A"
                | "#NA"
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

/// Pairs of words that mean yes and no, in lower case.
const PAIRS: &[(&str, &str)] =
    &[("true", "false"), ("yes", "no"), ("是", "否"), ("真", "假"), ("y", "n"), ("t", "f")];
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
