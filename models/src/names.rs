//! The names of the built-in classes in Chinese.

use std::sync::LazyLock;

use crate::catalogue::IMAGENET;

/// In the order of the English names.
const CHINESE: &str = include_str!("../weights/imagenet-zh.txt");

/// What a class is called in Chinese. Only the 1,000 names that are built in are known: those of
/// other models are not.
pub fn in_chinese(index: usize, label: &str) -> Option<&'static str> {
    static NAMES: LazyLock<Vec<(&str, &str)>> =
        LazyLock::new(|| IMAGENET.lines().zip(CHINESE.lines()).collect());
    // Another model may have other classes at these places.
    NAMES.get(index).filter(|(english, _)| *english == label).map(|(_, chinese)| *chinese)
}

/// All of these names.
pub fn chinese_names() -> impl Iterator<Item = &'static str> {
    CHINESE.lines()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_its_own_name() {
        let english: Vec<_> = IMAGENET.lines().collect();
        assert_eq!((english.len(), CHINESE.lines().count()), (1000, 1000));
        for (index, label) in english.iter().enumerate() {
            let name = in_chinese(index, label).unwrap();
            assert!(
                !name.is_empty() && name == name.trim() && !name.contains(['；', '（']),
                "{name}"
            );
        }
    }

    #[test]
    fn the_same_word_is_told_apart_by_its_place() {
        assert_eq!(in_chinese(134, "crane"), Some("鹤"));
        assert_eq!(in_chinese(517, "crane"), Some("起重机"));
        assert_eq!(in_chinese(281, "tabby, tabby cat"), Some("虎斑猫"));
        assert_eq!(in_chinese(281, "rose"), None);
        assert_eq!(in_chinese(1000, "crane"), None);
    }
}
