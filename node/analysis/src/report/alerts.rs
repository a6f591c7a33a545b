//! What a person should look at first: alerts by severity, then by kind.

use std::collections::BTreeMap;

use super::words::{self, Words};
use super::{Page, amounts, text};
use crate::numbers::{Alert, AlertKind};

/// Alerts of one kind that are seen at once, and those that unfold.
const SEEN: usize = 6;
const UNFOLDED: usize = 100;

/// Characters of a sentence that are shown.
const DETAIL: usize = 400;

/// How much an alert matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    /// Something is wrong with the data.
    Problem,
    /// Something may be wrong.
    Check,
    /// Nothing is wrong, but an analysis has to know.
    Know,
}

impl Severity {
    pub(super) fn of(kind: AlertKind) -> Self {
        use AlertKind::*;
        match kind {
            Encoding | BadRows | Empty | MixedTypes | BadDates | Infinite => Self::Problem,
            Reading | Duplicates | Constant | Missing | HighCorrelation => Self::Check,
            Imbalance | Skewed | Unique | HighCardinality | Zeros => Self::Know,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Problem => "problem",
            Self::Check => "check",
            Self::Know => "know",
        }
    }

    fn name(self) -> Words {
        match self {
            Self::Problem => words::PROBLEM,
            Self::Check => words::CHECK,
            Self::Know => words::KNOW,
        }
    }

    /// Shape and colour differ, for those who see no colours.
    fn icon(self) -> &'static str {
        match self {
            Self::Problem => {
                r#"<path d="M5.2 1h5.6L15 5.2v5.6L10.8 15H5.2L1 10.8V5.2z"/><path class="in" d="M7.1 4h1.8v5H7.1zM7.1 10.4h1.8V12H7.1z"/>"#
            }
            Self::Check => {
                r#"<path d="M8 1.2 15.4 14.6H.6z"/><path class="in" d="M7.1 6h1.8v4.2H7.1zM7.1 11.4h1.8V13H7.1z"/>"#
            }
            Self::Know => {
                r#"<circle cx="8" cy="8" r="7.2"/><path class="in" d="M7.1 3.8h1.8v1.7H7.1zM7.1 7h1.8v5.2H7.1z"/>"#
            }
        }
    }
}

/// All alerts.
pub(super) fn list(page: &Page) -> String {
    let mut groups: BTreeMap<(Severity, AlertKind), Vec<&Alert>> = BTreeMap::new();
    for alert in &page.numbers.alerts {
        groups.entry((Severity::of(alert.kind), alert.kind)).or_default().push(alert);
    }
    if groups.is_empty() {
        return format!("<p class=\"fine\">{}</p>\n", page.say(words::NO_ALERTS));
    }
    let groups: String = groups
        .iter()
        .map(|((severity, kind), alerts)| group(page, *severity, *kind, alerts))
        .collect();
    format!("<div class=\"alerts\">\n{groups}</div>\n")
}

fn group(page: &Page, severity: Severity, kind: AlertKind, alerts: &[&Alert]) -> String {
    let lines =
        |alerts: &[&Alert]| -> String { alerts.iter().map(|alert| line(page, alert)).collect() };
    let (seen, rest) = alerts.split_at(alerts.len().min(SEEN));
    let mut body = format!("<ul>\n{}</ul>\n", lines(seen));
    if !rest.is_empty() {
        let (unfolded, beyond) = rest.split_at(rest.len().min(UNFOLDED));
        let more = words::SHOW_MORE.with(page.lang, &[&amounts::count(rest.len() as u64)]);
        let beyond = match beyond.len() as u64 {
            0 => String::new(),
            many => {
                let more = words::AND_MORE.with(page.lang, &[&amounts::count(many)]);
                format!("<li>{more}</li>\n")
            }
        };
        let unfolded = lines(unfolded);
        body += &format!(
            "<details><summary>{more}</summary>\n<ul>\n{unfolded}{beyond}</ul>\n</details>\n"
        );
    }
    let (class, icon, title) =
        (severity.class(), sign(page, severity), page.say(words::alert(kind)));
    let many = amounts::count(alerts.len() as u64);
    format!(
        "<div class=\"alert {class}\">\n<h3>{icon}{title} <span class=\"many\">{many}</span></h3>\n{body}</div>\n"
    )
}

/// The sentence, in which the name of its column is a link to the card.
fn line(page: &Page, alert: &Alert) -> String {
    let quoted = |detail: &str| text::quoted(detail, DETAIL);
    match alert.column.as_deref() {
        None => format!("<li>{}</li>\n", quoted(&alert.detail)),
        Some(name) => match alert.detail.strip_prefix(name) {
            Some(rest) => format!("<li>{}{}</li>\n", page.link(name), quoted(rest)),
            None => format!("<li>{} {}</li>\n", page.link(name), quoted(&alert.detail)),
        },
    }
}

fn sign(page: &Page, severity: Severity) -> String {
    let name = page.say(severity.name());
    format!(
        "<svg class=\"icon\" viewBox=\"0 0 16 16\" role=\"img\" aria-label=\"{name}\">{}</svg>",
        severity.icon()
    )
}

/// The kinds of alerts of each column with a card, for their heads.
pub(super) fn by_column(page: &Page) -> BTreeMap<usize, Vec<AlertKind>> {
    let mut found: BTreeMap<usize, Vec<AlertKind>> = BTreeMap::new();
    for alert in &page.numbers.alerts {
        let Some(at) = alert.column.as_deref().and_then(|column| page.card(column)) else {
            continue;
        };
        let kinds = found.entry(at).or_default();
        if !kinds.contains(&alert.kind) {
            kinds.push(alert.kind);
        }
    }
    found.values_mut().for_each(|kinds| kinds.sort_by_key(|kind| (Severity::of(*kind), *kind)));
    found
}

/// A kind of alert in the head of a card.
pub(super) fn flag(page: &Page, kind: AlertKind) -> String {
    let (class, name) = (Severity::of(kind).class(), page.say(words::alert(kind)));
    format!("<li class=\"flag {class}\">{name}</li>")
}
