//! Rows in pages: a tree whose pages are never changed once they are written.
//!
//! A change writes new pages for those that it concerns, up to the head, which names the topmost ones; the head's swap makes
//! all of them count at once. Pages that are not named any more are *orphans*, and are removed with the next change.

use super::error::OpenError;
use super::keys;
use crate::bytes::{Bytes, decode, encode};
use crate::limits::{CHILDREN_MAX, PAGE_BYTES_MAX, VALUE_BYTES_MAX};
use crate::store::{Put, Store};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

/// New values of rows; none where a row is deleted.
pub type Changes = BTreeMap<String, Option<Bytes>>;

/// The topmost pages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tree {
    /// Pages between these and the leaves.
    height: u32,
    children: Vec<Child>,
}

/// A page, and the lowest key in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Child {
    first: String,
    page: PageId,
}

/// Where a page is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageId {
    number: u64,
    /// A page that is too large for one value has several.
    pieces: u32,
}

#[derive(Serialize, Deserialize)]
enum Page {
    Leaf(Vec<(String, Bytes)>),
    Inner(Vec<Child>),
}

/// What a change of a tree writes and leaves behind.
#[derive(Default)]
pub struct Growth {
    /// New pages.
    pub puts: Vec<Put>,
    /// Pages that the new tree does not name.
    pub orphans: Vec<PageId>,
}

/// Reads and changes the tree of one document.
pub struct Gardener<'a, S> {
    /// Where pages are.
    pub store: &'a S,
    /// The document.
    pub name: &'a str,
    /// Draws numbers for new pages.
    pub draw: &'a dyn Fn() -> u64,
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T, OpenError>> + 'a>>;

/// A range of keys, and how much of it is wanted.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// The lowest key.
    pub start: &'a str,
    /// Above the highest key.
    pub end: &'a str,
    /// The highest keys first.
    pub descending: bool,
    /// At most so many.
    pub limit: usize,
    /// Rows that do not count: they have newer values elsewhere.
    pub except: &'a Changes,
}

impl PageId {
    /// The keys of its pieces.
    pub fn keys(&self, name: &str) -> impl Iterator<Item = String> {
        (0..self.pieces).map(move |piece| keys::page(name, self.number, piece))
    }
}

