//! The rules of the chat robot: patterns, replies, and the file that they come from.
//!
//! [`Rules`] is pure: text and a number in, an answer out. [`RulesFile`] reloads them when their
//! file changes. The format stands in `docs/chat.md`.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use regex::{Captures, Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use serde::Deserialize;
use toml::Spanned;

use crate::{config::explain, private::Stamp};

/// The largest rule file, in bytes.
pub const MAX_FILE: usize = 1 << 20;
/// The most rules in a file.
pub const MAX_RULES: usize = 2_000;
/// The longest pattern, in bytes.
pub const MAX_PATTERN: usize = 2 << 10;
/// The longest text that is answered, in bytes.
pub const MAX_TEXT: usize = 8 << 10;
/// The longest reply, before and after its captures are filled in, in bytes.
pub const MAX_REPLY: usize = 8 << 10;

/// The most memory of one compiled pattern, in bytes.
const MAX_COMPILED: usize = 1 << 20;
/// The most memory that matching one pattern may use as a cache, in bytes.
const MAX_MATCH_CACHE: usize = 256 << 10;
/// The most memory of a group of patterns in one automaton, and of its cache, in bytes: small enough that even the
/// slowest group is through the longest text in a moment.
const MAX_TOGETHER: usize = 512 << 10;
/// Patterns of a group.
const MAX_GROUP: usize = 128;

/// Bytes of patterns times bytes of text that are through in no time.
const QUICK: usize = 1 << 20;

const BUILT_IN: &str = include_str!("default.toml");
const BUILT_IN_NAME: &str = "the built-in rules";

/// An ordered list of patterns with replies.
#[derive(Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    /// The patterns in their order, several in one automaton: one pass says which of them match.
    groups: Vec<Group>,
    /// Bytes of all patterns.
    bytes: usize,
}

/// Rules that stand one after the other.
#[derive(Debug)]
struct Group {
    first: usize,
    /// `None` for a single rule that is large.
    all: Option<RegexSet>,
}

/// The rules take longer for a text than anybody would wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooSlow;

/// What the robot says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The reply, at most [`MAX_REPLY`] bytes.
    pub text: String,
    /// Which rule matched, counted from 0 in the order of the file. `None`: none did, and the
    /// reply is the text itself.
    pub rule: Option<usize>,
}

/// Why a rule file cannot be used. The text is one line that says where and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// The file cannot be read.
    #[error(
        "{file}: the chat rules cannot be read ({reason}); check that it is a text file that you may read"
    )]
    Unreadable {
        /// The rule file.
        file: String,
        /// What the system said.
        reason: String,
    },
    /// The file is larger than [`MAX_FILE`].
    #[error("{file}: larger than 1 MiB; split off what the robot does not need")]
    TooLarge {
        /// The rule file.
        file: String,
    },
    /// A rule is wrong.
    #[error("{file}:{line}: {reason}")]
    Bad {
        /// The rule file.
        file: String,
        /// The line of the mistake, counted from 1.
        line: usize,
        /// What is wrong and how to fix it, in one line.
        reason: String,
    },
}

impl Rules {
    /// Reads rules from TOML text; `file` only names them in errors.
    pub fn parse(source: &str, file: &str) -> Result<Rules, RulesError> {
        if source.len() > MAX_FILE {
            return Err(RulesError::TooLarge { file: file.to_owned() });
        }
        let bad = |line, reason| RulesError::Bad { file: file.to_owned(), line, reason };
        let raw: RawFile = toml::from_str(source).map_err(|error| {
            let explained = explain::plain(source, &error);
            bad(explained.line, explained.reason)
        })?;
        // An editor that writes a file anew empties it first.
        let Some(raw_rules) = raw.rule else {
            let why = "it holds no rules; write rule = [] where every text should come back";
            return Err(bad(1, why.to_owned()));
        };
        if let Some(rule) = raw_rules.get(MAX_RULES) {
            let line = explain::line_at(source, rule.span().start);
            return Err(bad(line, format!("more than {MAX_RULES} rules; take some out")));
        }
        let rules = raw_rules.into_iter().map(|rule| {
            Rule::new(rule).map_err(|(at, reason)| bad(explain::line_at(source, at), reason))
        });
        let rules: Vec<Rule> = rules.collect::<Result<_, _>>()?;
        let bytes = rules.iter().map(|rule| rule.pattern.as_str().len()).sum();
        let groups = groups(&rules);
        Ok(Rules { rules, groups, bytes })
    }

