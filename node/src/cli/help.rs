//! Help and wrong usage in other languages than English, whose words clap takes from the comments
//! of options.
//!
//! `help.ftl` has a message for each command (`help-models-add`), with an attribute for each of its
//! options and arguments (`.manifest`) and for what stands below (`.after`). Options that several
//! commands share stand in one place, `SHARED`.

use std::collections::BTreeSet;

use clap::{
    Arg, Command,
    builder::StyledStr,
    error::{ContextKind, ContextValue, ErrorKind},
};
use potluck_i18n::{Lang, fill, has};

use super::{words, wrong};

/// Where the words of options are, that are not with their command.
const SHARED: [&str; 2] = ["help-reading", "help-potluck"];

/// A command line with its help in a language. The message of its name is `key`.
#[must_use]
pub fn in_language(mut command: Command, key: &str, lang: Lang) -> Command {
    match lang {
        Lang::En => command,
        Lang::Zh => {
            // What clap adds is there only then.
            command.build();
            translated(command, key, lang)
        }
    }
}

fn translated(command: Command, key: &str, lang: Lang) -> Command {
    let command = command
        .mut_args(|arg| translated_arg(arg, key, lang))
        .mut_subcommands(|sub| match sub.get_name() {
            "help" => sub.about(words::help_help(lang)),
            name => {
                let key = below(key, name);
                translated(sub, &key, lang)
            }
        })
        .subcommand_help_heading(words::help_commands(lang))
        .help_template(words::help_template(lang));
    let command = match say(lang, key) {
        // Of its own, clap says more in the longer help.
        Some(about) => command.about(about).long_about(None::<&str>),
        None => command,
    };
    match say(lang, &format!("{key}.after")) {
        Some(after) => command.after_help(after),
        None => command,
    }
}

fn translated_arg(arg: Arg, key: &str, lang: Lang) -> Arg {
    let mut keys = std::iter::once(key).chain(SHARED);
    let id = arg.get_id().as_str();
    let Some(mut help) = (match id {
        "help" => Some(words::help_help(lang).to_owned()),
        "version" => Some(words::help_version(lang).to_owned()),
        _ => keys.find_map(|key| say(lang, &format!("{key}.{id}"))),
    }) else {
        return arg;
    };
    let heading = match (arg.is_positional(), arg.get_help_heading()) {
        (true, _) => words::help_arguments(lang),
        (false, Some(_)) => words::help_common(lang),
        (false, None) => words::help_options(lang),
    };
    if !arg.get_action().takes_values() {
        // Of its own, clap says more about the longer help.
        return arg.help(help.clone()).long_help(help).help_heading(heading);
    }
    // What clap adds of itself is English.
    let default: Vec<_> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if !default.is_empty() {
        help += &words::help_default(lang, &default.join(" "));
    }
    if let Some(name) = arg.get_env() {
        help += &words::help_variable(lang, &name.to_string_lossy());
    }
    // Below a heading, clap sorts them otherwise.
    let arg = match arg.get_index() {
        Some(place) => arg.display_order(place),
        None => arg,
    };
    let arg = arg.help(help).help_heading(heading);
    arg.hide_default_value(true).hide_env(true).hide_possible_values(true)
}

/// The keys of all help that a command line has, for tests that they are there.
#[must_use]
pub fn keys(command: &Command, key: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut add = |is: bool, key: String| {
        let _ = is.then(|| all.insert(key));
    };
    add(command.get_about().is_some(), key.to_owned());
    add(command.get_after_help().is_some(), format!("{key}.after"));
    for arg in command.get_arguments().filter(|arg| arg.get_help().is_some()) {
        let keys = SHARED.iter().map(|shared| format!("{shared}.{}", arg.get_id()));
        let own = format!("{key}.{}", arg.get_id());
        let there = std::iter::once(own.clone()).chain(keys).find(|key| has(Lang::Zh, key));
        add(true, there.unwrap_or(own));
    }
    for sub in command.get_subcommands() {
        all.extend(keys(sub, &below(key, sub.get_name())));
    }
    all
}

/// The key of a command below another.
fn below(key: &str, name: &str) -> String {
    format!("{key}-{name}").replace("help-potluck-", "help-")
}

