//! Counts words in bounded memory.

use hashbrown::HashMap;

/// Counts of words, exact up to `most` different ones. Beyond, the rarer half is forgotten
/// whenever there is no room, as in lossy counting (Manku and Motwani, VLDB 2002): what is
/// frequent stays, and lacks at most the counts that it had when it was forgotten earlier.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    counts: HashMap<Box<str>, u64>,
    most: usize,
}

impl Tally {
    pub(super) fn new(most: usize) -> Self {
        Self { counts: HashMap::new(), most }
    }

    pub(super) fn add(&mut self, word: &str, times: u64) {
        if let Some(count) = self.counts.get_mut(word) {
            *count = count.saturating_add(times);
            return;
        }
        if self.counts.len() >= self.most {
            self.forget_rare();
        }
        self.counts.insert(word.into(), times);
    }

    pub(super) fn merge(&mut self, other: Self) {
        if self.counts.is_empty() {
            self.counts = other.counts;
            return;
        }
        for (word, times) in other.counts {
            self.add(&word, times);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.counts.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.counts.iter().map(|(word, times)| (&**word, *times))
    }

    /// Hands out all counts and starts anew.
    pub(super) fn take(&mut self) -> Vec<(Box<str>, u64)> {
        self.counts.drain().collect()
    }

    fn forget_rare(&mut self) {
        let mut counts: Vec<u64> = self.counts.values().copied().collect();
        let half = counts.len() / 2;
        let (_, &mut rare, _) = counts.select_nth_unstable(half);
        self.counts.retain(|_, times| *times > rare);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frequent_survive_when_there_is_no_room() {
        let mut tally = Tally::new(100);
        for round in 0..50 {
            for frequent in 0..20 {
                tally.add(&format!("frequent {frequent}"), 10);
            }
            for rare in 0..500 {
                tally.add(&format!("rare {round} {rare}"), 1);
            }
            assert!(tally.len() <= 100);
        }
        for frequent in 0..20 {
            let word = format!("frequent {frequent}");
            let times = tally.iter().find(|(kept, _)| *kept == word).map(|(_, times)| times);
            assert_eq!(times, Some(500), "{word}");
        }
    }
}