    /// The rules that come with the program, in English and Chinese.
    pub fn built_in() -> Result<Rules, RulesError> {
        Rules::parse(BUILT_IN, BUILT_IN_NAME)
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// True when every text is echoed.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether looking for an answer to so many bytes surely takes less than a millisecond.
    pub fn quick(&self, text: usize) -> bool {
        self.bytes.saturating_mul(text) <= QUICK
    }

    /// Answers by the first rule whose pattern matches; without one the text comes back.
    ///
    /// Of several replies, `pick` modulo their number decides, so equal arguments give equal
    /// answers. Only the first [`MAX_TEXT`] bytes of `text` count. `go_on` is asked now and then whether it is still
    /// worth it.
    pub fn answer(
        &self,
        text: &str,
        pick: u64,
        go_on: &dyn Fn() -> bool,
    ) -> Result<Answer, TooSlow> {
        let text = &text[..text.floor_char_boundary(MAX_TEXT)];
        let trimmed = text.trim();
        for (number, group) in self.groups.iter().enumerate() {
            if number > 0 && !go_on() {
                return Err(TooSlow);
            }
            let matched = match &group.all {
                Some(all) => all.matches(trimmed).iter().next(),
                None => Some(0),
            };
            if let Some(at) = matched
                && let Some(rule) = self.rules.get(group.first + at)
                && let Some(captures) = rule.pattern.captures(trimmed)
            {
                let text = rule.reply(pick).fill(&captures);
                return Ok(Answer { text, rule: Some(group.first + at) });
            }
        }
        Ok(Answer { text: text.to_owned(), rule: None })
    }
}

/// Rules together with the file that they come from; shared between threads.
#[derive(Debug)]
pub struct RulesFile {
    path: Option<PathBuf>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    current: Arc<Rules>,
    /// What the file looked like when it was read.
    read: Option<Stamp>,
    /// What it looked like at the last look.
    seen: Option<Stamp>,
    last_error: Option<RulesError>,
}

impl RulesFile {
    /// Reads the file that the owner named; without one, the built-in rules.
    pub fn open(path: Option<PathBuf>) -> Result<RulesFile, RulesError> {
        match path {
            Some(path) => {
                let (rules, stamp) = load(&path)?;
                Ok(RulesFile::new(Some(path), rules, Some(stamp)))
            }
            None => Ok(RulesFile::new(None, Rules::built_in()?, None)),
        }
    }

    /// Reads a file that need not exist: until it appears, the built-in rules hold.
    pub fn open_if_there(path: PathBuf) -> Result<RulesFile, RulesError> {
        if path.exists() {
            return RulesFile::open(Some(path));
        }
        Ok(RulesFile::new(Some(path), Rules::built_in()?, None))
    }

    /// The rules that hold now.
    pub fn current(&self) -> Arc<Rules> {
        Arc::clone(&self.state().current)
    }

    /// Reads the file again when it has changed: the new number of rules, or the error, once.
    /// After an error, and when the file is gone, the old rules stay. A file that changes still is left alone until
    /// two looks find it the same: somebody writes it. Without a change this is one `stat`.
    pub fn poll(&self) -> Option<Result<usize, RulesError>> {
        let path = self.path.as_deref()?;
        let stamp = fs::metadata(path).ok().map(|metadata| Stamp::of(&metadata));
        {
            let mut state = self.state();
            let settled = stamp == state.seen;
            state.seen.clone_from(&stamp);
            if stamp.is_none() || stamp == state.read || !settled {
                return None;
            }
            state.read.clone_from(&stamp);
        }
        let loaded = load(path);
        let mut state = self.state();
        match loaded {
            Ok((rules, stamp)) => {
                let number = rules.len();
                state.current = Arc::new(rules);
                state.read = Some(stamp);
                state.last_error = None;
                Some(Ok(number))
            }
            Err(error) => {
                state.last_error = Some(error.clone());
                Some(Err(error))
            }
        }
    }

