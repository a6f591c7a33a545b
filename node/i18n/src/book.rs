//! The sentences of a language, read from its files once.

use std::{borrow::Cow, collections::HashMap, sync::OnceLock};

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};

use crate::{FILES, Lang};

/// A value in a sentence: text or a number.
pub type Arg<'a> = FluentValue<'a>;

struct Book {
    bundle: FluentBundle<FluentResource>,
    /// What has no values, ready to be read: the window asks for these at every frame.
    plain: HashMap<String, String>,
}

/// A sentence without values; its key where there is none, which a test prevents.
pub fn text(lang: Lang, key: &'static str) -> &'static str {
    book(lang).plain.get(key).map_or(key, String::as_str)
}

/// A sentence with its values filled in; its key where there is none, which a test prevents.
pub fn fill<'a>(
    lang: Lang,
    key: &str,
    args: impl IntoIterator<Item = (&'a str, Arg<'a>)>,
) -> String {
    let args: FluentArgs<'_> = args.into_iter().collect();
    book(lang).say(key, &args).map_or_else(|| key.to_owned(), Cow::into_owned)
}

/// Whether there is such a sentence.
pub fn has(lang: Lang, key: &str) -> bool {
    book(lang).say(key, &FluentArgs::new()).is_some()
}

fn book(lang: Lang) -> &'static Book {
    static BOOKS: [OnceLock<Book>; Lang::ALL.len()] = [const { OnceLock::new() }; Lang::ALL.len()];
    BOOKS[lang as usize].get_or_init(|| Book::read(lang))
}

impl Book {
    fn read(lang: Lang) -> Self {
        let tag = lang.tag().parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![tag]);
        // The marks keep right-to-left words apart; neither language has any, and terminals and
        // the window would draw them.
        bundle.set_use_isolating(false);
        for source in FILES.iter().filter_map(|file| file.source(lang)) {
            // What is wrong with a file is told by a test; the rest of it is there.
            let read = FluentResource::try_new(source.to_owned());
            let _ = bundle.add_resource(read.unwrap_or_else(|(resource, _)| resource));
        }
        let mut book = Self { bundle, plain: HashMap::new() };
        let keys = FILES.iter().flat_map(|file| file.keys(lang));
        book.plain = keys.filter_map(|key| book.plain_of(key)).collect();
        book
    }

    /// A sentence that is the same whatever the values.
    fn plain_of(&self, key: &str) -> Option<(String, String)> {
        let pattern = self.bundle.get_message(key)?.value()?;
        let mut errors = Vec::new();
        let said = self.bundle.format_pattern(pattern, None, &mut errors);
        errors.is_empty().then(|| (key.to_owned(), said.into_owned()))
    }

    /// `key` names a message, `key.attribute` what stands with it.
    fn say<'a>(&'a self, key: &str, args: &'a FluentArgs<'_>) -> Option<Cow<'a, str>> {
        let (message, attribute) = match key.split_once('.') {
            Some((message, attribute)) => (message, Some(attribute)),
            None => (key, None),
        };
        let message = self.bundle.get_message(message)?;
        let pattern = match attribute {
            Some(attribute) => message.get_attribute(attribute)?.value(),
            None => message.value()?,
        };
        Some(self.bundle.format_pattern(pattern, Some(args), &mut Vec::new()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_as_they_are() {
        let said = fill(Lang::Zh, "chat-held", [("count", 12_345.into()), ("until", "{x}".into())]);
        assert_eq!(said, "已由 12345 个节点代存·保留到 {x}");
        assert_eq!(text(Lang::En, "no-such-key"), "no-such-key");
        assert!(has(Lang::En, "doctor-refused.todo") && !has(Lang::En, "doctor-peers.todo"));
    }
}
