//! What needs two columns row by row: number columns by the values of another one, and texts that
//! weigh as much as a number says. The texts are asked of the file again, since a table keeps none by
//! row.

use std::collections::HashMap;

use super::column::finite_values;
use crate::facets::Words;
use crate::numbers::{Group, GroupNumbers, Groups};
use crate::read::Again;
use crate::table::Table;
use crate::{AnalysisError, Watch, wrong};

/// Groups with a line of their own.
const MOST: usize = 12;
/// Different values of a column that groups.
const DIFFERENT: usize = 10_000;
/// Different texts that are weighed, and characters of the longest.
const TEXTS: usize = 500_000;
const LONG: usize = 60;
/// Words that a cloud may need.
const WORDS: usize = 400;

/// The place of a column.
fn place(table: &Table, name: &str) -> Result<usize, AnalysisError> {
    let found = table.columns.iter().position(|column| column.name == name);
    found.ok_or_else(|| AnalysisError::BadOption(wrong::no_column(format!("{name:?}"))))
}

/// The number columns by the values of a column.
///
/// # Errors
///
/// [`AnalysisError::BadOption`] when there is no such column, or it has too many values.
pub(crate) fn groups(
    table: &Table,
    name: &str,
    again: &Again,
    watch: &dyn Watch,
) -> Result<Groups, AnalysisError> {
    let column = place(table, name)?;
    let mut codes: Vec<u16> = Vec::with_capacity(usize::try_from(table.rows).unwrap_or(0));
    let mut known: HashMap<String, (u16, u64)> = HashMap::new();
    let mut many = false;
    again.each(column, &mut |text| {
        let next = known.len() as u16;
        match known.get_mut(text) {
            Some((code, rows)) => {
                *rows += 1;
                codes.push(*code);
            }
            None if known.len() < DIFFERENT => {
                known.insert(text.to_owned(), (next, 1));
                codes.push(next);
            }
            None => many = true,
        }
    })?;
    if many {
        return Err(AnalysisError::BadOption(wrong::many_groups(name.to_owned(), DIFFERENT)));
    }
    let mut values: Vec<(String, u16, u64)> =
        known.into_iter().map(|(value, (code, rows))| (value, code, rows)).collect();
    values.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
    let shown = if values.len() > MOST + 1 { MOST } else { values.len() };
    let others = (values.len() - shown) as u64;
    let mut slots = vec![shown; values.len()];
    values
        .iter()
        .take(shown)
        .enumerate()
        .for_each(|(slot, value)| slots[usize::from(value.1)] = slot);
    let mut groups: Vec<Group> = vec![Group::default(); shown + usize::from(others > 0)];
    for (at, (value, _, rows)) in values.into_iter().enumerate() {
        let group = &mut groups[at.min(shown)];
        group.rows += rows;
        if at < shown {
            group.value = Some(value).filter(|value| !value.is_empty());
        }
    }
    for (at, number) in table.columns.iter().enumerate() {
        if !number.kind.is_number() || at == column {
            continue;
        }
        watch.check()?;
        let mut parts: Vec<Vec<f64>> = vec![Vec::new(); groups.len()];
        for (value, code) in finite_values(number)?.into_iter().zip(&codes) {
            if !value.is_nan() {
                parts[slots[usize::from(*code)]].push(value);
            }
        }
        for (group, part) in groups.iter_mut().zip(parts) {
            group.columns.push(described(number.name.clone(), part));
        }
    }
    Ok(Groups { column: name.to_owned(), groups, others })
}

fn described(name: String, mut values: Vec<f64>) -> GroupNumbers {
    values.sort_unstable_by(f64::total_cmp);
    let count = values.len();
    let mean = (count > 0).then(|| values.iter().sum::<f64>() / count as f64);
    let std = mean.filter(|_| count > 1).map(|mean| {
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        (squares / (count - 1) as f64).sqrt()
    });
    // As pandas: between the two nearest, in a straight line.
    let quantile = |part: f64| {
        let place = part * count.checked_sub(1)? as f64;
        let (low, high) = (values[place.floor() as usize], values[place.ceil() as usize]);
        Some(low + (high - low) * place.fract())
    };
    GroupNumbers {
        name,
        count: count as u64,
        mean,
        std,
        min: quantile(0.0),
        q25: quantile(0.25),
        median: quantile(0.5),
        q75: quantile(0.75),
        max: quantile(1.0),
    }
}

/// The texts of a column, each as large as the sum of a number over its rows. Short texts, as names
/// are, stay whole.
///
/// # Errors
///
/// [`AnalysisError::BadOption`] when the number column is none, or has no number above 0.
pub(crate) fn weighted(
    table: &Table,
    (text, weight): (&str, &str),
    again: &Again,
) -> Result<Words, AnalysisError> {
    let (column, by) = (place(table, text)?, place(table, weight)?);
    let by = &table.columns[by];
    if !by.kind.is_number() {
        let said = wrong::no_weight(weight.to_owned(), by.kind.name());
        return Err(AnalysisError::BadOption(said));
    }
    let values = finite_values(by)?;
    let (mut sums, mut row): (HashMap<String, f64>, usize) = (HashMap::new(), 0);
    again.each(column, &mut |text| {
        let weight = values.get(row).copied().filter(|weight| *weight > 0.0).unwrap_or(0.0);
        row += 1;
        if text.is_empty() || weight == 0.0 {
            return;
        }
        let text: String = text.chars().take(LONG).collect();
        if let Some(sum) = sums.get_mut(&text) {
            *sum += weight;
        } else if sums.len() < TEXTS {
            sums.insert(text, weight);
        }
    })?;
    let most = sums.values().copied().fold(0.0, f64::max);
    if most == 0.0 {
        return Err(AnalysisError::BadOption(wrong::nothing_weighs(weight.to_owned())));
    }
    // Sizes follow the parts of the largest.
    let count = |sum: f64| (sum / most * 1e6).round() as u64;
    let mut counts: Vec<(String, u64)> =
        sums.into_iter().map(|(text, sum)| (text, count(sum))).collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(WORDS);
    Ok(Words { column: text.to_owned(), counts })
}
