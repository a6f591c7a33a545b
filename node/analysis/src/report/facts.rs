//! What the page needs of a table beyond its numbers.

use crate::Table;
use crate::table::{BadRow, Invalid, Note, Written};

/// What the page needs of a table beyond its numbers; small, whatever the size of the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableFacts {
    /// The first bad rows.
    pub bad_rows: Vec<BadRow>,
    /// What a person should know about the reading.
    pub notes: Vec<Note>,
    /// In the order of the file.
    pub columns: Vec<ColumnFacts>,
}

/// How one column was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnFacts {
    /// Currency, percent, several ways of dates.
    pub written: Written,
    /// Cells that do not fit the type.
    pub invalid: Invalid,
}

impl TableFacts {
    /// Those of a table.
    pub fn of(table: &Table) -> Self {
        let facts = |column: &crate::table::Column| ColumnFacts {
            written: column.written.clone(),
            invalid: column.invalid.clone(),
        };
        Self {
            bad_rows: table.bad_rows.first.clone(),
            notes: table.notes.clone(),
            columns: table.columns.iter().map(facts).collect(),
        }
    }
}
