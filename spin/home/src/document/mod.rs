//! Documents: rows under a name, changed by compare-and-swap.
//!
//! - A document's **place** is a number under a key of its own. It is made by `increment`, which is exact also where there is
//!   nothing yet; a swap on an absent key would be unconditional. Who creates a document puts its first head where nobody
//!   looks, under a number that was drawn, and swaps the place from 0 to that number: this is the commit. Whoever dies on the
//!   way stops nobody.
//! - The **head** has the version, the newest rows, and whatever else is kept for the actor ([`Head`]). Rows that are many go
//!   to pages ([`tree`]), which are put before the head that names them is swapped, and are never changed.
//! - Each head has drawn a **token** and remembers those before it: so two heads are never the same bytes, and whoever was
//!   not told what came of a swap reads whether it counts. A store that reports a lost swap as done is found out
//!   ([`crate::probe`]), and asked in the same way each time.

pub(crate) mod error;
pub(crate) mod keys;
pub mod tree;

pub use error::OpenError;
pub use tree::Changes;

pub use crate::bytes::Bytes;

use crate::bytes::{decode, encode};
use crate::limits::{BUFFER_BYTES_MAX, PLACES_MAX, STALE_READS_MAX};
use crate::outside::Outside;
use crate::store::{Put, Store, StoreError};
use crate::types::{Range, Row};
use serde::{Deserialize, Serialize};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use tree::{Gardener, Growth, PageId, Tree, Wanted};

/// Tokens that a head remembers.
const LINEAGE_MAX: usize = 16;

/// What a swap replaces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The tokens of this head and of those before it, the newest last.
    lineage: Vec<u64>,
    /// Rows that are newer than those in pages.
    buffer: Changes,
    tree: Tree,
    /// Pages that this head does not name any more.
    orphans: Vec<PageId>,
    /// The head of the actor's ledger.
    pub ledger: Option<Bytes>,
    /// Parcels of the ledger, which are rows.
    pub parcels: u32,
    /// The alarm that is set: the index has it, or somebody has claimed it.
    pub alarm: Option<u64>,
    /// The version of the catalog that is in a row, where this is the catalog's document.
    pub catalog: u64,
}

impl Head {
    /// Names this state of the document; 0 where there is none yet.
    #[must_use]
    pub fn token(&self) -> u64 {
        self.lineage.last().copied().unwrap_or(0)
    }
}

/// A document as it was read, to be changed.
pub struct Opened<Seen> {
    /// Its name.
    pub name: String,
    /// What was there.
    pub head: Head,
    at: Option<(String, Seen)>,
}

/// All documents of a store.
pub struct Documents<S, O> {
    store: S,
    outside: Rc<O>,
    /// Where heads are; a place never changes once it is taken.
    places: RefCell<BTreeMap<String, String>>,
    /// Whether a swap that is reported as done is looked after.
    doubts: Cell<bool>,
}

impl<S: Store, O: Outside> Documents<S, O> {
    /// The documents of a store.
    pub fn new(store: S, outside: Rc<O>) -> Self {
        Self { store, outside, places: RefCell::default(), doubts: Cell::new(false) }
    }

    /// The store itself.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// From now on each swap is looked after.
    pub fn doubt(&self) {
        self.doubts.set(true);
    }

    /// A document as it is, or may have been a moment ago; an empty one where there is none.
    ///
    /// # Errors
    /// The store fails, or has what nobody can read.
    pub async fn open(&self, name: &str) -> Result<Opened<S::Seen>, OpenError> {
        let Some(key) = self.locate(name).await? else {
            return Ok(Opened { name: name.to_owned(), head: Head::default(), at: None });
        };
        let (bytes, seen) = self.store.look(&key).await?;
        let bytes = bytes.ok_or(OpenError::Gone)?;
        let head = decode(&bytes).map_err(OpenError::Damaged)?;
        Ok(Opened { name: name.to_owned(), head, at: Some((key, seen)) })
    }

    /// Only its head, to look at.
    ///
    /// # Errors
    /// As [`Documents::open`].
    pub async fn peek(&self, name: &str) -> Result<Head, OpenError> {
        let Some(key) = self.locate(name).await? else { return Ok(Head::default()) };
        for _ in 0..STALE_READS_MAX {
            // The head was there before its place: it is only this read that does not know it yet.
            if let (Some(bytes), _) = self.store.look(&key).await? {
                return decode(&bytes).map_err(OpenError::Damaged);
            }
        }
        Err(OpenError::Gone)
    }

    /// The rows of a range.
    ///
    /// # Errors
    /// The store fails, or [`OpenError::Gone`]: the document is to be opened anew.
    pub async fn rows(&self, name: &str, head: &Head, range: &Range) -> Result<Vec<Row>, OpenError> {
        if range.start >= range.end {
            return Ok(Vec::new());
        }
        let limit = usize::try_from(range.limit).unwrap_or(usize::MAX);
        let wanted =
            Wanted { start: &range.start, end: &range.end, descending: range.descending, limit, except: &head.buffer };
        let draw = || self.outside.draw();
        let gardener = Gardener { store: &self.store, name, draw: &draw };
        let mut rows = gardener.read(&head.tree, wanted).await?;
        let newer = head.buffer.range(range.start.clone()..range.end.clone());
        rows.extend(newer.filter_map(|(key, value)| value.clone().map(|value| (key.clone(), value))));
        rows.sort_by(|(one, _), (other, _)| if range.descending { other.cmp(one) } else { one.cmp(other) });
        rows.truncate(limit);
        Ok(rows.into_iter().map(|(key, value)| Row { key, value: value.0 }).collect())
    }

