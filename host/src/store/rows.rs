//! Rows of actors.

use super::{Store, StoreError};
use crate::wit::{Range, Row, Write};
use rusqlite::params;

impl Store {
    /// The rows of `actor` in `range`, in the range's order.
    ///
    /// # Errors
    /// SQLite's own words.
    pub fn read(&self, actor: &str, range: &Range) -> Result<Vec<Row>, StoreError> {
        let mut statement = self.connection.prepare_cached(if range.descending {
            "SELECT key, value FROM rows WHERE actor = ?1 AND key >= ?2 AND key < ?3 ORDER BY key DESC LIMIT ?4"
        } else {
            "SELECT key, value FROM rows WHERE actor = ?1 AND key >= ?2 AND key < ?3 ORDER BY key LIMIT ?4"
        })?;
        let rows = statement.query_map(params![actor, range.start, range.end, range.limit], |row| {
            Ok(Row { key: row.get(0)?, value: row.get(1)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Writes or deletes one row of `actor`.
    ///
    /// # Errors
    /// A full disk, a failed write.
    pub fn write(&self, actor: &str, write: &Write) -> Result<(), StoreError> {
        match &write.value {
            Some(value) => self
                .connection
                .prepare_cached(
                    "INSERT INTO rows (actor, key, value) VALUES (?1, ?2, ?3)
                     ON CONFLICT (actor, key) DO UPDATE SET value = excluded.value",
                )?
                .execute(params![actor, write.key, value])?,
            None => self
                .connection
                .prepare_cached("DELETE FROM rows WHERE actor = ?1 AND key = ?2")?
                .execute(params![actor, write.key])?,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(store: &Store, actor: &str, key: &str, value: &[u8]) {
        store.write(actor, &Write { key: key.to_owned(), value: Some(value.to_vec()) }).unwrap();
    }

    fn range(start: &str, end: &str, limit: u32, descending: bool) -> Range {
        Range { start: start.to_owned(), end: end.to_owned(), limit, descending }
    }

    fn keys(store: &Store, actor: &str, range: &Range) -> Vec<String> {
        store.read(actor, range).unwrap().into_iter().map(|row| row.key).collect()
    }

    #[test]
    fn a_range_holds_its_start_and_not_its_end_and_no_other_actors_rows() {
        let store = Store::in_memory().unwrap();
        for key in ["a", "b", "c", "d"] {
            put(&store, "run/1", key, key.as_bytes());
        }
        put(&store, "run/10", "b", b"foreign");
        assert_eq!(keys(&store, "run/1", &range("b", "d", 9, false)), ["b", "c"]);
        assert_eq!(keys(&store, "run/1", &range("", "\u{10ffff}", 2, true)), ["d", "c"]);
        assert_eq!(keys(&store, "run/1", &range("b", "b\0", 1, false)), ["b"]);
        assert_eq!(keys(&store, "run/1", &range("", "\u{10ffff}", u32::MAX, false)).len(), 4);
    }

    #[test]
    fn a_write_replaces_and_a_write_of_nothing_deletes() {
        let store = Store::in_memory().unwrap();
        put(&store, "run/1", "k", b"old");
        put(&store, "run/1", "k", b"new");
        let all = range("", "z", 9, false);
        assert_eq!(store.read("run/1", &all).unwrap(), [Row { key: "k".to_owned(), value: b"new".to_vec() }]);
        store.write("run/1", &Write { key: "k".to_owned(), value: None }).unwrap();
        assert!(store.read("run/1", &all).unwrap().is_empty());
    }
}
