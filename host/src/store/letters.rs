//! Letters: messages to actors of other partitions, from the transaction that sent them until the other side has taken them in.

use super::{Store, StoreError};
use crate::wit::Address;
use rusqlite::params;

/// A message to an actor of another partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Counts the letters of this file.
    pub id: i64,
    /// To whom.
    pub to: Address,
    /// What.
    pub body: Vec<u8>,
}

impl Store {
    /// Writes a letter.
    ///
    /// # Errors
    /// A full disk, a failed write.
    pub fn write_letter(&self, id: i64, to: &Address, body: &[u8]) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("INSERT INTO letters (id, actor, body) VALUES (?1, ?2, ?3)")?
            .execute(params![id, to.to_text(), body])?;
        Ok(())
    }

    /// Forgets a letter.
    ///
    /// # Errors
    /// A failed write.
    pub fn delete_letter(&self, id: i64) -> Result<(), StoreError> {
        self.connection.prepare_cached("DELETE FROM letters WHERE id = ?1")?.execute([id])?;
        Ok(())
    }

    /// Up to `limit` letters with an id from `from` on and up to `until`, the oldest first.
    ///
    /// # Errors
    /// SQLite's own words.
    pub fn letters(&self, from: i64, until: i64, limit: usize) -> Result<Vec<Stored>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id, actor, body FROM letters WHERE id >= ?1 AND id <= ?2 ORDER BY id LIMIT ?3")?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let found = statement.query_map(params![from, until, limit], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, Vec<u8>>(2)?))
        })?;
        let found = found.collect::<Result<Vec<_>, _>>()?;
        let letter = |(id, to, body): (i64, String, Vec<u8>)| Some(Stored { id, to: Address::from_text(&to)?, body });
        Ok(found.into_iter().filter_map(letter).collect())
    }

    /// The id of the newest letter; 0 where there is none.
    ///
    /// # Errors
    /// SQLite's own words.
    pub fn newest_letter(&self) -> Result<i64, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT coalesce(max(id), 0) FROM letters")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_come_in_their_order_and_are_gone_when_they_are_forgotten() {
        let store = Store::in_memory().unwrap();
        assert_eq!(store.newest_letter().unwrap(), 0);
        let to = Address::from_text("waits/a").unwrap();
        for id in [2, 1, 3, 5] {
            store.write_letter(id, &to, &[7]).unwrap();
        }
        let ids = |from, until, limit| -> Vec<i64> {
            store.letters(from, until, limit).unwrap().iter().map(|letter| letter.id).collect()
        };
        assert_eq!(ids(0, i64::MAX, 3), [1, 2, 3]);
        assert_eq!((ids(2, 3, 9), ids(4, 4, 9)), (vec![2, 3], vec![]));
        store.delete_letter(2).unwrap();
        store.delete_letter(2).unwrap();
        assert_eq!(ids(0, i64::MAX, 9), [1, 3, 5]);
        assert_eq!(store.newest_letter().unwrap(), 5);
        assert_eq!(store.letters(5, 5, 1).unwrap(), [Stored { id: 5, to, body: vec![7] }]);
    }
}