    /// Swaps a document for one with these rows, and whatever was changed in its head. `None`: somebody else was faster, and
    /// nothing was changed.
    ///
    /// # Errors
    /// The store fails. Where it did so in the swap, and cannot be read either, it may have been made all the same.
    pub async fn commit(&self, opened: Opened<S::Seen>, rows: Changes) -> Result<Option<Head>, OpenError> {
        let Opened { name, mut head, at } = opened;
        let token = self.outside.draw();
        head.lineage.push(token);
        let forgotten = head.lineage.len().saturating_sub(LINEAGE_MAX);
        head.lineage.drain(..forgotten);
        head.buffer.extend(rows);
        // Nobody has named them since the commit that was just read.
        for orphan in std::mem::take(&mut head.orphans) {
            if self.remove(&name, &orphan).await.is_err() {
                head.orphans.push(orphan);
            }
        }
        let mut growth = Growth::default();
        if bytes_of(&head.buffer) > BUFFER_BYTES_MAX {
            let buffer = std::mem::take(&mut head.buffer);
            let draw = || self.outside.draw();
            let gardener = Gardener { store: &self.store, name: &name, draw: &draw };
            (head.tree, growth) = gardener.change(&head.tree, buffer).await?;
            head.orphans.append(&mut growth.orphans);
        }
        if head.tree == Tree::default() {
            head.buffer.retain(|_, value| value.is_some());
        }
        let pages: Vec<String> = growth.puts.iter().map(|put| put.key.clone()).collect();
        let made = match at {
            Some((_, seen)) => self.store.commit(growth.puts, seen, encode(&head)).await,
            None => self.create(&name, growth.puts, &head).await,
        };
        let counts = match made {
            Ok(true) if !self.doubts.get() => true,
            Ok(false) => false,
            Ok(true) => self.peek(&name).await?.lineage.contains(&token),
            Err(error) => {
                let now = self.peek(&name).await?;
                if !now.lineage.contains(&token) {
                    return Err(error.into());
                }
                true
            }
        };
        if counts {
            return Ok(Some(head));
        }
        for key in pages {
            // A page that stays takes room, and nothing else.
            let _ = self.store.delete(&key).await;
        }
        Ok(None)
    }

    /// The key of a document's head, if there is one.
    async fn locate(&self, name: &str) -> Result<Option<String>, StoreError> {
        if let Some(key) = self.places.borrow().get(name) {
            return Ok(Some(key.clone()));
        }
        let place = keys::place(name);
        let mut held = self.store.get(&place).await?.map_or(0, |bytes| number(&bytes));
        if held == 0 {
            // That may be old; what a swap would see is not.
            held = self.store.look(&place).await?.0.map_or(0, |bytes| number(&bytes));
        }
        if held == 0 {
            return Ok(None);
        }
        let key = keys::head(name, held);
        let mut places = self.places.borrow_mut();
        if places.len() >= PLACES_MAX {
            places.clear();
        }
        places.insert(name.to_owned(), key.clone());
        Ok(Some(key))
    }

    /// Makes the first head of a document; false where somebody else has.
    async fn create(&self, name: &str, mut puts: Vec<Put>, head: &Head) -> Result<bool, StoreError> {
        let place = keys::place(name);
        match self.store.increment(&place, 0).await {
            Ok(0) => {}
            Ok(_) => return Ok(false),
            // A store that counts in another form than that of our numbers: the place is taken.
            Err(error) => return if self.locate(name).await?.is_some() { Ok(false) } else { Err(error) },
        }
        let (held, seen) = self.store.look(&place).await?;
        if held.is_none_or(|bytes| number(&bytes) != 0) {
            return Ok(false);
        }
        let number = self.outside.draw().max(1);
        let key = keys::head(name, number);
        puts.push(Put { key: key.clone(), value: encode(head) });
        let made = self.store.commit(puts, seen, number.to_le_bytes().to_vec()).await?;
        if !made {
            let _ = self.store.delete(&key).await;
        }
        Ok(made)
    }

    async fn remove(&self, name: &str, page: &PageId) -> Result<(), StoreError> {
        for key in page.keys(name) {
            self.store.delete(&key).await?;
        }
        Ok(())
    }
}

/// The number in a place: eight bytes, or the 0 of a store that counts in another form.
fn number(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_le_bytes)
}

fn bytes_of(rows: &Changes) -> usize {
    rows.iter().map(|(key, value)| key.len().saturating_add(value.as_ref().map_or(0, |value| value.0.len()))).sum()
}
