//! The terms of the page in plain words.

use super::Page;
use super::words::{self, Words};

/// Where a link leads, the term, and what it means.
const TERMS: [(&str, Words, Words); 12] = [
    ("g-missing", words::MISSING, words::ABOUT_MISSING),
    ("g-distinct", words::DISTINCT, words::ABOUT_DISTINCT),
    ("g-median", words::MEDIAN, words::ABOUT_MEDIAN),
    ("g-quartile", words::QUARTILE, words::ABOUT_QUARTILE),
    ("g-std", words::STD, words::ABOUT_STD),
    ("g-outlier", words::OUTLIERS, words::ABOUT_OUTLIER),
    ("g-skew", words::SKEWNESS, words::ABOUT_SKEW),
    ("g-kurtosis", words::KURTOSIS, words::ABOUT_KURTOSIS),
    ("g-pearson", words::PEARSON, words::ABOUT_PEARSON),
    ("g-spearman", words::SPEARMAN, words::ABOUT_SPEARMAN),
    ("g-duplicate", words::DUPLICATE_ROWS, words::ABOUT_DUPLICATE),
    ("g-bad", words::BAD_ROWS, words::ABOUT_BAD),
];

/// All terms.
pub(super) fn list(page: &Page) -> String {
    let terms: String = TERMS
        .iter()
        .map(|(id, term, about)| {
            let (term, about) = (page.say(*term), page.say(*about));
            format!("<div id=\"{id}\"><dt>{term}</dt><dd>{about}</dd></div>\n")
        })
        .collect();
    format!("<dl class=\"glossary\">\n{terms}</dl>\n")
}
