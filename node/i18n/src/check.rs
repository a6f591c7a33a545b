//! What tests of the packages that say sentences ask for.

use std::collections::{BTreeMap, BTreeSet};

use fluent_syntax::{
    ast::{Entry, Expression, InlineExpression, Pattern, PatternElement},
    parser,
};

use crate::{FILES, Lang, Reader, Sentence};

/// The values that each sentence of these readers takes in a language, by key; an attribute counts
/// as a sentence, `key.attribute`. Panics where a file is no Fluent, or has a key twice.
pub fn sentences(reader: Reader, lang: Lang) -> BTreeMap<String, BTreeSet<String>> {
    let mut all = BTreeMap::new();
    for file in FILES.iter().filter(|file| file.reader == reader) {
        let Some(source) = file.source(lang) else { continue };
        let parsed = parser::parse(source);
        let parsed = parsed.unwrap_or_else(|(_, errors)| panic!("{}: {errors:?}", file.name));
        for entry in parsed.body {
            let Entry::Message(message) = entry else { continue };
            let key = message.id.name;
            let begins = key.strip_prefix(file.name).is_some_and(|rest| rest.starts_with('-'));
            assert!(begins, "{key} does not begin as {}.ftl", file.name);
            let attributes = message.attributes.iter();
            let attributes = attributes.map(|it| (format!("{key}.{}", it.id.name), &it.value));
            for (key, pattern) in
                message.value.iter().map(|it| (key.to_owned(), it)).chain(attributes)
            {
                let mut values = BTreeSet::new();
                of_pattern(pattern, &mut values);
                assert!(all.insert(key.clone(), values).is_none(), "{key} stands twice");
            }
        }
    }
    all
}

/// Panics unless the sentences of these readers are exactly what is said, with the same values.
pub fn assert_said<'a>(reader: Reader, said: impl IntoIterator<Item = &'a Sentence>) {
    let said: BTreeMap<_, BTreeSet<_>> = said
        .into_iter()
        .map(|it| (it.key.to_owned(), it.args.iter().map(|arg| (*arg).to_owned()).collect()))
        .collect();
    let langs = Lang::ALL.into_iter();
    for lang in langs.filter(|lang| reader != Reader::InCode || *lang != Lang::En) {
        let there = sentences(reader, lang);
        let differ: Vec<_> = there
            .iter()
            .filter(|(key, values)| said.get(*key) != Some(values))
            .map(|(key, values)| format!("{key} has {values:?}"))
            .chain(
                said.iter()
                    .filter(|(key, values)| there.get(*key) != Some(values))
                    .map(|(key, values)| format!("{key} is said with {values:?}")),
            )
            .collect();
        assert!(differ.is_empty(), "{lang:?}: {differ:#?}");
    }
}

fn of_pattern(pattern: &Pattern<&str>, values: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        let PatternElement::Placeable { expression } = element else { continue };
        of_expression(expression, values);
    }
}

fn of_expression(expression: &Expression<&str>, values: &mut BTreeSet<String>) {
    match expression {
        Expression::Inline(inline) => of_inline(inline, values),
        Expression::Select { selector, variants } => {
            of_inline(selector, values);
            variants.iter().for_each(|variant| of_pattern(&variant.value, values));
        }
    }
}

fn of_inline(inline: &InlineExpression<&str>, values: &mut BTreeSet<String>) {
    match inline {
        InlineExpression::VariableReference { id } => drop(values.insert(id.name.to_owned())),
        InlineExpression::Placeable { expression } => of_expression(expression, values),
        InlineExpression::FunctionReference { arguments, .. } => {
            arguments.positional.iter().for_each(|inline| of_inline(inline, values));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        for reader in [Reader::Window, Reader::Node] {
            let (en, zh) = (sentences(reader, Lang::En), sentences(reader, Lang::Zh));
            assert!(!en.is_empty());
            for (key, values) in &en {
                assert_eq!(zh.get(key), Some(values), "{key} in Chinese");
            }
            for (key, values) in &zh {
                assert_eq!(en.get(key), Some(values), "{key} in English");
            }
        }
    }

    #[test]
    fn every_file_is_named() {
        let named: BTreeSet<_> = FILES.iter().map(|file| format!("{}.ftl", file.name)).collect();
        for lang in Lang::ALL {
            let folder = format!("{}/{}", env!("CARGO_MANIFEST_DIR"), lang.tag());
            for entry in std::fs::read_dir(folder).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                assert!(named.contains(&name), "{name} is not in FILES");
            }
        }
    }

    #[test]
    fn each_language_is_written_as_such() {
        let is_han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
        for file in FILES {
            let lines = |lang| file.source(lang).into_iter().flat_map(str::lines);
            for line in lines(Lang::En) {
                // These are a full em wide in the window's font, and look wrong between Latin letters.
                assert!(!line.contains(['…', '“', '”', '’', '→', '≈']), "{line}");
                assert!(!line.contains(is_han) || line.contains("简体中文"), "{line}");
            }
            for line in lines(Lang::Zh).filter(|line| !line.starts_with('#')) {
                assert!(!line.contains('您') && !line.contains(". "), "{line}");
            }
        }
    }
}
