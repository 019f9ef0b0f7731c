//! A store in memory with what was measured of Spin's, traps included.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use stepwell_spin_home::store::StoreError;

/// What kind of store it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nature {
    /// As Spin's own: exact.
    #[default]
    Exact,
    /// Reports a lost swap as done, as Spin's Redis.
    Unheard,
    /// Has no swap worth the name: the last one wins.
    Blind,
    /// Has no atomics.
    Without,
}

#[derive(Default)]
pub struct Memory {
    pub nature: Cell<Nature>,
    pub values: RefCell<BTreeMap<String, Vec<u8>>>,
    /// Operations so far.
    pub operations: Cell<u64>,
    /// This operation fails: before it does anything, or after.
    pub fails_at: Cell<Option<(u64, bool)>>,
    /// Now and then a plain read gives what was there before.
    pub is_stale: Cell<bool>,
    older: RefCell<BTreeMap<String, Option<Vec<u8>>>>,
    pub largest: Cell<usize>,
}

pub struct Seen {
    key: String,
    value: Option<Vec<u8>>,
}

pub enum Operation<'a> {
    Get(&'a str),
    Look(&'a str),
    Put(&'a str, Vec<u8>),
    Delete(&'a str),
    Increment(&'a str, i64),
    Swap(Seen, Vec<u8>),
}

pub enum Said {
    Value(Option<Vec<u8>>),
    Seen(Option<Vec<u8>>, Seen),
    Number(i64),
    Swapped(bool),
    Nothing,
}

impl Memory {
    pub fn perform(&self, operation: Operation<'_>, dice: u64) -> Result<Said, StoreError> {
        let number = self.operations.get();
        self.operations.set(number + 1);
        match self.fails_at.get() {
            Some((at, false)) if at == number => Err(StoreError("it does not answer".to_owned())),
            Some((at, true)) if at == number => {
                self.done(operation, dice)?;
                Err(StoreError("it did it, and does not say so".to_owned()))
            }
            _ => self.done(operation, dice),
        }
    }

    fn done(&self, operation: Operation<'_>, dice: u64) -> Result<Said, StoreError> {
        let without = || StoreError("not supported by this store".to_owned());
        let has_atomics = self.nature.get() != Nature::Without;
        Ok(match operation {
            Operation::Get(key) => {
                let older = self.older.borrow().get(key).cloned();
                match older {
                    Some(older) if self.is_stale.get() && dice.is_multiple_of(5) => Said::Value(older),
                    _ => Said::Value(self.values.borrow().get(key).cloned()),
                }
            }
            Operation::Look(_) if !has_atomics => return Err(without()),
            Operation::Look(key) => {
                let value = self.values.borrow().get(key).cloned();
                Said::Seen(value.clone(), Seen { key: key.to_owned(), value })
            }
            Operation::Put(key, value) => {
                self.set(key, Some(value));
                Said::Nothing
            }
            Operation::Delete(key) => {
                self.set(key, None);
                Said::Nothing
            }
            Operation::Increment(..) if !has_atomics => return Err(without()),
            Operation::Increment(key, delta) => {
                let held = self.values.borrow().get(key).cloned();
                let held = held.map_or(Ok([0; 8]), <[u8; 8]>::try_from);
                let number = i64::from_le_bytes(held.map_err(|_| StoreError("it is no number".to_owned()))?) + delta;
                self.set(key, Some(number.to_le_bytes().to_vec()));
                Said::Number(number)
            }
            Operation::Swap(Seen { key, value: seen }, value) => {
                // On an absent key it is unconditional.
                let is_same = seen.is_none() || self.values.borrow().get(&key) == seen.as_ref();
                if is_same || self.nature.get() == Nature::Blind {
                    self.set(&key, Some(value));
                }
                Said::Swapped(is_same || self.nature.get() != Nature::Exact)
            }
        })
    }

    fn set(&self, key: &str, value: Option<Vec<u8>>) {
        self.largest.set(self.largest.get().max(value.as_ref().map_or(0, Vec::len)));
        let mut values = self.values.borrow_mut();
        let older = match value {
            Some(value) => values.insert(key.to_owned(), value),
            None => values.remove(key),
        };
        self.older.borrow_mut().insert(key.to_owned(), older);
    }
}
