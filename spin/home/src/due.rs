//! What is due, and when: an index in documents of their own, since a key-value store knows no order and no timers.
//!
//! An actor's alarm is in the index before the commit that needs it: one for nothing is harmless, a missing one is not. Whoever
//! looks takes out what is due and puts a **claim** in its stead, in one swap: so two never ring for the same alarm. A claim
//! is an entry like an alarm, due when its time is over; whoever has seen to it removes it, and nothing else. So that the alarm
//! that guards the turns of a ring is not taken for the claim, both have keys of their own.
//!
//! An alarm may go off before the commit that needs it. Who rings for one that the actor's document does not name leaves the
//! claim where it is: it rings once more when its time is over, and by then the commit is made, or never will be.

use crate::bytes::Bytes;
use crate::document::{Changes, Documents, OpenError};
use crate::limits::{CLAIMED_MAX, CONFLICT_MS_MAX, CONFLICTS_MAX, DUE_SHARDS};
use crate::outside::Outside;
use crate::store::{Store, StoreError};
use crate::types::{Part, Range};
use std::rc::Rc;

/// Above every entry.
const END: &str = "~";

/// The index of one part.
pub struct Due<S, O> {
    documents: Rc<Documents<S, O>>,
    outside: Rc<O>,
    part: Part,
    /// How long whoever claims an alarm has for it.
    claim_ms: u64,
}

/// What was claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Who is to be rung.
    pub name: String,
    /// For when the alarm was set; none where it was a claim whose time is over.
    pub at: Option<u64>,
    /// The claim's own entry.
    claim: String,
}

impl<S: Store, O: Outside> Due<S, O> {
    /// The index of `part`.
    pub const fn new(documents: Rc<Documents<S, O>>, outside: Rc<O>, part: Part, claim_ms: u64) -> Self {
        Self { documents, outside, part, claim_ms }
    }

    /// Sees to it that an actor is rung at `at` or soon after.
    ///
    /// # Errors
    /// The store fails.
    pub async fn set(&self, name: &str, at: u64) -> Result<(), OpenError> {
        let alarm = Changes::from([(alarm(at, name), Some(Bytes::default()))]);
        self.change(&self.document(shard_of(name)), alarm).await
    }

    /// Claims what is due at `now` in one document of the index.
    ///
    /// # Errors
    /// The store fails.
    pub async fn claim(&self, shard: u64, now: u64) -> Result<Vec<Claimed>, OpenError> {
        let name = self.document(shard);
        let until = now.saturating_add(self.claim_ms);
        for conflict in 0..CONFLICTS_MAX {
            let opened = self.documents.open(&name).await?;
            let range = Range { end: moment(now.saturating_add(1)), limit: CLAIMED_MAX, ..everything() };
            let due = match self.documents.rows(&name, &opened.head, &range).await {
                Err(OpenError::Gone) => {
                    self.pause(conflict).await;
                    continue;
                }
                rows => rows?,
            };
            if due.is_empty() {
                return Ok(Vec::new());
            }
            let mut changes = Changes::new();
            let mut claimed: Vec<Claimed> = Vec::new();
            for row in due {
                let (at, name) = read(&row.key);
                changes.insert(row.key, None);
                let claim = format!("{}/c/{name}", moment(until));
                changes.insert(claim.clone(), Some(Bytes::default()));
                match claimed.iter_mut().find(|other| other.name == name) {
                    // The later of two alarms is the one that its actor may have set last.
                    Some(other) => other.at = other.at.max(at),
                    None => claimed.push(Claimed { name, at, claim }),
                }
            }
            match self.documents.commit(opened, changes).await {
                Ok(Some(_)) => return Ok(claimed),
                Ok(None) | Err(OpenError::Gone) => self.pause(conflict).await,
                Err(error) => return Err(error),
            }
        }
        Err(beaten())
    }

    /// These were seen to.
    ///
    /// # Errors
    /// The store fails; they are due again when their time is over.
    pub async fn release(&self, shard: u64, claimed: Vec<Claimed>) -> Result<(), OpenError> {
        let changes: Changes = claimed.into_iter().map(|claimed| (claimed.claim, None)).collect();
        if changes.is_empty() { Ok(()) } else { self.change(&self.document(shard), changes).await }
    }

    /// When something is due next.
    ///
    /// # Errors
    /// The store fails.
    pub async fn next(&self) -> Result<Option<u64>, OpenError> {
        let mut next = None;
        for shard in 0..DUE_SHARDS {
            let name = self.document(shard);
            let head = self.documents.peek(&name).await?;
            let first = self.documents.rows(&name, &head, &Range { limit: 1, ..everything() }).await?;
            let at = first.first().and_then(|row| row.key.split('/').next()?.parse::<u64>().ok());
            next = [next, at].into_iter().flatten().min();
        }
        Ok(next)
    }

    fn document(&self, shard: u64) -> String {
        format!("due/{}/{shard}", self.part.as_str())
    }

    async fn change(&self, name: &str, changes: Changes) -> Result<(), OpenError> {
        for conflict in 0..CONFLICTS_MAX {
            let opened = self.documents.open(name).await?;
            match self.documents.commit(opened, changes.clone()).await {
                Ok(Some(_)) => return Ok(()),
                Ok(None) | Err(OpenError::Gone) => self.pause(conflict).await,
                Err(error) => return Err(error),
            }
        }
        Err(beaten())
    }

    async fn pause(&self, conflict: u32) {
        pause(self.outside.as_ref(), conflict).await;
    }
}

/// Waits a little after somebody else was faster, longer each time, and never for the same time as the others.
pub(crate) async fn pause(outside: &impl Outside, conflict: u32) {
    let most = 2_u64.checked_shl(conflict).unwrap_or(u64::MAX).min(CONFLICT_MS_MAX);
    outside.sleep(outside.draw().checked_rem(most).unwrap_or(0)).await;
}

fn beaten() -> OpenError {
    OpenError::Store(StoreError("others were faster again and again".to_owned()))
}

/// For when an alarm was set, and whose it or the claim is.
fn read(key: &str) -> (Option<u64>, String) {
    let mut parts = key.splitn(3, '/');
    let (at, kind, name) = (parts.next(), parts.next(), parts.next().unwrap_or_default());
    (at.filter(|_| kind == Some("a")).and_then(|at| at.parse().ok()), name.to_owned())
}

fn alarm(at: u64, name: &str) -> String {
    format!("{}/a/{name}", moment(at))
}

/// Sorts as the number does.
fn moment(at: u64) -> String {
    format!("{at:020}")
}

fn everything() -> Range {
    Range { start: String::new(), end: END.to_owned(), limit: u32::MAX, descending: false }
}

/// Which document of the index has the alarms of an actor: FNV-1a, which stays what it is.
fn shard_of(name: &str) -> u64 {
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    hash.checked_rem(DUE_SHARDS).unwrap_or(0)
}
