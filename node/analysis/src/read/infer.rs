//! Kinds of columns, from a sample of their cells.

use super::dialect::Dialect;
use super::layout::Layout;
use super::number::{self, Shown};
use super::{DateOrder, time, word};

/// So much of the cells with a value may be of another kind than the column.
pub(super) const TOLERATED: f64 = 0.25;
/// So much of the numbers must look like codes for the column to be text.
pub(super) const CODES: f64 = 0.01;
/// A text column of fewer cells in the sample may turn out to be something else.
const FEW: usize = 20;

/// Rows that say whether a table is continental.
const SAID: usize = 200;

/// How the cells of a column are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plan {
    /// With this separator of decimals.
    Number {
        decimal: u8,
        /// Whether `-` means that there is none, as in accounts; parts of a hundred are none.
        dashes: bool,
    },
    /// With words of this pair.
    Boolean {
        pair: usize,
    },
    /// `compact` where `20240131` is a day.
    Time {
        day_first: bool,
        compact: bool,
    },
    /// Times of day, and durations.
    Clock,
    Text,
}

/// A plan, and what was tried before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ColumnPlan {
    pub plan: Plan,
    /// The sample had too few values to know.
    pub weak: bool,
    /// The other order of days or the other separator of decimals was tried.
    pub swapped: bool,
    /// What the whole column did not fit.
    pub failed: Option<Plan>,
    /// The texts of the whole column were looked at.
    pub looked: bool,
    /// The file itself says the kind.
    pub given: bool,
}

impl ColumnPlan {
    /// Whether the whole column showed that it is not of a kind.
    pub fn excludes(&self, plan: Plan) -> bool {
        let same = |failed: Plan| std::mem::discriminant(&failed) == std::mem::discriminant(&plan);
        self.failed.is_some_and(same)
    }

    /// Whether something is kept of every row.
    pub fn by_row(&self) -> bool {
        matches!(self.plan, Plan::Number { .. } | Plan::Time { .. } | Plan::Clock)
    }
}

/// What the sample says about each column.
pub(super) fn plans(
    layout: &Layout,
    dialect: &Dialect,
    dates: Option<DateOrder>,
    given: Option<&[Option<Plan>]>,
) -> Vec<ColumnPlan> {
    let continental = layout.continental(dialect);
    let mut seen = Vec::new();
    let mut plans: Vec<ColumnPlan> = layout
        .names
        .iter()
        .enumerate()
        .map(|(column, name)| {
            let cells = layout.rows.iter().filter_map(|row| row.get(column));
            let values: Vec<&str> =
                cells.map(String::as_str).filter(|cell| !word::missing(cell)).collect();
            let given = given.and_then(|given| *given.get(column)?);
            let plan = given.unwrap_or_else(|| plan(name, &values, continental));
            seen.push(Order::of(&values, plan));
            let weak = plan == Plan::Text && values.len() < FEW && !layout.whole;
            ColumnPlan {
                plan,
                weak,
                swapped: false,
                failed: None,
                looked: false,
                given: given.is_some(),
            }
        })
        .collect();
    settle(&mut plans, &seen, dates);
    plans
}

/// What the cells of a column show of the order of day and month.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Order {
    /// Whether it is of dates that have an order.
    pub ordered: bool,
    /// Whether all of them have dots, which are day first wherever they are written.
    pub dotted: bool,
    /// Cells that only one order reads.
    pub decided: u64,
}

impl Order {
    /// Of a tally of all cells: how they were written, and how many only this order reads.
    pub fn new(styles: u32, decided: u64) -> Self {
        let ordered = styles & time::ORDERED;
        Self { ordered: ordered != 0, dotted: ordered == time::DOTTED, decided }
    }

    fn of(values: &[&str], plan: Plan) -> Self {
        let Plan::Time { day_first, .. } = plan else { return Self::default() };
        let times = values.iter().filter_map(|value| time::parse(value, day_first));
        let (styles, decided) = times
            .fold((0, 0), |(styles, n), time| (styles | time.style, n + u64::from(time.decided)));
        Self::new(styles, decided)
    }

    /// Whether nothing in the column says its order.
    pub fn is_open(&self) -> bool {
        self.ordered && self.decided == 0
    }
}

/// Gives columns that do not say the order of their days that of the columns that do, or the one
/// that was said.
pub(super) fn settle(plans: &mut [ColumnPlan], seen: &[Order], said: Option<DateOrder>) {
    let order = said.map(|said| said == DateOrder::DayFirst).or_else(|| proven(plans, seen));
    let Some(order) = order else { return };
    for (plan, seen) in plans.iter_mut().zip(seen) {
        if let Plan::Time { day_first, .. } = &mut plan.plan
            && seen.is_open()
            && (said.is_some() || !seen.dotted)
        {
            *day_first = order;
        }
    }
}

/// The order that all columns have which say one.
pub(super) fn proven(plans: &[ColumnPlan], seen: &[Order]) -> Option<bool> {
    let mut orders = plans.iter().zip(seen).filter_map(|(plan, seen)| match plan.plan {
        Plan::Time { day_first, .. } if seen.decided > 0 => Some(day_first),
        _ => None,
    });
    let first = orders.next()?;
    orders.all(|order| order == first).then_some(first)
}

