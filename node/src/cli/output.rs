//! What commands print: text for people, or one JSON document; progress on a terminal.

use std::{borrow::Cow, io::IsTerminal as _, process::ExitCode};

use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use potluck_i18n::Lang;
use serde::Serialize;
use serde_json::json;

use super::{Failure, words};
use crate::client::RouteHop;

/// How to print.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
    explain: bool,
    lang: Lang,
}

impl Output {
    /// As the options say.
    pub fn new(json: bool, explain: bool, lang: Lang) -> Self {
        Self { json, explain, lang }
    }

    /// The language for people.
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// Whether a program reads.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Prints a JSON document when a program reads, and otherwise what `text` makes.
    pub fn print(&self, document: &impl Serialize, text: impl FnOnce() -> String) {
        if self.json {
            match serde_json::to_string(document) {
                Ok(line) => put(&line),
                Err(error) => eprintln!("potluck: {error}"),
            }
        } else {
            put(text().trim_end());
        }
    }

    /// Draws what this program made itself, colours and all, such as a code for a camera.
    pub fn draw(&self, text: &str) {
        use std::io::Write as _;
        if !self.json {
            let _ = writeln!(std::io::stdout().lock(), "{text}");
        }
    }

    /// Prints a line for a person.
    pub fn say(&self, text: &str) {
        if !self.json {
            put(text);
        }
    }

    /// Prints the route when it was asked for.
    pub fn explain(&self, route: &[RouteHop]) {
        if self.explain && !self.json {
            eprintln!("{}", printable(&route_text(self.lang, route)));
        }
    }

    /// Prints a failure and gives its exit code.
    pub fn fail(&self, failure: &Failure) -> ExitCode {
        if self.json {
            let error = json!({ "kind": failure.kind, "message": failure.message.english() });
            put(&json!({ "error": error, "route": failure.route }).to_string());
        } else {
            eprintln!("potluck: {}", printable(&failure.message.say(self.lang)));
            self.explain(&failure.route);
        }
        failure.kind.exit_code()
    }

    /// A bar on the terminal, or nothing where standard error is none.
    pub fn bar(&self, length: u64) -> ProgressBar {
        if self.json || !std::io::stderr().is_terminal() {
            return ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::hidden());
        }
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        ProgressBar::new(length).with_style(style)
    }

    /// A bar for bytes on the terminal, or nothing where standard error is none.
    pub fn bytes(&self, message: &str) -> ProgressBar {
        if self.json || !std::io::stderr().is_terminal() {
            return ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        }
        let template = "{spinner} {msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec}";
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::no_length().with_style(style).with_message(message.to_owned());
        bar.enable_steady_tick(std::time::Duration::from_millis(100));
        bar
    }

    /// A spinner on the terminal, or nothing where standard error is none.
    pub fn spinner(&self, message: &str) -> ProgressBar {
        if self.json || !std::io::stderr().is_terminal() {
            return ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        }
        let spinner = ProgressBar::new_spinner().with_message(message.to_owned());
        spinner.enable_steady_tick(std::time::Duration::from_millis(100));
        spinner
    }
}

/// A table with a head and no frame.
pub fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(head.iter().copied());
    table
}

/// Who was tried, a line each.
pub fn route_text(lang: Lang, route: &[RouteHop]) -> String {
    if route.is_empty() {
        return words::route_none(lang).to_owned();
    }
    let lines = route.iter().enumerate().map(|(i, hop)| {
        let say = if hop.hedge { words::route_hedge } else { words::route };
        let (expected, outcome) =
            (format!("{:.0}", hop.expected_ms), words::outcome(lang, &hop.outcome));
        let line = say(lang, i + 1, &hop.name, expected, outcome, hop.milliseconds);
        match &hop.detail {
            Some(detail) => format!("{line}{}{detail}", words::colon(lang)),
            None => line,
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A text without what could command a terminal or turn its letters round: much of what is
/// printed comes from files and from peers. Line ends and tabs stay.
pub fn printable(text: &str) -> Cow<'_, str> {
    let commands = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.contains(commands) { text.replace(commands, "\u{fffd}").into() } else { text.into() }
}

/// Prints text; a reader that went away (`| head`) is no error.
fn put(text: &str) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{}", printable(text)).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn nothing_commands_the_terminal() {
        assert_eq!(printable("名字\tok\n"), "名字\tok\n");
        assert_eq!(printable("a\u{1b}]0;x\u{7}\u{202e}b"), "a\u{fffd}]0;x\u{fffd}\u{fffd}b");
    }
}
