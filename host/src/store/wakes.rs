//! Who must be woken or resumed.

use super::{Store, StoreError};
use crate::wit::Address;
use rusqlite::{OptionalExtension as _, params};

/// What the file says of an actor's wake. No row: nothing is to be done for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WakeRow {
    /// Effects are in flight: after a restart it is resumed, and then says when it wants to be woken.
    Owing,
    /// It waits on disk until this time, in milliseconds since the Unix epoch.
    Parked(u64),
}

impl Store {
    /// What is written of `actor`.
    ///
    /// # Errors
    /// SQLite's own words.
    pub fn wake_row(&self, actor: &str) -> Result<Option<WakeRow>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT at, owing FROM wakes WHERE actor = ?1")?;
        let found = statement.query_row([actor], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?)));
        Ok(found.optional()?.map(|(at, owing)| if owing { WakeRow::Owing } else { WakeRow::Parked(from_sql(at)) }))
    }

    /// Replaces what is written of `actor`.
    ///
    /// # Errors
    /// A full disk, a failed write.
    pub fn set_wake_row(&self, actor: &str, wake: Option<WakeRow>) -> Result<(), StoreError> {
        let (at, owing) = match wake {
            None => {
                self.connection.prepare_cached("DELETE FROM wakes WHERE actor = ?1")?.execute([actor])?;
                return Ok(());
            }
            Some(WakeRow::Owing) => (0, true),
            Some(WakeRow::Parked(at)) => (to_sql(at), false),
        };
        self.connection
            .prepare_cached(
                "INSERT INTO wakes (actor, at, owing) VALUES (?1, ?2, ?3)
                 ON CONFLICT (actor) DO UPDATE SET at = excluded.at, owing = excluded.owing",
            )?
            .execute(params![actor, at, owing])?;
        Ok(())
    }

    /// Up to `limit` owing actors after `after` in the order of their names.
    ///
    /// # Errors
    /// SQLite's own words.
    pub fn owing(&self, after: &str, limit: usize) -> Result<Vec<Address>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT actor FROM wakes WHERE owing = 1 AND actor > ?1 ORDER BY actor LIMIT ?2")?;
        let names = statement.query_map(params![after, count(limit)], |row| row.get::<_, String>(0))?;
        Ok(names.collect::<Result<Vec<_>, _>>()?.iter().filter_map(|name| Address::from_text(name)).collect())
    }

    /// Up to `limit` parked actors from `(at, actor)` on, those before `until`, the earliest first.
    ///
    /// # Errors
    /// SQLite's own words.
    pub fn parked(&self, from: (u64, &str), until: u64, limit: usize) -> Result<Vec<(u64, Address)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT at, actor FROM wakes WHERE owing = 0 AND (at, actor) >= (?1, ?2) AND at < ?3
             ORDER BY at, actor LIMIT ?4",
        )?;
        let found = statement.query_map(params![to_sql(from.0), from.1, to_sql(until), count(limit)], |row| {
            Ok((from_sql(row.get(0)?), row.get::<_, String>(1)?))
        })?;
        let found = found.collect::<Result<Vec<_>, _>>()?;
        Ok(found.into_iter().filter_map(|(at, name)| Some((at, Address::from_text(&name)?))).collect())
    }
}

/// SQLite's integers are signed; a time beyond them is never reached either way.
fn to_sql(at: u64) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}

fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn from_sql(at: i64) -> u64 {
    u64::try_from(at).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(key: &str) -> Address {
        Address::from_text(&format!("run/{key}")).unwrap()
    }

    #[test]
    fn owing_actors_are_listed_page_by_page_and_parked_ones_are_not_among_them() {
        let store = Store::in_memory().unwrap();
        for key in ["1", "2", "3"] {
            store.set_wake_row(&format!("run/{key}"), Some(WakeRow::Owing)).unwrap();
        }
        store.set_wake_row("run/2b", Some(WakeRow::Parked(5))).unwrap();
        assert_eq!(store.owing("", 2).unwrap(), [run("1"), run("2")]);
        assert_eq!(store.owing("run/2", 2).unwrap(), [run("3")]);
    }

    #[test]
    fn parked_actors_are_listed_by_time_and_pages_split_equal_times() {
        let store = Store::in_memory().unwrap();
        for (key, at) in [("c", 10), ("a", 20), ("b", 20), ("d", 30)] {
            store.set_wake_row(&format!("run/{key}"), Some(WakeRow::Parked(at))).unwrap();
        }
        assert_eq!(store.parked((0, ""), 30, 2).unwrap(), [(10, run("c")), (20, run("a"))]);
        assert_eq!(store.parked((20, "run/b"), 31, 9).unwrap(), [(20, run("b")), (30, run("d"))]);
    }

    #[test]
    fn what_was_written_is_replaced_and_removed() {
        let store = Store::in_memory().unwrap();
        assert_eq!(store.wake_row("run/1").unwrap(), None);
        store.set_wake_row("run/1", Some(WakeRow::Owing)).unwrap();
        store.set_wake_row("run/1", Some(WakeRow::Parked(u64::MAX))).unwrap();
        assert!(matches!(store.wake_row("run/1").unwrap(), Some(WakeRow::Parked(_))));
        store.set_wake_row("run/1", None).unwrap();
        assert_eq!(store.wake_row("run/1").unwrap(), None);
    }
}
