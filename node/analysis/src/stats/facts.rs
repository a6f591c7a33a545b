//! What can be alarming about a table, each with its sentence in every language.

use crate::Lang;
use crate::numbers::AlertKind;
use crate::table::OpenDate;

/// One alarming fact, with the names and numbers that its sentence needs.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fact<'a> {
    /// Bytes that the encoding forbids.
    Undecodable { bytes: u64, encoding: &'a str },
    /// NUL bytes.
    Nuls(u64),
    /// An encoding that is a guess.
    Guessed(&'a str),
    /// The header is a guess.
    NoHeader,
    /// Column names that were changed.
    Renamed(u64),
    /// Line of a quote that was never closed.
    UnclosedQuote(u64),
    /// Fields that were cut.
    CutFields(u64),
    /// Rows of another width, the first of them as line, fields and expected fields.
    BadRows { rows: u64, first: Option<(u64, usize, usize)> },
    /// Rows that were put right, and the line of the first of them.
    Mended { rows: u64, line: u64 },
    /// A last row that sums the others, in so many columns.
    Totals { columns: u64 },
    /// Whole numbers that are Unix times, with the first one, in seconds or milliseconds.
    UnixTimes { column: &'a str, first: i64, millis: bool },
    /// Tables in the file beside this one.
    MoreTables(u64),
    /// Equal rows.
    Duplicates { rows: u64, all: u64 },
    /// No value.
    Empty(&'a str),
    /// One value.
    Constant { column: &'a str, value: String, cells: u64 },
    /// Missing cells.
    Missing { column: &'a str, cells: u64, ratio: f64 },
    /// Cells of another kind, with an example.
    MixedTypes { column: &'a str, kind: &'a str, cells: u64, example: &'a str },
    /// Dates that are none, with an example.
    WrongDates { column: &'a str, cells: u64, example: &'a str },
    /// Dates written in several ways.
    MixedDates(&'a str),
    /// Dates whose order of day and month nothing says.
    OpenDates { column: &'a str, date: &'a OpenDate },
    /// Infinite cells.
    Infinite { column: &'a str, cells: u64 },
    /// Two columns that say nearly the same.
    HighCorrelation { column: &'a str, other: &'a str, pearson: Option<f64>, spearman: Option<f64> },
    /// Columns that were not compared.
    Uncompared { compared: usize, all: usize },
    /// One value rules.
    Imbalance { column: &'a str, value: String, ratio: f64 },
    /// A long tail.
    Skewed { column: &'a str, skew: f64 },
    /// All different.
    Unique { column: &'a str, cells: u64 },
    /// Many different texts.
    HighCardinality { column: &'a str, distinct: u64, cells: u64 },
    /// Many zeros.
    Zeros { column: &'a str, cells: u64, ratio: f64 },
}

impl Fact<'_> {
    /// What the alert is about.
    pub(super) fn kind(&self) -> AlertKind {
        match self {
            Self::Undecodable { .. } | Self::Nuls(_) | Self::Guessed(_) => AlertKind::Encoding,
            Self::NoHeader | Self::Renamed(_) | Self::CutFields(_) | Self::MoreTables(_) => {
                AlertKind::Reading
            }
            Self::Mended { .. } | Self::Totals { .. } | Self::UnixTimes { .. } => {
                AlertKind::Reading
            }
            Self::UnclosedQuote(_) | Self::BadRows { .. } => AlertKind::BadRows,
            Self::Duplicates { .. } => AlertKind::Duplicates,
            Self::Empty(_) => AlertKind::Empty,
            Self::Constant { .. } => AlertKind::Constant,
            Self::Missing { .. } => AlertKind::Missing,
            Self::MixedTypes { .. } => AlertKind::MixedTypes,
            Self::WrongDates { .. } | Self::MixedDates(_) | Self::OpenDates { .. } => {
                AlertKind::BadDates
            }
            Self::Infinite { .. } => AlertKind::Infinite,
            Self::HighCorrelation { .. } | Self::Uncompared { .. } => AlertKind::HighCorrelation,
            Self::Imbalance { .. } => AlertKind::Imbalance,
            Self::Skewed { .. } => AlertKind::Skewed,
            Self::Unique { .. } => AlertKind::Unique,
            Self::HighCardinality { .. } => AlertKind::HighCardinality,
            Self::Zeros { .. } => AlertKind::Zeros,
        }
    }

    /// The sentence.
    pub(super) fn say(&self, lang: Lang) -> String {
        let (english, chinese) = match self {
            Self::Undecodable { .. }
            | Self::Nuls(_)
            | Self::Guessed(_)
            | Self::NoHeader
            | Self::Renamed(_)
            | Self::UnclosedQuote(_)
            | Self::CutFields(_)
            | Self::BadRows { .. }
            | Self::Mended { .. }
            | Self::MoreTables(_)
            | Self::Totals { .. }
            | Self::Duplicates { .. }
            | Self::Uncompared { .. } => self.of_table(),
            _ => self.of_column(),
        };
        match lang {
            Lang::En => english,
            Lang::Zh => chinese,
        }
    }

    fn of_table(&self) -> (String, String) {
        match self {
            Self::Undecodable { bytes, encoding } => {
                let what = many(*bytes, "byte is", "bytes are");
                let bytes = grouped(*bytes);
                (
                    format!(
                        "{what} not valid {encoding} and became \u{fffd}; the file may be in another encoding."
                    ),
                    format!(
                        "有 {bytes} 个字节不符合 {encoding} 编码，已替换为 \u{fffd}；文件可能用了别的编码。"
                    ),
                )
            }
            Self::Nuls(bytes) => {
                let what = many(*bytes, "NUL byte was", "NUL bytes were");
                let bytes = grouped(*bytes);
                (
                    format!("{what} dropped; the file may be damaged."),
                    format!("丢弃了 {bytes} 个 NUL 字节；文件可能已损坏。"),
                )
            }
            Self::Guessed(encoding) => (
                format!(
                    "The encoding {encoding} is a guess; where letters look wrong, name the right one with --encoding."
                ),
                format!("编码 {encoding} 是猜测的；如有乱码，请用 --encoding 指定正确的编码。"),
            ),
            Self::NoHeader => (
                "The first line looks like data, so the columns have no names.".into(),
                "第一行看起来是数据，因此各列没有名称。".into(),
            ),
            Self::Renamed(names) => (
                format!(
                    "{} changed: empty or used twice.",
                    many(*names, "column name was", "column names were")
                ),
                format!("有 {} 个列名为空或重复，已改名。", grouped(*names)),
            ),
            Self::UnclosedQuote(line) => (
                format!(
                    "A quote opens in line {line} and is never closed; rows after it may be wrong."
                ),
                format!("第 {line} 行的引号没有闭合，其后的行可能有误。"),
            ),
            Self::CutFields(fields) => (
                format!("{} cut: too long.", many(*fields, "field was", "fields were")),
                format!("有 {} 个字段过长，已截断。", grouped(*fields)),
            ),
            Self::BadRows { rows, first: Some((line, fields, expected)) } => (
                format!(
                    "{} {expected} fields; the first is line {line} with {fields}.",
                    many(*rows, "row does not have", "rows do not have")
                ),
                format!(
                    "有 {} 行的字段数不是 {expected}；最早的是第 {line} 行，有 {fields} 个字段。",
                    grouped(*rows)
                ),
            ),
            Self::BadRows { rows, first: None } => (
                format!("{} not as wide as the header.", many(*rows, "row is", "rows are")),
                format!("有 {} 行的字段数与表头不符。", grouped(*rows)),
            ),
            Self::Mended { rows, line } => (
                format!(
                    "{} put right, because the columns say how; the first is line {line}.",
                    many(*rows, "broken row was", "broken rows were")
                ),
                format!(
                    "有 {} 行已损坏，根据各列的内容修复；最早的是第 {line} 行。",
                    grouped(*rows)
                ),
            ),
            Self::Totals { columns } => (
                format!(
                    "The last row is the sum of the others in {}, so it counts twice.",
                    many(*columns, "column", "columns")
                ),
                format!("最后一行在 {} 列中是其他各行之和，因此被重复计算。", grouped(*columns)),
            ),
            Self::MoreTables(tables) => (
                format!(
                    "The file has {} beside this one; --table chooses another.",
                    many(*tables, "table", "tables")
                ),
                format!("文件中另有 {} 个表格；可用 --table 选择。", grouped(*tables)),
            ),
            Self::Duplicates { rows, all } => {
                let (count, part) = (grouped(*rows), share(*rows as f64 / (*all).max(1) as f64));
                (
                    format!(
                        "{} ({part}) {} an earlier row in every cell.",
                        many(*rows, "row", "rows"),
                        if *rows == 1 { "equals" } else { "equal" }
                    ),
                    format!("有 {count} 行（{part}）与前面的某一行完全相同。"),
                )
            }
            Self::Uncompared { compared, all } => {
                let (compared, all) = (grouped(*compared as u64), grouped(*all as u64));
                (
                    format!(
                        "Only the first {compared} of {all} number columns were compared with each other."
                    ),
                    format!("数值列共 {all} 个，只对前 {compared} 个两两比较。"),
                )
            }
            _ => Default::default(),
        }
    }

    fn of_column(&self) -> (String, String) {
        match self {
            Self::Empty(column) => {
                (format!("{column} has no value at all."), format!("{column} 一个值也没有。"))
            }
            Self::Constant { column, value, cells } => (
                format!(
                    "{column} is {value} in all {} cells, so it tells nothing.",
                    grouped(*cells)
                ),
                format!("{column} 的 {} 个值全是 {value}，没有信息量。", grouped(*cells)),
            ),
            Self::Missing { column, cells, ratio } => {
                let what = many(*cells, "row", "rows");
                let (cells, part) = (grouped(*cells), share(*ratio));
                (
                    format!(
                        "{column} has no value in {what} ({part}); all else is about the other rows."
                    ),
                    format!("{column} 有 {cells} 行（{part}）缺失；统计只针对其余各行。"),
                )
            }
            Self::MixedTypes { column, kind, cells, example } => {
                let left_out = left_out(*cells);
                let what = many(*cells, "cell is", "cells are");
                let (cells, example) = (grouped(*cells), short(example));
                (
                    format!(
                        "{column} is of type {kind}, but {what} not, such as {example:?}; {left_out}."
                    ),
                    format!(
                        "{column} 是{}列，但有 {cells} 个单元格不是，例如“{example}”；这些不计入统计。",
                        kind_in_chinese(kind)
                    ),
                )
            }
            Self::WrongDates { column, cells, example } => {
                let left_out = left_out(*cells);
                let what = many(*cells, "cell that is no date", "cells that are no dates");
                let (cells, example) = (grouped(*cells), short(example));
                (
                    format!("{column} has {what}, such as {example:?}; {left_out}."),
                    format!(
                        "{column} 有 {cells} 个单元格不是有效日期，例如“{example}”；这些不计入统计。"
                    ),
                )
            }
            Self::MixedDates(column) => (
                format!(
                    "{column} writes dates in several ways; day and month may be swapped in some."
                ),
                format!("{column} 的日期有多种写法，有些可能颠倒了日和月。"),
            ),
            Self::UnixTimes { column, first, millis } => {
                let micros = first.saturating_mul(if *millis { 1000 } else { 1_000_000 });
                let time = super::calendar::iso(micros, false);
                let (unit, chinese) =
                    if *millis { ("milliseconds", "毫秒") } else { ("seconds", "秒") };
                (
                    format!("{column} looks like Unix times in {unit}: {first} is {time} UTC."),
                    format!("{column} 看起来是以{chinese}计的 Unix 时间：{first} 即 {time} UTC。"),
                )
            }
            Self::OpenDates { column, date } => {
                let day = |time| super::calendar::iso(time, true);
                let (cell, dates) = (short(&date.cell), date.dates);
                let (read, other, order) = match date.day_first {
                    true => (day(dates.0), day(dates.1), ("day", "日")),
                    false => (day(dates.1), day(dates.0), ("month", "月")),
                };
                (
                    format!(
                        "{column}: {cell} was read as {read}, the {} first, but nothing rules out {other}; --dates dmy or mdy says which.",
                        order.0
                    ),
                    format!(
                        "{column}：{cell} 读作 {read}（{}在前），但也可能是 {other}；可用 --dates dmy 或 mdy 指定。",
                        order.1
                    ),
                )
            }
            Self::Infinite { column, cells } => (
                format!(
                    "{column} has {}, so it has no mean.",
                    many(*cells, "infinite cell", "infinite cells")
                ),
                format!("{column} 有 {} 个无穷大的值，因此没有均值。", grouped(*cells)),
            ),
            Self::HighCorrelation { column, other, pearson, spearman } => {
                let number =
                    |number: &Option<f64>| number.map_or("-".into(), |r| format!("{r:.2}"));
                let (r, rho) = (number(pearson), number(spearman));
                (
                    format!(
                        "{column} and {other} say nearly the same (Pearson {r}, Spearman {rho})."
                    ),
                    format!(
                        "{column} 与 {other} 几乎说的是同一件事（皮尔逊 {r}，斯皮尔曼 {rho}）。"
                    ),
                )
            }
            Self::Imbalance { column, value, ratio } => {
                let part = share(*ratio);
                (
                    format!(
                        "{column} is {value:?} in {part} of its cells; the other values are rare."
                    ),
                    format!("{column} 有 {part} 的值是“{value}”，其他值很少。"),
                )
            }
            Self::Skewed { column, skew } => {
                let (side, chinese) =
                    if *skew > 0.0 { ("high", "偏大") } else { ("low", "偏小") };
                (
                    format!(
                        "{column} has a long tail of {side} values (skewness {skew:.2}); its median says more than its mean."
                    ),
                    format!(
                        "{column} 有一条{chinese}值的长尾（偏度 {skew:.2}），中位数比均值更能说明问题。"
                    ),
                )
            }
            Self::Unique { column, cells } => (
                format!(
                    "{column} is different in each of its {} cells, as a key is.",
                    grouped(*cells)
                ),
                format!("{column} 的 {} 个值各不相同，像是主键。", grouped(*cells)),
            ),
            Self::HighCardinality { column, distinct, cells } => {
                let (distinct, cells) = (grouped(*distinct), grouped(*cells));
                (
                    format!(
                        "{column} has {distinct} different texts in {cells} cells, too many for groups."
                    ),
                    format!("{column} 在 {cells} 个值中有 {distinct} 种不同文本，不适合分组。"),
                )
            }
            Self::Zeros { column, cells, ratio } => {
                let what = many(*cells, "cell", "cells");
                let (cells, part) = (grouped(*cells), share(*ratio));
                (
                    format!("{column} is 0 in {what} ({part}); a 0 may stand for no value."),
                    format!("{column} 有 {cells} 个值（{part}）为 0；0 可能表示没有值。"),
                )
            }
            _ => Default::default(),
        }
    }
}

/// The sentence for the alerts of a kind that are not told one by one.
pub(super) fn more(columns: usize, lang: Lang) -> String {
    let what = many(columns as u64, "more column or pair", "more columns or pairs");
    let columns = grouped(columns as u64);
    match lang {
        Lang::En => format!("The same goes for {what} of columns."),
        Lang::Zh => format!("另有 {columns} 列（或列对）也是如此。"),
    }
}

fn kind_in_chinese(kind: &str) -> &str {
    match kind {
        "integer" => "整数",
        "number" => "小数",
        "boolean" => "是/否",
        "date" => "日期",
        "datetime" => "日期时间",
        "time" => "时刻",
        "duration" => "时长",
        _ => "文本",
    }
}

/// A count with its noun.
fn many(count: u64, one: &str, more: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { more })
}

fn left_out(cells: u64) -> &'static str {
    if cells == 1 { "it is left out" } else { "they are left out" }
}

/// With commas between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// In percent; never 0 % or 100 % of something that is not none or all.
fn share(ratio: f64) -> String {
    match ratio * 100.0 {
        part if part > 0.0 && part < 0.1 => "<0.1%".into(),
        part if part > 99.9 && part < 100.0 => ">99.9%".into(),
        part => format!("{}%", format!("{part:.1}").trim_end_matches(".0")),
    }
}

/// The beginning of a text.
pub(super) fn short(text: &str) -> String {
    const MOST: usize = 40;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