/// The words for a key that is made here.
fn say(lang: Lang, key: &str) -> Option<String> {
    has(lang, key).then(|| fill(lang, key, []))
}

/// What is wrong with a value.
fn said(why: &(dyn std::error::Error + 'static), lang: Lang) -> String {
    match why.downcast_ref::<wrong::Value>() {
        Some(wrong::Value(why)) => why.say(lang),
        None => why.to_string(),
    }
}

/// What is wrong with the usage; nothing where clap says it, as it does all help.
pub fn usage(error: &clap::Error, lang: Lang) -> Option<String> {
    if lang == Lang::En || !error.use_stderr() {
        return None;
    }
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(all)) => all.join(", "),
        Some(ContextValue::StyledStr(text)) => text.to_string(),
        Some(ContextValue::StyledStrs(all)) => {
            all.iter().map(StyledStr::to_string).collect::<Vec<_>>().join(", ")
        }
        Some(ContextValue::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let arg = context(ContextKind::InvalidArg);
    let said = match error.kind() {
        ErrorKind::UnknownArgument => words::usage_unknown(lang, &arg),
        ErrorKind::InvalidSubcommand => {
            words::usage_no_command(lang, &context(ContextKind::InvalidSubcommand))
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            return None;
        }
        ErrorKind::MissingRequiredArgument => words::usage_missing(lang, &arg),
        ErrorKind::ArgumentConflict => {
            words::usage_conflict(lang, &arg, &context(ContextKind::PriorArg))
        }
        ErrorKind::InvalidValue if context(ContextKind::InvalidValue).is_empty() => {
            words::usage_no_value(lang, &arg)
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let value = context(ContextKind::InvalidValue);
            let valid = context(ContextKind::ValidValue);
            let why = std::error::Error::source(error).map(|why| said(why, lang));
            let why = why.unwrap_or(valid);
            words::usage_value(lang, &arg, &value, &why)
        }
        _ => return None,
    };
    let suggested = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand]
        .map(context)
        .into_iter()
        .find(|text| !text.is_empty());
    let suggested = suggested.map(|text| words::usage_suggested(lang, &text));
    let usage = context(ContextKind::Usage).replace("Usage: ", words::help_usage(lang));
    let lines = [Some(said), suggested, Some(usage), Some(words::usage_more(lang).to_owned())];
    Some(
        lines
            .into_iter()
            .flatten()
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join("\n\n"),
    )
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use potluck_i18n::{Sentence, check};

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn all_help_is_translated_and_nothing_else() {
        let all = keys(&Cli::command(), "help-potluck");
        let said = all.into_iter().map(|key| Sentence { key: key.leak(), args: &[] });
        check::assert_said(|file| file.name == "help", &said.collect::<Vec<_>>());
    }

    #[test]
    fn help_in_chinese_is_chinese() {
        for name in ["", "models add", "faces", "analyze"] {
            let words = ["potluck"].into_iter().chain(name.split_whitespace()).chain(["--help"]);
            let command = in_language(Cli::command(), "help-potluck", Lang::Zh);
            let help = command.try_get_matches_from(words).unwrap_err().to_string();
            assert!(help.contains("用法：") && help.contains("选项"), "{help}");
            for english in ["Usage", "Options", "Print help", "Commands", "[default", "[env"] {
                assert!(!help.contains(english), "{english} in {help}");
            }
        }
    }

    #[test]
    fn wrong_usage_is_said_in_chinese() {
        for (line, says) in [
            ("potluck ask --jsn hi", "不认识参数 --jsn"),
            ("potluck sing", "没有命令 sing"),
            ("potluck ask", "缺少 <TEXT>"),
            ("potluck ask --timeout x hi", "的值 x 不对：应是秒数"),
            ("potluck inbox 1 --save . --delete", "不能和"),
            ("potluck ask --peer", "需要一个值"),
        ] {
            let command = in_language(Cli::command(), "help-potluck", Lang::Zh);
            let error = command.try_get_matches_from(line.split(' ')).unwrap_err();
            let said = usage(&error, Lang::Zh).unwrap_or_default();
            assert!(said.contains(says) && said.contains("--help"), "{line}: {error:?} {said}");
            assert_eq!(usage(&error, Lang::En), None);
        }
    }
}
