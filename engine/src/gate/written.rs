//! The writes of one turn, each key once: what comes and goes within a turn costs nothing.

use crate::error::Fault;
use crate::turn::Done;
use serde::Serialize;
use std::collections::BTreeSet;

/// Keys of rows that this turn has made.
#[derive(Debug, Default)]
pub struct Written {
    made: BTreeSet<String>,
}

impl Written {
    /// Writes a row, or deletes it where there is none to write; `is_there`: there is one, by what has been put before.
    ///
    /// # Errors
    /// A row that JSON cannot hold.
    pub fn put(
        &mut self,
        is_there: bool,
        key: String,
        row: Option<&impl Serialize>,
        done: &mut Done,
    ) -> Result<(), Fault> {
        let before = done.writes.iter().rposition(|write| write.key == key);
        if let Some(place) = before {
            done.writes.remove(place);
        }
        match row {
            Some(row) => {
                if before.is_none() && !is_there {
                    self.made.insert(key.clone());
                }
                done.write(key, row)
            }
            None if self.made.remove(&key) => Ok(()),
            None => {
                done.delete(key);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of some puts of one key: `+`, `-`, or nothing.
    fn left(was_there: bool, puts: &str) -> String {
        let (mut written, mut done, mut is_there) = (Written::default(), Done::default(), was_there);
        for put in puts.chars() {
            let row = (put == '+').then_some(&1);
            written.put(is_there, "k".to_owned(), row, &mut done).unwrap();
            is_there = row.is_some();
        }
        done.writes.iter().map(|write| if write.value.is_some() { '+' } else { '-' }).collect()
    }

    #[test]
    fn each_key_is_written_once_and_not_at_all_where_nothing_changes() {
        for (was_there, puts, is_left) in [
            (false, "+", "+"),
            (false, "+-", ""),
            (false, "+-+", "+"),
            (true, "-", "-"),
            (true, "+", "+"),
            (true, "+-", "-"),
            (true, "-+", "+"),
            (true, "-+-", "-"),
        ] {
            assert_eq!(left(was_there, puts), is_left, "{was_there} {puts}");
        }
    }
}
