//! Letters on their way to other partitions.
//!
//! ```text
//! here                                     there
//! transaction: rows, and the letter
//! commit ── letter ──────────────────────> transaction: the actor's turn
//!                                          commit
//! the letter is taken <──────── receipt ──
//! next transaction: the letter's row is deleted
//! ```
//!
//! A letter that is sent again, since a crash hid how far it came, is recognised by the actor that it goes to (law 2). A receipt is
//! no transaction of its own: the row goes with the next one, or is sent once more after the next start.

use crate::limits;
use crate::store::{Store, StoreError, Stored};
use std::collections::{BTreeSet, HashSet};

/// A message of one partition to an actor of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The sender's partition.
    pub from: u32,
    /// What there is to be taken in.
    pub stored: Stored,
}

/// What became of letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Their ids.
    pub letters: Vec<i64>,
    /// Whether what they led to is durable; if not, they are to be sent again.
    pub taken: bool,
}

/// The letters of one partition's file.
#[derive(Debug, Default)]
pub struct Post {
    /// The newest id that was given.
    newest: i64,
    /// All letters up to this one were sent in this life.
    sent: i64,
    in_flight: HashSet<i64>,
    /// Letters that were sent and not taken in.
    again: BTreeSet<i64>,
    not_before: u64,
    /// Letters that are taken in, and still in the file.
    taken: Vec<i64>,
}