    /// Why the file's latest version is not in use, if it is not.
    pub fn last_error(&self) -> Option<RulesError> {
        self.state().last_error.clone()
    }

    /// Whether there is a file that may change.
    pub fn may_change(&self) -> bool {
        self.path.is_some()
    }

    fn new(path: Option<PathBuf>, rules: Rules, read: Option<Stamp>) -> RulesFile {
        let state = State { current: Arc::new(rules), seen: read.clone(), read, last_error: None };
        RulesFile { path, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is replaced whole, so it is sound even after a panic elsewhere.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a rule file. The stamp is taken first, so that a change while reading shows later.
fn load(path: &Path) -> Result<(Rules, Stamp), RulesError> {
    let file = path.display().to_string();
    let unreadable =
        |error: io::Error| RulesError::Unreadable { file: file.clone(), reason: error.to_string() };
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(unreadable(io::Error::other("it is not a file")));
    }
    let mut source = String::new();
    let limit = MAX_FILE as u64 + 1;
    File::open(path)
        .and_then(|it| it.take(limit).read_to_string(&mut source))
        .map_err(unreadable)?;
    Ok((Rules::parse(&source, &file)?, Stamp::of(&metadata)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    rule: Option<Vec<Spanned<RawRule>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    pattern: Spanned<String>,
    reply: Option<Spanned<String>>,
    #[serde(default)]
    replies: Vec<Spanned<String>>,
    #[serde(default)]
    case_sensitive: bool,
}

#[derive(Debug)]
struct Rule {
    pattern: Regex,
    case_sensitive: bool,
    /// At least one.
    replies: Vec<Reply>,
}

/// An error of one rule: the byte where it is, and the reason.
type Mistake = (usize, String);

impl Rule {
    fn new(rule: Spanned<RawRule>) -> Result<Rule, Mistake> {
        let at = rule.span().start;
        let RawRule { pattern, reply, replies, case_sensitive } = rule.into_inner();
        let replies = match (reply, replies.is_empty()) {
            (Some(reply), true) => vec![reply],
            (None, false) => replies,
            (None, true) => {
                return Err((at, "the rule has no reply; add a line reply = \"...\"".to_owned()));
            }
            (Some(reply), false) => {
                return Err((
                    reply.span().start,
                    "the rule has both reply and replies; keep one".to_owned(),
                ));
            }
        };
        let pattern = compile(&pattern, case_sensitive)?;
        let replies =
            replies.iter().map(|reply| Reply::new(reply, &pattern)).collect::<Result<_, _>>()?;
        Ok(Rule { pattern, case_sensitive, replies })
    }

    fn reply(&self, pick: u64) -> &Reply {
        let index = pick % self.replies.len() as u64;
        &self.replies[index as usize]
    }
}

fn compile(pattern: &Spanned<String>, case_sensitive: bool) -> Result<Regex, Mistake> {
    let at = pattern.span().start;
    let pattern = pattern.get_ref();
    if pattern.len() > MAX_PATTERN {
        return Err((
            at,
            format!("the pattern is longer than {MAX_PATTERN} bytes; make two rules of it"),
        ));
    }
    if pattern.is_empty() {
        return Err((
            at,
            "the pattern is empty and would match everything; write what to look for".to_owned(),
        ));
    }
    RegexBuilder::new(pattern)
        .case_insensitive(!case_sensitive)
        .size_limit(MAX_COMPILED)
        .dfa_size_limit(MAX_MATCH_CACHE)
        .build()
        .map_err(|error| (at, why(&error)))
}

/// The rules in groups, each as large as its automaton may be.
fn groups(rules: &[Rule]) -> Vec<Group> {
    let mut groups = Vec::new();
    let (mut first, mut size) = (0, MAX_GROUP);
    while first < rules.len() {
        let end = rules.len().min(first + size);
        match together(&rules[first..end]) {
            None if end - first > 1 => size = (end - first) / 2,
            all => {
                groups.push(Group { first, all });
                first = end;
                // What comes next may be smaller again.
                size = (size * 2).min(MAX_GROUP);
            }
        }
    }
    groups
}

fn together(rules: &[Rule]) -> Option<RegexSet> {
    let patterns = rules.iter().map(|rule| match rule.case_sensitive {
        true => rule.pattern.as_str().to_owned(),
        false => format!("(?i:{})", rule.pattern.as_str()),
    });
    RegexSetBuilder::new(patterns)
        .size_limit(MAX_TOGETHER)
        .dfa_size_limit(MAX_TOGETHER)
        .build()
        .ok()
}

fn why(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => {
            "the pattern needs more than 1 MiB of memory; use smaller repetition counts".to_owned()
        }
        error => {
            // The last line of a syntax error holds the reason, after a drawing of the place.
            let text = error.to_string();
            let reason = text.rsplit("error: ").next().unwrap_or(&text);
            format!("bad pattern: {}", reason.split_whitespace().collect::<Vec<_>>().join(" "))
        }
    }
}

/// A reply, cut at its captures.
#[derive(Debug)]
struct Reply(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    Text(String),
    Group(usize),
}

impl Reply {
    /// `$1`, `$name`, `${1}`, `${name}` stand for captures of `pattern`, `$$` for a dollar sign.
    fn new(source: &Spanned<String>, pattern: &Regex) -> Result<Reply, Mistake> {
        let at = source.span().start;
        if source.get_ref().len() > MAX_REPLY {
            return Err((at, format!("the reply is longer than {MAX_REPLY} bytes; shorten it")));
        }
        let mut pieces = Vec::new();
        let mut rest = source.get_ref().as_str();
        while let Some((before, after)) = rest.split_once('$') {
            pieces.push(Piece::Text(before.to_owned()));
            let (piece, left) = capture(after, pattern).map_err(|reason| (at, reason))?;
            pieces.push(piece);
            rest = left;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Reply(pieces))
    }

    fn fill(&self, captures: &Captures) -> String {
        let mut filled = String::new();
        for piece in &self.0 {
            let text = match piece {
                Piece::Text(text) => text,
                Piece::Group(group) => {
                    captures.get(*group).map_or("", |group| group.as_str().trim())
                }
            };
            let room = MAX_REPLY - filled.len();
            let fits = text.floor_char_boundary(room);
            filled.push_str(&text[..fits]);
            if fits < text.len() {
                break;
            }
        }
        filled
    }
}

/// The piece that a `$` begins, and the rest after it.
fn capture<'a>(after: &'a str, pattern: &Regex) -> Result<(Piece, &'a str), String> {
    if let Some(rest) = after.strip_prefix('$') {
        return Ok((Piece::Text("$".to_owned()), rest));
    }
    let (name, rest) = match after.strip_prefix('{') {
        Some(braced) => braced.split_once('}').ok_or("the reply has '${' without '}'")?,
        None => after.split_at(
            after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len()),
        ),
    };
    if name.is_empty() {
        return Ok((Piece::Text("$".to_owned()), rest));
    }
    let group = match name.parse::<usize>() {
        Ok(number) => Some(number).filter(|number| *number < pattern.captures_len()),
        Err(_) => pattern.capture_names().position(|group| group == Some(name)),
    };
    let shown: Cow<str> =
        name.chars().take(40).filter(|c| !c.is_control()).collect::<String>().into();
    match group {
        Some(group) => Ok((Piece::Group(group), rest)),
        None => Err(format!(
            "the reply uses ${shown}, but the pattern has no such group (write ${{1}} where letters follow a number, $$ for a dollar sign)"
        )),
    }
}

#[cfg(test)]
mod tests;
