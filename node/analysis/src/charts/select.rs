//! Which charts a table gets, and what their files are called.

use std::collections::HashMap;

use super::axis::count;
use super::{ChartKind, Drawn, Style, bars, heatmap, missing, scatter, spread, trend};
use crate::facets::{Category, Scatter, Spread, Trend};
use crate::{Facets, Numbers};

/// Charts of one kind at most.
const SCATTERS: usize = 6;
const SPREADS: usize = 30;
const CATEGORIES: usize = 12;
const TRENDS: usize = 6;
/// Letters of a column's name in the name of a file.
const SLUG: usize = 40;

/// What a chart is about; numbers count from 1 within the kind.
pub(super) enum Subject<'a> {
    Heatmap,
    Scatter(usize, &'a Scatter),
    Spread(usize, &'a Spread, Option<String>),
    Missing,
    Skew,
    Category(usize, &'a Category),
    Trend(usize, &'a Trend),
}

/// All that the table has something for, in the order of the report.
pub(super) fn subjects<'a>(
    numbers: &Numbers,
    facets: &'a Facets,
    style: Style,
) -> Vec<Subject<'a>> {
    let numbered = |place: usize| place + 1;
    let mut subjects = vec![Subject::Heatmap];
    let scatters = facets.scatters.iter().take(SCATTERS).enumerate();
    subjects.extend(scatters.map(|(n, scatter)| Subject::Scatter(numbered(n), scatter)));
    // Of a single value there is nothing to see.
    let varying: Vec<&Spread> = facets.spreads.iter().filter(|spread| varies(spread)).collect();
    let all = varying.len();
    let spreads = notable(numbers, varying);
    let note = (spreads.len() < all).then(|| {
        let all = count(all as u64);
        style.either(
            format!("One of the {SPREADS} most notable of {all} number columns"),
            format!("{all} 个数值列中最值得看的 {SPREADS} 列之一"),
        )
    });
    let spreads = spreads.into_iter().enumerate();
    subjects.extend(spreads.map(|(n, spread)| Subject::Spread(numbered(n), spread, note.clone())));
    subjects.extend([Subject::Missing, Subject::Skew]);
    let categories = facets.categories.iter().take(CATEGORIES).enumerate();
    subjects.extend(categories.map(|(n, category)| Subject::Category(numbered(n), category)));
    let trends = facets.trends.iter().filter(|trend| trend.starts.len() > 1);
    let trends = trends.take(TRENDS).enumerate();
    subjects.extend(trends.map(|(n, trend)| Subject::Trend(numbered(n), trend)));
    subjects
}

/// All spreads, or the 30 whose columns have the most alerts, then the longest tails; in the
/// order of the file.
fn notable<'a>(numbers: &Numbers, spreads: Vec<&'a Spread>) -> Vec<&'a Spread> {
    if spreads.len() <= SPREADS {
        return spreads;
    }
    let mut alerts: HashMap<&str, usize> = HashMap::new();
    for column in numbers.alerts.iter().filter_map(|alert| alert.column.as_deref()) {
        *alerts.entry(column).or_default() += 1;
    }
    let skews: HashMap<&str, f64> = numbers
        .columns
        .iter()
        .filter_map(|column| Some((column.name.as_str(), column.skew?.abs())))
        .filter(|(_, skew)| !skew.is_nan())
        .collect();
    let rank = |spread: &Spread| {
        let name = spread.column.as_str();
        (alerts.get(name).copied().unwrap_or(0), skews.get(name).copied().unwrap_or(0.0))
    };
    let mut ranks: Vec<(usize, (usize, f64))> =
        spreads.iter().enumerate().map(|(place, spread)| (place, rank(spread))).collect();
    ranks.sort_by(|(_, a), (_, b)| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)));
    ranks.truncate(SPREADS);
    ranks.sort_by_key(|(place, _)| *place);
    ranks.into_iter().filter_map(|(place, _)| spreads.get(place).copied()).collect()
}

fn varies(spread: &Spread) -> bool {
    let (low, high) = spread.whiskers;
    low < high || !spread.outliers.is_empty()
}

impl Subject<'_> {
    pub(super) fn kind(&self) -> ChartKind {
        match self {
            Self::Heatmap => ChartKind::Heatmap,
            Self::Scatter(..) => ChartKind::Scatter,
            Self::Spread(..) => ChartKind::Distributions,
            Self::Missing => ChartKind::Missing,
            Self::Skew => ChartKind::Skew,
            Self::Category(..) => ChartKind::Categories,
            Self::Trend(..) => ChartKind::Trends,
        }
    }

    pub(super) fn column(&self) -> Option<&str> {
        match self {
            Self::Spread(_, spread, _) => Some(&spread.column),
            Self::Category(_, category) => Some(&category.column),
            Self::Trend(_, trend) => Some(&trend.column),
            Self::Heatmap | Self::Scatter(..) | Self::Missing | Self::Skew => None,
        }
    }

    /// For a file: small letters, digits and hyphens only.
    pub(super) fn name(&self) -> String {
        let of_column = |kind: &str, number: &usize, column: &str| match slug(column) {
            slug if slug.is_empty() => format!("{kind}-{number}"),
            slug => format!("{kind}-{number}-{slug}"),
        };
        match self {
            Self::Heatmap => "heatmap".to_owned(),
            Self::Scatter(number, _) => format!("scatter-{number}"),
            Self::Spread(number, spread, _) => of_column("distribution", number, &spread.column),
            Self::Missing => "missing".to_owned(),
            Self::Skew => "skew".to_owned(),
            Self::Category(number, category) => of_column("category", number, &category.column),
            Self::Trend(number, trend) => of_column("trend", number, &trend.column),
        }
    }

    /// `None` when there turns out to be nothing to draw.
    pub(super) fn draw(&self, numbers: &Numbers, style: Style) -> Option<Drawn> {
        match self {
            Self::Heatmap => heatmap::heatmap(numbers, style),
            Self::Scatter(_, scatter) => scatter::scatter(scatter, numbers, style),
            Self::Spread(_, spread, note) => {
                spread::spread(spread, numbers, note.as_deref(), style)
            }
            Self::Missing => missing::missing(numbers, style),
            Self::Skew => bars::skew(numbers, style),
            Self::Category(_, category) => bars::category(category, numbers, style),
            Self::Trend(_, trend) => trend::trend(trend, numbers, style),
        }
    }
}

/// What of a name is safe anywhere; everything else is a hyphen, never two in a row.
fn slug(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars().take(SLUG) {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out.truncate(out.trim_end_matches('-').len());
    out
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn slugs_are_safe() {
        for (name, safe) in [
            ("Total Amount ($)", "total-amount"),
            ("../../etc/passwd", "etc-passwd"),
            ("温度", ""),
            ("<script>", "script"),
            ("a\0b\n", "a-b"),
        ] {
            assert_eq!(slug(name), safe);
        }
        assert_eq!(slug(&"x".repeat(10_000)).len(), 40);
    }
}
