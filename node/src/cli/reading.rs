//! How a table is read, where a person knows better than what is found out: the options that
//! `analyze` and `table` share.

use clap::Args;
use potluck_analysis::read::DateOrder;

use super::{Failure, wrong};
use crate::say::Reason;
use crate::services::analyze::{MOST_HEADER_LINES, MOST_SKIPPED, MOST_TABLES};

/// The options.
#[derive(Debug, Default, Args)]
pub struct Reading {
    /// The encoding, such as utf-8, gb18030 or big5 [default: found out]
    #[arg(long)]
    pub encoding: Option<String>,
    /// Between the fields, such as ";" or tab [default: found out]
    #[arg(long)]
    delimiter: Option<String>,
    /// Around fields that have a delimiter in them, such as "'" [default: found out]
    #[arg(long)]
    quote: Option<String>,
    /// Before quotes that belong to a field, such as "\\" [default: found out]
    #[arg(long)]
    escape: Option<String>,
    /// Whether the first row names the columns: yes or no [default: found out]
    #[arg(long, value_name = "yes|no")]
    header: Option<String>,
    /// Lines of the header, 0 to 5 [default: found out]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=MOST_HEADER_LINES))]
    pub header_lines: Option<u64>,
    /// Lines above the header, such as titles [default: found out]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=MOST_SKIPPED))]
    pub skip_lines: Option<u64>,
    /// Which of several tables in the file, from 1 [default: the first]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MOST_TABLES))]
    pub table: Option<u64>,
    /// Of a workbook, which sheet: its name, or its number from 1 [default: the first with a table]
    #[arg(long, value_name = "NAME|N")]
    pub sheet: Option<String>,
    /// In dates such as 01/02/2024 the day comes first (dmy) or the month (mdy) [default: found out]
    #[arg(long, value_name = "dmy|mdy")]
    pub dates: Option<String>,
    /// Leave out a last row that sums the others
    #[arg(long)]
    pub no_totals: bool,
}

/// What was said in words.
pub struct Said {
    pub delimiter: Option<char>,
    pub quote: Option<char>,
    pub escape: Option<char>,
    pub header: Option<bool>,
    pub dates: Option<DateOrder>,
}

impl Reading {
    /// What was said, if it can be.
    pub fn said(&self) -> Result<Said, Failure> {
        let delimiter = self.delimiter.as_deref().map(|text| match text {
            "tab" | "\\t" => "\t",
            other => other,
        });
        Ok(Said {
            delimiter: one(delimiter, wrong::delimiter)?,
            quote: one(self.quote.as_deref(), wrong::quote)?,
            escape: one(self.escape.as_deref(), wrong::escape)?,
            header: match self.header.as_deref() {
                None => None,
                Some("yes") => Some(true),
                Some("no") => Some(false),
                Some(_) => return Err(Failure::usage(wrong::header())),
            },
            dates: self.dates.as_deref().map(str::parse).transpose().map_err(Failure::usage)?,
        })
    }
}

fn one(text: Option<&str>, otherwise: fn() -> Reason) -> Result<Option<char>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(one), None) => Ok(Some(one)),
        _ => Err(Failure::usage(otherwise())),
    }
}
