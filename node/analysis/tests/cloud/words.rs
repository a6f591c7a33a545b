//! What is counted.

use std::collections::{BTreeMap, HashSet};

use potluck_analysis::Lang;
use potluck_analysis::cloud::WordCounter;
use proptest::prelude::*;

fn count(texts: &[&str]) -> Vec<(String, u64)> {
    let mut counter = WordCounter::new(Lang::En);
    texts.iter().for_each(|text| counter.add(text, 1));
    counter.finish(usize::MAX)
}

fn expect(texts: &[&str], expected: &[(&str, u64)]) {
    let expected: Vec<_> =
        expected.iter().map(|(word, times)| (word.to_string(), *times)).collect();
    assert_eq!(count(texts), expected, "{texts:?}");
}

#[test]
fn english() {
    expect(
        &["The quick brown fox, the QUICK dog's bone; a Fox!", "quick: 42 3.14 x 'brown' b2b"],
        &[("quick", 3), ("Fox", 2), ("brown", 2), ("b2b", 1), ("bone", 1), ("dog", 1)],
    );
    expect(&["rock'n'roll o’clock O'Clock o'clock o'clock"], &[("o'clock", 4), ("rock'n'roll", 1)]);
}

/// As the README of jieba for Python cuts these, without words of one character.
#[test]
fn chinese() {
    expect(
        &["我来到北京清华大学。", "他来到了网易杭研大厦"],
        &[("来到", 2), ("北京", 1), ("大厦", 1), ("杭研", 1), ("清华大学", 1), ("网易", 1)],
    );
    expect(
        &["小明硕士毕业于中国科学院计算所，后在日本京都大学深造"],
        &[
            ("中国科学院", 1),
            ("小明", 1),
            ("日本京都大学", 1),
            ("毕业", 1),
            ("深造", 1),
            ("硕士", 1),
            ("计算所", 1),
        ],
    );
}

#[test]
fn times_count() {
    let mut counter = WordCounter::new(Lang::Zh);
    counter.add("数据 mesh", 7);
    counter.add("数据，数据", 2);
    assert_eq!(counter.finish(10), [("数据".to_string(), 11), ("mesh".to_string(), 7)]);
}

#[test]
fn mixed_scripts() {
    expect(
        &["用Rust写的人工智能App😀很fast👍🏽!", "Москва — café naïve ÜBER über über"],
        &[
            ("über", 3),
            ("App", 1),
            ("Rust", 1),
            ("café", 1),
            ("fast", 1),
            ("naïve", 1),
            ("Москва", 1),
            ("人工智能", 1),
        ],
    );
}

#[test]
fn japanese_katakana_are_words() {
    let counts = count(&["東京タワーとスカイツリー", "東京のコーヒー"]);
    let times = |word: &str| counts.iter().find(|count| count.0 == word).map(|count| count.1);
    assert_eq!(times("東京"), Some(2));
    for word in ["タワー", "スカイツリー", "コーヒー"] {
        assert_eq!(times(word), Some(1), "{word} in {counts:?}");
    }
}

#[test]
fn marks_stay_with_their_letters() {
    expect(
        &["हिन्दी भाषा हिन्दी", "cafe\u{301}s"],
        &[("हिन्दी", 2), ("cafe\u{301}s", 1), ("भाषा", 1)],
    );
}

#[test]
fn nothing_to_count() {
    expect(&[], &[]);
    expect(
        &[
            "",
            " \t\n",
            "12 34.5 -7",
            "a b c 我",
            "'' ’’ '",
            "😀🎉",
            "\u{fe0f}\u{301}",
            "the of 我们",
        ],
        &[],
    );
}

#[test]
fn endless_texts() {
    expect(&[&"x".repeat(1 << 20)], &[]);
    expect(&[&"é".repeat(1 << 20)], &[]);
    let run = "数据".repeat(1 << 18);
    assert_eq!(count(&[&run]), [("数据".to_string(), 1 << 18)]);
}

#[test]
fn phrases_take_the_place_of_their_words() {
    let mut counter = WordCounter::new(Lang::En).with_phrases();
    for number in 0..200 {
        counter.add("I flew to New York", 1);
        counter.add(&format!("a new machine number{number}"), 1);
        counter.add("york, in the north", 1);
    }
    let counts = counter.finish(4);
    let shown: Vec<_> = counts.iter().map(|(word, times)| (word.as_str(), *times)).collect();
    assert!(shown.contains(&("New York", 200)), "{shown:?}");
    // What is left of 400, in one of its two spellings.
    assert!(shown.contains(&("York", 200)), "{shown:?}");
}

#[test]
fn without_phrases_words_stay_alone() {
    let counts = count(&["New York"; 100]);
    assert_eq!(counts, [("New".to_string(), 100), ("York".to_string(), 100)]);
}

/// Rare words are forgotten when there are too many, frequent ones are not.
#[test]
fn more_words_than_are_kept() {
    let mut counter = WordCounter::new(Lang::En);
    for number in 0..500_000 {
        counter.add(&format!("rare{number}"), 1);
        if number % 100 == 0 {
            counter.add("frequent", 1);
        }
    }
    let counts = counter.finish(usize::MAX);
    assert_eq!(counts[0], ("frequent".to_string(), 5000));
    assert!(counts.len() <= 200_000, "{}", counts.len());
}

/// Words by the plainest means, in lower case.
fn naive(texts: &[(String, u64)]) -> BTreeMap<String, u64> {
    let lists = [
        include_str!("../../src/cloud/stop_words_en.txt"),
        include_str!("../../src/cloud/stop_words_zh.txt"),
    ];
    let lines = lists.iter().flat_map(|list| list.lines()).filter(|line| !line.starts_with('#'));
    let stop_words: HashSet<&str> = lines.flat_map(str::split_whitespace).collect();
    let mut counts = BTreeMap::new();
    for (text, times) in texts {
        for word in text.split(|c: char| !c.is_alphanumeric()) {
            let word = word.to_lowercase();
            let is_word = word.chars().count() > 1 && word.chars().any(char::is_alphabetic);
            if is_word && !stop_words.contains(&*word) {
                *counts.entry(word).or_default() += times;
            }
        }
    }
    counts
}

fn in_lower_case(counts: Vec<(String, u64)>) -> BTreeMap<String, u64> {
    counts.into_iter().map(|(word, times)| (word.to_lowercase(), times)).collect()
}

proptest! {
    #[test]
    fn counts_are_those_of_a_naive_count(
        texts in prop::collection::vec(("[a-cA-C0-2 ,.;é\u{416}\u{436}ß\u{2014}\u{3000}\u{1f600}]{0,40}", 1u64..5), 0..30),
        cut in 0usize..30,
    ) {
        let mut one = WordCounter::new(Lang::En);
        let mut other = WordCounter::new(Lang::En);
        for (number, (text, times)) in texts.iter().enumerate() {
            if number < cut { one.add(text, *times) } else { other.add(text, *times) }
        }
        one.merge(other);
        prop_assert_eq!(in_lower_case(one.finish(usize::MAX)), naive(&texts));
    }

    #[test]
    fn no_text_is_too_odd(text in "\\PC{0,200}") {
        let mut counter = WordCounter::new(Lang::En).with_phrases();
        counter.add(&text, 1);
        for (word, times) in counter.finish(usize::MAX) {
            prop_assert!(word.chars().count() > 1 && times > 0);
        }
    }
}