impl<S: Store> Gardener<'_, S> {
    /// Rows of a range, in the order wanted.
    pub async fn read(&self, tree: &Tree, wanted: Wanted<'_>) -> Result<Vec<(String, Bytes)>, OpenError> {
        let mut found = Vec::new();
        if wanted.start < wanted.end {
            self.walk(&tree.children, tree.height, wanted, &mut found).await?;
        }
        Ok(found)
    }

    fn walk<'a>(
        &'a self,
        children: &'a [Child],
        height: u32,
        wanted: Wanted<'a>,
        found: &'a mut Vec<(String, Bytes)>,
    ) -> Boxed<'a, ()> {
        Box::pin(async move {
            let from = children.partition_point(|child| child.first.as_str() <= wanted.start).saturating_sub(1);
            let to = children.partition_point(|child| child.first.as_str() < wanted.end);
            let mut concerned: Vec<&Child> = children.get(from..to).unwrap_or_default().iter().collect();
            if wanted.descending {
                concerned.reverse();
            }
            for child in concerned {
                if found.len() >= wanted.limit {
                    break;
                }
                match (self.page(&child.page).await?, height) {
                    (Page::Inner(children), 1..) => {
                        self.walk(&children, height.saturating_sub(1), wanted, found).await?;
                    }
                    (Page::Leaf(rows), 0) => take(rows, wanted, found),
                    _ => return Err(OpenError::Damaged("a page is not where it belongs".to_owned())),
                }
            }
            Ok(())
        })
    }

    /// The tree with these changes.
    pub async fn change(&self, tree: &Tree, changes: Changes) -> Result<(Tree, Growth), OpenError> {
        let mut growth = Growth::default();
        let changes: Vec<_> = changes.into_iter().collect();
        let mut height = tree.height;
        let mut children = self.graft(&tree.children, height, changes, &mut growth).await?;
        while children.len() > CHILDREN_MAX {
            children = self.inner_pages(children, &mut growth);
            height = height.saturating_add(1);
        }
        if children.is_empty() {
            height = 0;
        }
        Ok((Tree { height, children }, growth))
    }

    /// New children in the place of those that the changes concern.
    fn graft<'a>(
        &'a self,
        children: &'a [Child],
        height: u32,
        changes: Vec<(String, Option<Bytes>)>,
        growth: &'a mut Growth,
    ) -> Boxed<'a, Vec<Child>> {
        Box::pin(async move {
            if children.is_empty() {
                return Ok(self.leaves(merged(Vec::new(), changes), growth));
            }
            let mut changes = changes;
            let mut made = Vec::with_capacity(children.len());
            for (place, child) in children.iter().enumerate() {
                let next = children.get(place.saturating_add(1)).map(|next| next.first.as_str());
                let mine = changes.partition_point(|(key, _)| next.is_none_or(|next| key.as_str() < next));
                let later = changes.split_off(mine);
                let mine = std::mem::replace(&mut changes, later);
                if mine.is_empty() {
                    made.push(child.clone());
                    continue;
                }
                growth.orphans.push(child.page.clone());
                match (self.page(&child.page).await?, height) {
                    (Page::Leaf(rows), 0) => made.extend(self.leaves(merged(rows, mine), growth)),
                    (Page::Inner(children), 1..) => {
                        let children = self.graft(&children, height.saturating_sub(1), mine, growth).await?;
                        made.extend(self.inner_pages(children, growth));
                    }
                    _ => return Err(OpenError::Damaged("a page is not where it belongs".to_owned())),
                }
            }
            Ok(made)
        })
    }

    fn leaves(&self, rows: Vec<(String, Bytes)>, growth: &mut Growth) -> Vec<Child> {
        let (mut made, mut held, mut bytes) = (Vec::new(), Vec::new(), 0_usize);
        for row in rows {
            let size = row.0.len().saturating_add(row.1.0.len());
            if !held.is_empty() && bytes.saturating_add(size) > PAGE_BYTES_MAX {
                made.extend(self.leaf(std::mem::take(&mut held), growth));
                bytes = 0;
            }
            bytes = bytes.saturating_add(size);
            held.push(row);
        }
        made.extend(self.leaf(held, growth));
        made
    }

    fn leaf(&self, rows: Vec<(String, Bytes)>, growth: &mut Growth) -> Option<Child> {
        let first = rows.first().map(|(key, _)| key.clone())?;
        Some(Child { first, page: self.write(&Page::Leaf(rows), growth) })
    }

    fn inner_pages(&self, children: Vec<Child>, growth: &mut Growth) -> Vec<Child> {
        let mut made = Vec::new();
        for some in children.chunks(CHILDREN_MAX) {
            if let Some(first) = some.first().map(|child| child.first.clone()) {
                made.push(Child { first, page: self.write(&Page::Inner(some.to_vec()), growth) });
            }
        }
        made
    }

    fn write(&self, page: &Page, growth: &mut Growth) -> PageId {
        let (number, bytes) = ((self.draw)(), encode(page));
        let mut pieces = 0_u32;
        for piece in bytes.chunks(VALUE_BYTES_MAX) {
            growth.puts.push(Put { key: keys::page(self.name, number, pieces), value: piece.to_vec() });
            pieces = pieces.saturating_add(1);
        }
        PageId { number, pieces }
    }

    async fn page(&self, id: &PageId) -> Result<Page, OpenError> {
        let mut bytes = Vec::new();
        for key in id.keys(self.name) {
            // It went with an older head than the one that is there by now.
            let piece = self.store.get(&key).await?.ok_or(OpenError::Gone)?;
            if bytes.is_empty() { bytes = piece } else { bytes.extend_from_slice(&piece) }
        }
        decode(&bytes).map_err(OpenError::Damaged)
    }
}

fn take(mut rows: Vec<(String, Bytes)>, wanted: Wanted<'_>, found: &mut Vec<(String, Bytes)>) {
    if wanted.descending {
        rows.reverse();
    }
    let counts = |key: &str| key >= wanted.start && key < wanted.end && !wanted.except.contains_key(key);
    let room = wanted.limit.saturating_sub(found.len());
    found.extend(rows.into_iter().filter(|(key, _)| counts(key)).take(room));
}

/// Rows with changes; both ascend.
fn merged(rows: Vec<(String, Bytes)>, changes: Vec<(String, Option<Bytes>)>) -> Vec<(String, Bytes)> {
    let mut all: BTreeMap<String, Option<Bytes>> = rows.into_iter().map(|(key, value)| (key, Some(value))).collect();
    all.extend(changes);
    all.into_iter().filter_map(|(key, value)| value.map(|value| (key, value))).collect()
}
