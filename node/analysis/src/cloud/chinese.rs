//! Cuts Chinese into words.

use std::sync::{Once, OnceLock};

use jieba_rs::Jieba;
use rayon::prelude::*;

use super::tally::Tally;

/// Starts loading the dictionary on a thread of its own, since it takes about as long as counting
/// does. Once a process, and only for who has Chinese.
pub(super) fn load_ahead() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Without a thread to spare the dictionary is loaded when it is needed.
        let _ = std::thread::Builder::new().name("jieba".into()).spawn(jieba);
    });
}

/// Counts the words of `runs`, each with how often it comes, on all threads.
pub(super) fn count(runs: Vec<(Box<str>, u64)>, words: &mut Tally, most: usize) {
    let jieba = jieba();
    let parts: Vec<Tally> = runs
        .par_chunks(2000)
        .fold(
            || Tally::new(most),
            |mut tally, chunk| {
                for (run, times) in chunk {
                    for token in jieba.cut(run, true) {
                        if token.word.chars().nth(1).is_some() {
                            tally.add(token.word, *times);
                        }
                    }
                }
                tally
            },
        )
        .collect();
    for part in parts {
        words.merge(part);
    }
}

fn jieba() -> &'static Jieba {
    static JIEBA: OnceLock<Jieba> = OnceLock::new();
    JIEBA.get_or_init(Jieba::new)
}
