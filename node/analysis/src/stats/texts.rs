//! Text and truth columns: the most frequent texts, how evenly they come, and their words.

use rayon::prelude::*;

use super::column::Learnt;
use super::runs::Top;
use crate::cloud::WordCounter;
use crate::facets::{Category, Words};
use crate::table::{Column, Kind, Table};
use crate::watch::Watch;
use crate::{AnalysisError, Lang, wrong};

/// Values that a chart of categories shows.
const MOST_CATEGORIES: usize = 12;

/// Words that a cloud may need.
const MOST_WORDS: usize = 400;

/// Texts that are looked at to tell prose from names.
const SAMPLED_TEXTS: u64 = 2000;

/// Bytes of texts that one counter takes at a time.
const BATCH: usize = 256 * 1024;

/// A column whose texts are this short holds names, keys or categories, not words.
const WORDS_OF_PROSE: f64 = 1.5;

/// So much of names is letters only; of codes less is.
const SPELT: f64 = 0.8;

/// A cloud of fewer words says less than a list of them.
const LEAST_WORDS: usize = 8;

/// What one pass over the texts of a column tells.
pub(super) struct TextFacts {
    /// The most frequent texts.
    pub top: Vec<(String, u64)>,
    /// As in [`Learnt`].
    pub imbalance: Option<f64>,
    /// Average words of a text.
    pub words: f64,
    /// Part of the texts that are words only, as names are and codes are not.
    pub spelt: f64,
}

/// Reads all texts once.
pub(super) fn read(column: &Column, watch: &dyn Watch) -> Result<TextFacts, AnalysisError> {
    let mut top = Top::<String>::new(MOST_CATEGORIES);
    let (mut cells, mut weighted) = (0u64, 0.0f64);
    let (mut seen, mut words, mut spelt) = (0u64, 0.0f64, 0u64);
    let mut stopped = false;
    column.texts(&mut |text, count| {
        if stopped || (seen % 4096 == 4095 && watch.cancelled()) {
            stopped = true;
            return;
        }
        top.offer(text, count);
        cells += count;
        if count > 1 {
            weighted += count as f64 * (count as f64).log2();
        }
        if seen < SAMPLED_TEXTS {
            words += rough_words(text);
            spelt += u64::from(!text.contains(|sign: char| sign.is_ascii_digit()));
        }
        seen += 1;
    })?;
    watch.check()?;
    // ydata-profiling's imbalance score: 1 less the entropy in parts of the most there could be.
    let entropy = (cells as f64).log2() - weighted / cells as f64;
    let imbalance = (seen > 1).then(|| 1.0 - entropy / (seen as f64).log2());
    let sampled = seen.clamp(1, SAMPLED_TEXTS) as f64;
    let (words, spelt) = (words / sampled, spelt as f64 / sampled);
    Ok(TextFacts { top: top.entries, imbalance, words, spelt })
}

/// About how many words a text has. A Chinese word has about two characters.
fn rough_words(text: &str) -> f64 {
    text.split_whitespace()
        .map(|part| {
            let han = part.chars().filter(|sign| is_han_or_kana(*sign)).count();
            if han > 0 { (han as f64 / 2.0).max(1.0) } else { 1.0 }
        })
        .sum()
}

