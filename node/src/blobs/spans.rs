//! Which groups of a blob are missing, and who fetches which. Policy only: no IO.
//!
//! Each worker fetches one row of groups from its first to its last, because a stream of the blob
//! protocol brings a blob from some group on. A worker that comes later takes over the second half
//! of what another one has before it, and near the end both fetch the same: who dawdles holds up
//! nothing.

use std::{collections::BTreeMap, ops::Range};

/// Rows shorter than this are not divided, but fetched twice: 2 MiB.
const WHOLE: usize = 8;

/// The groups of one blob.
#[derive(Debug)]
pub(super) struct Spans {
    have: Vec<bool>,
    missing: usize,
    /// How many are there without a gap from the first on.
    front: usize,
    claims: BTreeMap<u64, Claim>,
}

/// What a worker fetches.
#[derive(Debug)]
struct Claim {
    /// From the first that is not written yet,
    first: usize,
    /// with what it reads next,
    next: usize,
    /// to the end of its row.
    end: usize,
}

impl Spans {
    /// Those that are there already.
    pub(super) fn new(have: Vec<bool>) -> Self {
        let missing = have.iter().filter(|have| !**have).count();
        let mut spans = Self { have, missing, front: 0, claims: BTreeMap::new() };
        spans.advance();
        spans
    }

    /// Gives a worker a row to fetch, in place of the one that it had; `None` when all is there.
    pub(super) fn claim(&mut self, worker: u64) -> Option<Range<usize>> {
        self.release(worker);
        if self.missing == 0 {
            return None;
        }
        let row = self.longest_free().or_else(|| self.longest_claimed())?;
        self.claims.insert(worker, Claim { first: row.start, next: row.start, end: row.end });
        Some(row)
    }

    /// How far a worker that has read up to `next` reads on: others may have taken the rest over.
    pub(super) fn reached(&mut self, worker: u64, next: usize) -> usize {
        let Some(claim) = self.claims.get_mut(&worker) else { return next };
        claim.next = next.min(claim.end);
        claim.end
    }

    /// A worker ends: what it did not bring is for others.
    pub(super) fn release(&mut self, worker: u64) {
        self.claims.remove(&worker);
    }

    /// These were checked and written.
    pub(super) fn got(&mut self, groups: Range<usize>) {
        for have in self.have.get_mut(groups).into_iter().flatten() {
            self.missing -= usize::from(!std::mem::replace(have, true));
        }
        for claim in self.claims.values_mut() {
            let written = self.have[claim.first..claim.next].iter().take_while(|have| **have);
            claim.first += written.count();
        }
        self.advance();
    }

    /// How many are missing.
    pub(super) fn missing(&self) -> usize {
        self.missing
    }

    /// How many are there without a gap from the first on.
    pub(super) fn front(&self) -> usize {
        self.front
    }

    fn advance(&mut self) {
        self.front += self.have[self.front..].iter().take_while(|have| **have).count();
    }

    /// The longest row that nobody fetches.
    fn longest_free(&self) -> Option<Range<usize>> {
        let claimed =
            |group| self.claims.values().any(|claim| (claim.first..claim.end).contains(&group));
        let mut longest = 0..0;
        let mut row = 0..0;
        for group in 0..self.have.len() {
            if self.have[group] || claimed(group) {
                row = group + 1..group + 1;
                continue;
            }
            row.end = group + 1;
            if row.len() > longest.len() {
                longest = row.clone();
            }
        }
        (!longest.is_empty()).then_some(longest)
    }

    /// A part of what another one fetches: the second half of a long row, or a short one whole.
    fn longest_claimed(&mut self) -> Option<Range<usize>> {
        // Of its row, others that fetched the same may have brought some.
        let have = &self.have;
        let unread = |claim: &Claim| -> Vec<usize> {
            (claim.next..claim.end).filter(|group| !have[*group]).collect()
        };
        let rows = self.claims.values_mut().map(|claim| (unread(claim), claim));
        match rows.max_by_key(|(unread, _)| unread.len()) {
            Some((unread, claim)) if unread.len() >= WHOLE => {
                claim.end = unread[unread.len() / 2];
                Some(claim.end..unread[unread.len() - 1] + 1)
            }
            // Little is left to read, or all is being checked: it is read once more, in case whoever
            // has it dawdles or fails.
            _ => {
                let first = self.have.iter().position(|have| !have)?;
                let end = self.have[first..].iter().position(|have| *have);
                Some(first..end.map_or(self.have.len(), |end| first + end))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};

    use super::*;

    #[test]
    fn the_second_takes_over_half() {
        let mut spans = Spans::new(vec![false; 100]);
        assert_eq!(spans.claim(1), Some(0..100));
        assert_eq!(spans.reached(1, 20), 100);
        assert_eq!(spans.claim(2), Some(60..100));
        assert_eq!(spans.reached(1, 40), 60, "the first stops where the second begins");
        spans.got(0..60);
        assert_eq!(spans.claim(1), Some(80..100), "and helps it then");
        spans.release(2);
        spans.got(80..100);
        assert_eq!((spans.claim(1), spans.missing()), (Some(60..80), 20));
        spans.got(60..80);
        assert_eq!(spans.claim(2), None);
    }

    #[test]
    fn what_another_one_brought_is_not_taken_over() {
        let mut spans = Spans::new(vec![false; 20]);
        assert_eq!(spans.claim(1), Some(0..20));
        spans.reached(1, 13);
        assert_eq!(spans.claim(2), Some(0..20), "the first one has little left");
        spans.got(0..8);
        spans.got(18..20);
        assert_eq!(spans.front(), 8);
        assert_eq!(spans.claim(3), Some(13..18), "half of what is missing");
        assert_eq!(spans.reached(2, 0), 13);
    }

    /// Workers that come, go, dawdle and lose what they read: all is fetched in the end, and every
    /// claim is of something that is missing.
    #[test]
    fn whoever_comes_and_goes_nothing_is_left_out() {
        let seed: u64 = rand::random();
        println!("seed {seed}");
        let mut rng = SmallRng::seed_from_u64(seed);
        for _ in 0..300 {
            let groups = rng.random_range(1..200);
            let mut spans = Spans::new((0..groups).map(|_| rng.random_bool(0.3)).collect());
            let mut workers: BTreeMap<u64, usize> = BTreeMap::new();
            let mut steps = 0;
            while spans.missing() > 0 {
                steps += 1;
                assert!(steps < 100_000, "seed {seed}: it does not end");
                let worker = rng.random_range(0..4);
                let Some(next) = workers.get(&worker).copied() else {
                    let row = spans.claim(worker).expect("something is missing");
                    assert!(!spans.have[row.start], "seed {seed}: {row:?} is there");
                    workers.insert(worker, row.start);
                    continue;
                };
                let end = spans.reached(worker, next);
                if next >= end || rng.random_bool(0.05) {
                    spans.release(worker);
                    workers.remove(&worker);
                    continue;
                }
                let until = end.min(next + rng.random_range(1..5));
                spans.reached(worker, until);
                if rng.random_bool(0.9) {
                    spans.got(next..until);
                    workers.insert(worker, until);
                } else {
                    workers.remove(&worker);
                    spans.release(worker);
                }
            }
            assert!(spans.have.iter().all(|have| *have));
            assert_eq!(spans.front(), groups, "seed {seed}");
        }
    }
}