/// How to read a column with these values, none of which is missing.
pub(super) fn plan(name: &str, values: &[&str], continental: bool) -> Plan {
    if values.is_empty() {
        return Plan::Text;
    }
    if let Some(pair) = word::pair(values.iter().copied(), TOLERATED) {
        return Plan::Boolean { pair };
    }
    let there = |value: &&&str| !word::none(value) && !word::dash(value);
    let values: Vec<&str> = values.iter().filter(there).copied().collect();
    let values = values.as_slice();
    if values.is_empty() {
        return Plan::Text;
    }
    let enough = |count: usize| count as f64 >= values.len() as f64 * (1.0 - TOLERATED);
    if dated(name) && enough(values.iter().filter(|v| time::compact(v).is_some()).count()) {
        return Plan::Time { day_first: false, compact: true };
    }
    let decimal = decimal(values, continental);
    let numbers: Vec<_> = values.iter().filter_map(|v| number::parse(v, decimal)).collect();
    if enough(numbers.len()) {
        let codes = numbers
            .iter()
            .filter(|n| n.padded)
            .count()
            .max(numbers.iter().filter(|n| n.long).count());
        let coded = codes as f64 > CODES * values.len() as f64;
        let person = values.iter().any(|v| is_person(v));
        let percents = numbers.iter().filter(|n| n.percent).count();
        // Nobody writes the number 0 as `00`: alone, that is a code.
        let zeros = values.iter().all(|v| v.trim() == "00");
        return if coded || person || zeros {
            Plan::Text
        } else {
            Plan::Number { decimal, dashes: percents * 2 < numbers.len() }
        };
    }
    let times = |day_first| values.iter().filter(|v| time::parse(v, day_first).is_some()).count();
    let (month_first, day_first) = (times(false), times(true));
    if enough(month_first.max(day_first)) {
        let parsed = || values.iter().filter_map(|v| time::parse(v, true));
        let dotted = || parsed().all(|time| time.style & time::ORDERED == time::DOTTED);
        let open = continental || dotted();
        let day_first = day_first > month_first || (day_first == month_first && open);
        return Plan::Time { day_first, compact: false };
    }
    if enough(values.iter().filter(|v| time::elapsed(v).is_some()).count()) {
        return Plan::Clock;
    }
    Plan::Text
}

impl Layout {
    /// Whether decimals have commas where the cells of a column do not say so: the delimiter is
    /// that of countries that write so, or a column of numbers has such commas, and none a point.
    pub fn continental(&self, dialect: &Dialect) -> bool {
        let mut commas = dialect.delimiter == b';' && self.names.len() > 1;
        for column in 0..self.names.len() {
            let cells = self.rows.iter().take(SAID).filter_map(|row| row.get(column));
            let values: Vec<&str> =
                cells.map(String::as_str).filter(|cell| !word::missing(cell)).collect();
            let numbers = values.iter().filter(|cell| number::looks(cell)).count();
            if (numbers as f64) < values.len() as f64 * (1.0 - TOLERATED) {
                continue;
            }
            match Votes::of(&values).decimal(dialect.delimiter == b';') {
                Some(b'.') => return false,
                Some(_) => commas = true,
                None => {}
            }
        }
        commas
    }
}

fn decimal(values: &[&str], continental: bool) -> u8 {
    let open = if continental { b',' } else { b'.' };
    Votes::of(values).decimal(continental).unwrap_or(open)
}

/// Cells of a column by what they show of its separator of decimals.
#[derive(Debug, Default)]
struct Votes {
    points: usize,
    commas: usize,
    /// Those of the commas that have exactly three places.
    thousandths: usize,
    /// Such as `1,234`.
    open: usize,
}

impl Votes {
    fn of(values: &[&str]) -> Self {
        let mut votes = Self::default();
        for shown in values.iter().filter_map(|value| number::shows(value)) {
            match shown {
                Shown::Decimal { separator: b'.', .. } => votes.points += 1,
                Shown::Decimal { thousandth, .. } => {
                    votes.commas += 1;
                    votes.thousandths += usize::from(thousandth);
                }
                Shown::Comma => votes.open += 1,
            }
        }
        votes
    }

    /// The separator of decimals, if the cells say one. Where people do not write decimal commas,
    /// `1,234` is thousands and outweighs an odd `12,5`, unless all commas have three places.
    fn decimal(&self, continental: bool) -> Option<u8> {
        let fixed = self.commas > 0 && self.thousandths * 2 > self.commas;
        let against = if continental || fixed { 0 } else { self.open };
        match self.commas.cmp(&(self.points + against)) {
            std::cmp::Ordering::Greater => Some(b','),
            std::cmp::Ordering::Less if self.points > 0 || self.commas > 0 => Some(b'.'),
            _ => None,
        }
    }
}

/// Whether a name promises days.
fn dated(name: &str) -> bool {
    let name = name.to_lowercase();
    let words = ["date", "day", "日期", "时间", "時間"];
    words.iter().any(|word| name.contains(word)) || name == "dt"
}

/// A Chinese identity number whose check digit is X (GB 11643): the others in the column look
/// like numbers and are none.
fn is_person(cell: &str) -> bool {
    let bytes = cell.trim().as_bytes();
    bytes.len() == 18
        && matches!(bytes[17], b'X' | b'x')
        && bytes[..17].iter().all(u8::is_ascii_digit)
}