fn is_han_or_kana(sign: char) -> bool {
    matches!(sign, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

/// The chart of a column, when its texts come at least twice on average.
pub(super) fn category(
    name: &str,
    top: Vec<(String, u64)>,
    distinct: u64,
    count: u64,
) -> Option<Category> {
    if top.is_empty() || distinct > count / 2 {
        return None;
    }
    let shown: u64 = top.iter().map(|(_, count)| count).sum();
    Some(Category { column: name.to_owned(), top, others: count.saturating_sub(shown), count })
}

/// The column that a person chose for the cloud.
///
/// # Errors
///
/// [`AnalysisError::BadOption`] that names the text columns when there is no such one.
pub(super) fn chosen(table: &Table, name: &str) -> Result<usize, AnalysisError> {
    let is_text = |column: &Column| matches!(column.kind, Kind::Text | Kind::Boolean);
    let found = table.columns.iter().position(|column| column.name == name);
    if let Some(index) = found.filter(|&index| is_text(&table.columns[index])) {
        return Ok(index);
    }
    let what = match found {
        Some(index) => wrong::column_of_type(format!("{name:?}"), table.columns[index].kind.name()),
        None => wrong::no_column(format!("{name:?}")),
    };
    let names: Vec<_> = table.columns.iter().filter(|column| is_text(column)).collect();
    let listed: Vec<_> = names.iter().take(20).map(|column| format!("{:?}", column.name)).collect();
    Err(AnalysisError::BadOption(match (names.len(), listed.join(", ")) {
        (0, _) => wrong::no_text_column(what),
        (all, some) if all > listed.len() => wrong::many_text_columns(what, all, some),
        (_, all) => wrong::text_columns(what, all),
    }))
}

/// The text column with the most words; the first of several. One of short texts that have a chart
/// of categories already is none; one of names, all different, is taken where there is no prose.
pub(super) fn wordiest(table: &Table, learnt: &[Learnt]) -> Option<usize> {
    let texts = || learnt.iter().filter(|one| table.columns[one.at].kind == Kind::Text);
    let prose = texts().filter(|one| one.words >= WORDS_OF_PROSE);
    let different = |one: &&Learnt| one.numbers.distinct == one.numbers.count;
    let names = texts().filter(different).filter(|one| one.words > 0.0 && one.spelt >= SPELT);
    let others = texts().filter(|one| one.words > 0.0 && !different(one) && one.category.is_none());
    let most = |best: Option<(usize, f64)>, one: &Learnt| match best {
        Some((_, words)) if words >= one.words => best,
        _ => Some((one.at, one.words)),
    };
    let best = prose.chain(others).fold(None, most).or_else(|| names.fold(None, most));
    best.map(|(at, _)| at)
}

/// The words of a column, counted by as many counters as there are threads; `None` when it has
/// none. A `wanted` column has phrases too, another one no words when they are few.
pub(super) fn words(
    column: &Column,
    lang: Lang,
    wanted: bool,
    watch: &dyn Watch,
) -> Result<Option<Words>, AnalysisError> {
    let counter = || match wanted {
        true => WordCounter::new(lang).with_phrases(),
        false => WordCounter::new(lang),
    };
    let empty = || (counter(), Batch::default());
    let mut counters: Vec<_> = (0..rayon::current_num_threads()).map(|_| empty()).collect();
    let (mut filling, mut stopped) = (0, false);
    column.texts(&mut |text, times| {
        if stopped {
            return;
        }
        let Some((_, batch)) = counters.get_mut(filling) else { return };
        batch.texts.push_str(text);
        batch.ends.push((batch.texts.len(), times));
        if batch.texts.len() >= BATCH {
            filling += 1;
        }
        if filling == counters.len() {
            count(&mut counters);
            filling = 0;
            stopped = watch.cancelled();
        }
    })?;
    watch.check()?;
    count(&mut counters);
    let all = counters.into_iter().map(|(counter, _)| counter).reduce(|mut all, more| {
        all.merge(more);
        all
    });
    let counts = all.map(|all| all.finish(MOST_WORDS)).unwrap_or_default();
    let least = if wanted { 1 } else { LEAST_WORDS };
    Ok((counts.len() >= least).then(|| Words { column: column.name.clone(), counts }))
}

/// Texts that wait for a counter.
#[derive(Default)]
struct Batch {
    texts: String,
    /// Where each text ends, and how often it comes.
    ends: Vec<(usize, u64)>,
}

fn count(counters: &mut [(WordCounter, Batch)]) {
    counters.par_iter_mut().for_each(|(counter, batch)| {
        let mut start = 0;
        for &(end, times) in &batch.ends {
            counter.add(&batch.texts[start..end], times);
            start = end;
        }
        batch.texts.clear();
        batch.ends.clear();
    });
}
