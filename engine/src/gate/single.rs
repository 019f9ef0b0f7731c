//! The gates that keep one row beside the runs that they have been shown.

use super::seen::Seen;
use crate::error::Fault;
use crate::turn::{Done, Range, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What is under `key`, if anything, and the runs.
///
/// # Errors
/// A row that such a gate does not write.
pub fn load<T: DeserializeOwned>(key: &str, rows: &[(Range, Vec<Row>)]) -> Result<(Option<T>, Seen), Fault> {
    let (mut one, mut seen) = (None, Seen::new("seen"));
    for row in rows.iter().flat_map(|(_, rows)| rows) {
        if row.key == key {
            one = Some(serde_json::from_slice(&row.value).map_err(|e| Fault::new("row of a gate", e))?);
        } else if !seen.fold(row)? {
            return Err(Fault::new("row of a gate", format!("the key {:?}", row.key)));
        }
    }
    Ok((one, seen))
}

/// Writes under `key` what has become of what was there `before`, where that is not the same.
///
/// # Errors
/// None in practice; JSON's in principle.
pub fn store<T: Serialize>(
    key: &str,
    before: Option<&T>,
    now: Option<&T>,
    is_same: impl Fn(&T, &T) -> bool,
    done: &mut Done,
) -> Result<(), Fault> {
    match (before, now) {
        (Some(before), Some(now)) if is_same(before, now) => Ok(()),
        (_, Some(now)) => done.write(key, now),
        (Some(_), None) => {
            done.delete(key);
            Ok(())
        }
        (None, None) => Ok(()),
    }
}
