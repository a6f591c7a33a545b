//! Finds pairs of words that belong together.

use super::words::{Folded, is_stop_word};

/// Dunning's likelihood ratio from which two words belong together, as in amueller's wordcloud.
const TOGETHER: f64 = 30.0;

/// Rarer pairs say nothing.
const RARE: u64 = 3;

/// Puts each pair that belongs together in place of its words: the pair is counted, and its words
/// lose that count. As in amueller's wordcloud, but a word never loses more than it has, and pairs
/// that avoid each other do not count as belonging together.
pub(super) fn replace(words: &mut Folded, pairs: Folded) {
    let total: u64 = words.values().map(|word| word.times).fold(0, u64::saturating_add);
    let mut phrases: Vec<_> = pairs
        .into_iter()
        .filter(|(folded, pair)| {
            pair.times >= RARE && belongs_together(words, folded, pair.times, total)
        })
        .collect();
    // The frequent take their words first, which makes the result the same every time.
    phrases.sort_unstable_by(|a, b| b.1.times.cmp(&a.1.times).then_with(|| a.0.cmp(&b.0)));
    for (folded, mut pair) in phrases {
        let Some((first, second)) = folded.split_once(' ') else { continue };
        let left = |word: &str| words.get(word).map_or(0, |word| word.times);
        pair.times = pair.times.min(left(first)).min(left(second));
        if pair.times < RARE {
            continue;
        }
        for word in [first, second] {
            if let Some(word) = words.get_mut(word) {
                word.times -= pair.times;
            }
        }
        words.insert(folded, pair);
    }
    words.retain(|_, word| word.times > 0);
}

fn belongs_together(words: &Folded, pair: &str, both: u64, total: u64) -> bool {
    let Some((first, second)) = pair.split_once(' ') else { return false };
    if is_stop_word(first) || is_stop_word(second) || first == second {
        return false;
    }
    let (Some(first), Some(second)) = (words.get(first), words.get(second)) else { return false };
    ratio(both as f64, first.times as f64, second.times as f64, total as f64) > TOGETHER
}

/// Dunning's likelihood ratio (Computational Linguistics 19, 1993) for two words, of which the
/// second follows the first more often than by chance; 0 if less often.
fn ratio(both: f64, first: f64, second: f64, total: f64) -> f64 {
    if total <= first || first < both || second < both {
        return 0.0;
    }
    let chance = second / total;
    let after = both / first;
    let elsewhere = (second - both) / (total - first);
    if after <= chance {
        return 0.0;
    }
    let likelihood = |hits: f64, trials: f64, p: f64| {
        hits * p.max(1e-10).ln() + (trials - hits) * (1.0 - p).max(1e-10).ln()
    };
    -2.0 * (likelihood(both, first, chance) + likelihood(second - both, total - first, chance)
        - likelihood(both, first, after)
        - likelihood(second - both, total - first, elsewhere))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against `tokenization.score` of amueller's wordcloud 1.9.6.
    #[test]
    fn the_ratio_is_dunnings() {
        for (both, first, second, expected) in [
            (150.0, 12593.0, 932.0, 1291.3190571249725),
            (10.0, 379.0, 932.0, 100.50188350279495),
            (13.0, 932.0, 3424.0, 80.3691478376495),
            (6.0, 932.0, 291.0, 57.28908475568551),
            (20.0, 42.0, 20.0, 521.0938390653534),
        ] {
            let found = ratio(both, first, second, 14_307_668.0);
            assert!((found - expected).abs() < 1e-6 * expected, "{found} {expected}");
        }
    }

    #[test]
    fn words_that_avoid_each_other_do_not_belong_together() {
        assert_eq!(ratio(1.0, 5000.0, 5000.0, 20_000.0), 0.0);
    }
}
