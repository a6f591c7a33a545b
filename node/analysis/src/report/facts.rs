//! What the page needs of a table beyond its numbers.

use crate::table::{BadRow, Invalid, MendedRows, Note, Written};
use crate::{Facets, Numbers, Table};

/// What the page needs of a table beyond its numbers; small, whatever the size of the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableFacts {
    /// The first bad rows.
    pub bad_rows: Vec<BadRow>,
    /// Rows that were put right.
    pub mended: MendedRows,
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
    /// How many values there are in each bin, as a chart draws them; empty where none was drawn.
    pub shape: Vec<u64>,
}

impl TableFacts {
    /// Those of a table.
    pub fn of(table: &Table) -> Self {
        let facts = |column: &crate::table::Column| ColumnFacts {
            written: column.written.clone(),
            invalid: column.invalid.clone(),
            shape: Vec::new(),
        };
        Self {
            bad_rows: table.bad_rows.first.clone(),
            mended: table.mended.clone(),
            notes: table.notes.clone(),
            columns: table.columns.iter().map(facts).collect(),
        }
    }

    /// With the bins that are drawn.
    pub fn with_shapes(mut self, numbers: &Numbers, facets: &Facets) -> Self {
        // Both are in the order of the file.
        let mut spreads = facets.spreads.iter().peekable();
        for (facts, column) in self.columns.iter_mut().zip(&numbers.columns) {
            if let Some(spread) = spreads.next_if(|spread| spread.column == column.name) {
                facts.shape.clone_from(&spread.histogram.counts);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AnalysisError;
    use crate::table::{BadRows, Cells, Column, Kind, Values};

    /// A column of texts that nobody asks for.
    struct Nothing;

    impl Cells for Nothing {
        fn values(&self) -> Result<Values, AnalysisError> {
            Ok(Values::Texts)
        }

        fn texts(&self, _: &mut dyn FnMut(&str, u64)) -> Result<(), AnalysisError> {
            Ok(())
        }

        fn distinct_texts(&self) -> u64 {
            0
        }
    }

    #[test]
    fn facts_are_those_of_the_table() {
        let row = BadRow { line: 3, fields: 1, expected: 2 };
        let column = |name: &str, currency, example: &str| Column {
            name: name.to_owned(),
            kind: Kind::Text,
            missing: 0,
            invalid: Invalid { count: 1, distinct: 1, examples: vec![example.to_owned()] },
            written: Written { currency, ..Written::default() },
            cells: Box::new(Nothing),
        };
        let table = Table {
            file: "a.csv".to_owned(),
            encoding: "UTF-8".to_owned(),
            delimiter: ',',
            rows: 2,
            bad_rows: BadRows { count: 1, first: vec![row.clone()] },
            mended: MendedRows::default(),
            duplicate_rows: 0,
            columns: vec![column("a", None, "x"), column("b", Some('€'), "y")],
            notes: vec![Note::NoHeader],
        };
        let facts = TableFacts::of(&table);
        assert_eq!((facts.bad_rows, facts.notes), (vec![row], vec![Note::NoHeader]));
        let currencies: Vec<_> = facts.columns.iter().map(|c| c.written.currency).collect();
        assert_eq!(currencies, [None, Some('€')]);
        let examples: Vec<_> = facts.columns.iter().flat_map(|c| &c.invalid.examples).collect();
        assert_eq!(examples, ["x", "y"]);
    }
}
