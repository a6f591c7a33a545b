//! What the entry node says, as functions of the language and of what the sentence needs.

potluck_i18n::words! { "entry":
    is(name: &str);
    watch(at: String);
    stop;
    no_page(at: String, why: String);
    no_control(why: String);
}

/// What is wrong with what was typed.
pub mod wrong {
    potluck_i18n::reasons! { "entry":
        http;
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use potluck::cli::help;
    use potluck_i18n::{Sentence, check::assert_said};

    use crate::settings::{HELP, Options};

    #[test]
    fn every_sentence_has_its_function_and_every_function_its_sentence() {
        assert_said(|file| file.name == "entry", super::TABLE.iter().chain(super::wrong::TABLE));
    }

    #[test]
    fn all_help_is_translated_and_nothing_else() {
        let keys = help::keys(&Options::command(), HELP);
        let said = keys.into_iter().map(|key| Sentence { key: key.leak(), args: &[] });
        assert_said(|file| file.name == "entry-help", &said.collect::<Vec<_>>());
    }
}
