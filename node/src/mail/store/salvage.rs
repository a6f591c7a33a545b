//! What can still be read of a damaged file, taken over into a new one.
//!
//! Every value carries its own hash, so whatever is taken over is what was written. The damaged file
//! stays beside the new one, for whoever knows more.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use redb::{Database, ReadableDatabase as _, ReadableTable as _};

use super::{CACHE, Change, StoreError, TABLES, Table, disk, intact, open, write};
use crate::network::now_ms;

/// Moves a damaged file away, and gives a new one with what could be read of it.
pub(super) fn saved(path: &Path) -> Result<Database, StoreError> {
    let damaged = path.with_extension(format!("damaged-{}", now_ms()));
    fs::rename(path, &damaged).map_err(disk)?;
    let found = readable(&damaged);
    let new = open(path)?;
    let mut all = found.iter().filter(|change| change.table != Table::Notes).cloned();
    loop {
        let some: Vec<_> = all.by_ref().take(1_000).collect();
        if some.is_empty() {
            break;
        }
        write(&new, &some)?;
    }
    tracing::warn!(
        "the mail records were damaged: {} could be read, and the old file is kept as {}; letters that others still hold come again",
        found.len(),
        damaged.display()
    );
    Ok(new)
}

/// All values that are what was written. redb may panic on what it finds (its documentation, "check
/// integrity"): that ends a table.
fn readable(path: &Path) -> Vec<Change> {
    let mut all = Vec::new();
    for table in TABLES {
        // Each with its own handle, because a panic may leave one in any state.
        let reading = AssertUnwindSafe(|| -> Result<(), redb::Error> {
            let db = Database::builder().set_cache_size(CACHE).open(path)?;
            let reading = db.begin_read()?;
            for record in reading.open_table(table.definition())?.iter()? {
                let (key, value) = record?;
                if intact(key.value(), value.value()).is_some() {
                    let (key, value) = (key.value().to_vec(), Some(value.value().to_vec()));
                    all.push(Change { table, key, value });
                }
            }
            Ok(())
        });
        match catch_unwind(reading) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!("a part of the damaged mail records cannot be read: {error}")
            }
            Err(_) => tracing::warn!("a part of the damaged mail records cannot be read"),
        }
    }
    all
}