impl Post {
    /// Whatever is in the file is still to be sent.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn open(&mut self, store: &Store) -> Result<(), StoreError> {
        self.newest = store.newest_letter()?;
        Ok(())
    }

    /// The id of a new letter.
    pub fn id(&mut self) -> i64 {
        self.newest = self.newest.saturating_add(1);
        self.newest
    }

    /// Whether the letter, which is durable now, is to be sent at once; if not, its time comes by [`Post::take_due`].
    pub fn begin(&mut self, id: i64) -> bool {
        let is_next = self.sent.checked_add(1) == Some(id) && self.room() > 0;
        if is_next {
            self.sent = id;
            self.in_flight.insert(id);
        }
        is_next
    }

    /// Notes what became of letters.
    pub fn end(&mut self, receipt: &Receipt, now: u64) {
        for id in receipt.letters.iter().filter(|id| self.in_flight.remove(id)) {
            if receipt.taken {
                self.taken.push(*id);
            } else {
                self.again.insert(*id);
                self.not_before =
                    now.saturating_add(u64::try_from(limits::RETRY_AFTER_FAILURE.as_millis()).unwrap_or(0));
            }
        }
    }

    /// When there are letters to send: never, while there is no room.
    #[must_use]
    pub fn next(&self) -> Option<u64> {
        if self.room() == 0 {
            None
        } else if self.sent < self.newest {
            Some(0)
        } else {
            (!self.again.is_empty()).then_some(self.not_before)
        }
    }

    /// Some letters that are to be sent now, out of the file.
    ///
    /// # Errors
    /// The file cannot be read; nothing has changed.
    pub fn take_due(&mut self, store: &Store, now: u64) -> Result<Vec<Stored>, StoreError> {
        let limit = self.room().min(limits::LETTERS_PAGE);
        let mut due = Vec::new();
        if now >= self.not_before {
            for id in self.again.iter().take(limit) {
                due.extend(store.letters(*id, *id, 1)?);
            }
        }
        let limit = limit.saturating_sub(due.len());
        if self.sent < self.newest && limit > 0 {
            let page = store.letters(self.sent.saturating_add(1), self.newest, limit)?;
            // Numbers without a letter are those of transactions that came to nothing, and of letters that were taken in.
            self.sent = if page.len() < limit { self.newest } else { page.last().map_or(self.sent, |last| last.id) };
            due.extend(page);
        }
        for letter in &due {
            self.again.remove(&letter.id);
            self.in_flight.insert(letter.id);
        }
        Ok(due)
    }

    /// Letters whose rows the next transaction deletes.
    #[must_use]
    pub fn taken(&self) -> &[i64] {
        &self.taken
    }

    /// So many rows wait to be deleted that it is worth a transaction.
    #[must_use]
    pub fn is_full_of_taken(&self) -> bool {
        self.taken.len() >= limits::LETTERS_IN_FLIGHT_MAX
    }

    /// Their rows are gone.
    pub fn forget_taken(&mut self) {
        self.taken.clear();
    }

    fn room(&self) -> usize {
        limits::LETTERS_IN_FLIGHT_MAX.saturating_sub(self.in_flight.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wit::Address;

    fn store_with(ids: impl Iterator<Item = i64>) -> (Store, Post) {
        let store = Store::in_memory().unwrap();
        store.begin().unwrap();
        for id in ids {
            store.write_letter(id, &Address::from_text("waits/a").unwrap(), &[]).unwrap();
        }
        store.commit().unwrap();
        let mut post = Post::default();
        post.open(&store).unwrap();
        (store, post)
    }

    fn ids(letters: &[Stored]) -> Vec<i64> {
        letters.iter().map(|letter| letter.id).collect()
    }

    fn receipt(letters: Vec<i64>, taken: bool) -> Receipt {
        Receipt { letters, taken }
    }

    #[test]
    fn what_an_earlier_life_left_is_sent_before_what_is_new() {
        let (store, mut post) = store_with([3, 4].into_iter());
        let id = post.id();
        store.write_letter(id, &Address::from_text("waits/a").unwrap(), &[]).unwrap();
        assert_eq!((id, post.begin(id), post.next()), (5, false, Some(0)));
        assert_eq!(ids(&post.take_due(&store, 0).unwrap()), [3, 4, 5]);
        assert_eq!(post.next(), None);
        let id = post.id();
        assert!(post.begin(id), "nothing is before it");
        post.end(&receipt(vec![3, 5], true), 0);
        assert_eq!(post.taken(), [3, 5]);
    }

    #[test]
    fn a_letter_that_was_not_taken_in_is_sent_again_after_a_while() {
        let (store, mut post) = store_with([1, 2].into_iter());
        post.take_due(&store, 0).unwrap();
        post.end(&receipt(vec![2], false), 100);
        let later = post.next().unwrap();
        assert!(later > 100);
        assert!(post.take_due(&store, later - 1).unwrap().is_empty());
        assert_eq!(ids(&post.take_due(&store, later).unwrap()), [2]);
        assert_eq!(post.next(), None);
        assert!(post.taken().is_empty());
    }

    #[test]
    fn no_more_than_the_bound_are_in_flight_and_all_are_sent_once() {
        let count = limits::LETTERS_IN_FLIGHT_MAX as i64 + 700;
        let (store, mut post) = store_with(1..=count);
        let mut sent = Vec::new();
        while post.next().is_some() {
            sent.extend(ids(&post.take_due(&store, 0).unwrap()));
        }
        assert_eq!(sent.len(), limits::LETTERS_IN_FLIGHT_MAX);
        let new = post.id();
        assert!(!post.begin(new));
        post.end(&receipt(sent.clone(), true), 0);
        assert!(post.is_full_of_taken());
        while post.next().is_some() {
            sent.extend(ids(&post.take_due(&store, 0).unwrap()));
        }
        assert_eq!(sent, (1..=count).collect::<Vec<_>>());
    }

    #[test]
    fn a_receipt_that_comes_twice_or_for_nothing_changes_nothing() {
        let (store, mut post) = store_with(1..=1);
        post.end(&receipt(vec![1, 9], true), 0);
        assert!(post.taken().is_empty());
        post.take_due(&store, 0).unwrap();
        post.end(&receipt(vec![1, 1], true), 0);
        post.end(&receipt(vec![1], false), 0);
        assert_eq!((post.taken(), post.next()), (&[1][..], None));
    }
}
