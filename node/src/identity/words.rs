//! A client id for the eye and the ear: words that two people compare, and the text of a QR code.

use bip39::Language;
use libp2p::PeerId;
use potluck_i18n::Lang;

/// Words of a client id.
const WORDS: usize = 8;
/// Bits that a word stands for: each is one of 2,048.
const BITS: usize = 11;
/// What the text of a code begins with.
const SCHEME: &str = "potluck:";

/// Words that stand for a client id, to be compared on the telephone or side by side.
///
/// The first 88 bits of the BLAKE3 hash of the id's bytes, in the words of BIP-39: eight English words,
/// or eight Chinese characters in two groups. Nobody finds another key with the same ones.
pub fn words(peer_id: &PeerId, lang: Lang) -> String {
    let (list, group) = match lang {
        Lang::En => (Language::English, 1),
        Lang::Zh => (Language::SimplifiedChinese, 4),
    };
    let list = list.word_list();
    let hash = blake3::hash(&peer_id.to_bytes());
    let first = hash.as_bytes().iter().take(WORDS * BITS / 8);
    let bits = first.fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
    let word = |at: usize| list[(bits >> (BITS * (WORDS - 1 - at))) as usize % list.len()];
    let words: Vec<_> = (0..WORDS).map(word).collect();
    words.chunks(group).map(<[_]>::concat).collect::<Vec<_>>().join(" ")
}

/// What the QR code of a client id says.
pub fn link(peer_id: &PeerId) -> String {
    format!("{SCHEME}{peer_id}")
}

/// A client id as people hand it on: by itself, or as a QR code says it.
pub fn parse(text: &str) -> Option<PeerId> {
    let text = text.trim();
    text.strip_prefix(SCHEME).unwrap_or(text).parse().ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::identity::Identity;

    /// The id of RFC 8032's first test key.
    const ID: &str = "12D3KooWQK1wnefoLrcVHbbnf5tLzbopUd3K3bFAoJpA7YJgL5pV";

    #[test]
    fn everybody_gets_the_same_words() {
        // From Python's blake3, base58 and mnemonic.
        let id = ID.parse().unwrap();
        assert_eq!(words(&id, Lang::En), "version vote put police acquire secret action afraid");
        assert_eq!(words(&id, Lang::Zh), "诬佳袖镜 以偶时主");
    }

    #[test]
    fn other_ids_have_other_words() {
        for lang in Lang::ALL {
            let all = (0..200).map(|_| words(&Identity::generate().peer_id(), lang));
            assert_eq!(all.collect::<BTreeSet<_>>().len(), 200);
        }
    }

    #[test]
    fn what_a_code_says_is_read_again() {
        let id: PeerId = ID.parse().unwrap();
        assert_eq!(link(&id), format!("potluck:{ID}"));
        for (text, good) in [(link(&id), true), (ID.into(), true), (format!(" {ID}\n"), true)] {
            assert_eq!(parse(&text), good.then_some(id));
        }
        for bad in ["", "potluck:", "alice", "https://12D3KooW", "potluck:potluck:x"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
