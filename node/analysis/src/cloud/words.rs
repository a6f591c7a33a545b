//! Counts the words of many texts.

use std::collections::HashSet;
use std::sync::OnceLock;

use hashbrown::HashMap;

use super::chinese;
use super::phrases;
use super::pieces::{self, Script};
use super::tally::Tally;
use crate::Lang;

/// Different words that are counted exactly; beyond, rare ones are forgotten.
const MOST_WORDS: usize = 200_000;

/// Chinese that waits until it is cut into words, bytes. Each different run is cut once.
const MOST_WAITING: usize = 2 << 20;

/// Counts the words of many texts, in any script, in bounded memory (about 30 MB).
///
/// A word has at least two characters, of which one is a letter. `Word` and `word` are one word,
/// shown as it is written most often; `it's` keeps its apostrophe, `dog's` counts as `dog`.
/// Chinese is cut into words by jieba, other scripts where they write a space. Function words of
/// English and Chinese are left out, whatever the language of the report, since texts mix them.
/// Counts are exact up to 200,000 different words; of more, rare ones are forgotten.
#[derive(Debug, Clone)]
pub struct WordCounter {
    words: Tally,
    runs: Tally,
    waiting: usize,
    pairs: Option<Tally>,
}

impl WordCounter {
    /// Counts nothing yet. For a reader of Chinese the dictionary starts to load at once.
    pub fn new(lang: Lang) -> Self {
        if lang == Lang::Zh {
            chinese::load_ahead();
        }
        Self {
            words: Tally::new(MOST_WORDS),
            runs: Tally::new(usize::MAX),
            waiting: 0,
            pairs: None,
        }
    }

    /// Counts pairs of words as well, and shows those that belong together, such as `New York`,
    /// in place of their words. For prose; takes about twice as long.
    pub fn with_phrases(mut self) -> Self {
        self.pairs = Some(Tally::new(MOST_WORDS));
        self
    }

    /// Counts the words of a text that comes so many times.
    pub fn add(&mut self, text: &str, times: u64) {
        let Self { words, runs, waiting, pairs } = self;
        let mut before = 0..0;
        pieces::split(text, |piece, script| match script {
            Script::Spaced => {
                words.add(&text[piece.clone()], times);
                if let Some(pairs) = pairs {
                    let space = before.end..piece.start;
                    if !before.is_empty() && &text[space] == " " {
                        pairs.add(&text[before.start..piece.end], times);
                    }
                    before = piece;
                }
            }
            Script::Chinese => {
                let known = runs.len();
                runs.add(&text[piece.clone()], times);
                if runs.len() > known {
                    chinese::load_ahead();
                    *waiting += piece.len();
                }
                if *waiting > MOST_WAITING {
                    chinese::count(runs.take(), words, MOST_WORDS);
                    *waiting = 0;
                }
            }
        });
    }

    /// Adds what another has counted.
    pub fn merge(&mut self, other: Self) {
        self.words.merge(other.words);
        self.runs.merge(other.runs);
        self.waiting += other.waiting;
        match (&mut self.pairs, other.pairs) {
            (Some(pairs), Some(others)) => pairs.merge(others),
            (pairs @ None, others) => *pairs = others,
            _ => {}
        }
    }

    /// The most frequent words, most frequent first, then by word.
    pub fn finish(mut self, most: usize) -> Vec<(String, u64)> {
        if self.runs.len() > 0 {
            chinese::count(self.runs.take(), &mut self.words, MOST_WORDS);
        }
        let mut words = fold(&self.words);
        if let Some(pairs) = self.pairs {
            phrases::replace(&mut words, fold(&pairs));
        }
        let stop_words = stop_words();
        words.retain(|folded, _| !stop_words.contains(&**folded));
        let mut counts: Vec<(String, u64)> =
            words.into_values().map(|word| (word.shown, word.times)).collect();
        counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        counts.truncate(most);
        counts
    }
}

/// A word in all its spellings.
pub(super) struct Word {
    /// The most frequent spelling.
    pub(super) shown: String,
    /// How often that one comes.
    shown_times: u64,
    /// How often all come.
    pub(super) times: u64,
}

/// Words in lower case with `'` for `’`.
pub(super) type Folded = HashMap<String, Word>;

pub(super) fn is_stop_word(folded: &str) -> bool {
    stop_words().contains(folded)
}

fn fold(tally: &Tally) -> Folded {
    let mut words = Folded::with_capacity(tally.len());
    for (spelling, times) in tally.iter() {
        let folded = spelling.to_lowercase().replace('’', "'");
        let word = words.entry(folded).or_insert_with(|| Word {
            shown: spelling.into(),
            shown_times: times,
            times: 0,
        });
        word.times = word.times.saturating_add(times);
        if times > word.shown_times || (times == word.shown_times && *spelling < *word.shown) {
            word.shown = spelling.into();
            word.shown_times = times;
        }
    }
    words
}

fn stop_words() -> &'static HashSet<&'static str> {
    static WORDS: OnceLock<HashSet<&'static str>> = OnceLock::new();
    WORDS.get_or_init(|| {
        [include_str!("stop_words_en.txt"), include_str!("stop_words_zh.txt")]
            .into_iter()
            .flat_map(str::lines)
            .filter(|line| !line.starts_with('#'))
            .flat_map(str::split_whitespace)
            .collect()
    })
}
