//! A message on its way from one actor to another.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A message to hand over. Its receiver may get it twice, late, and after its successors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Names it within its sender's ledger, for [`crate::Ledger::confirm`].
    pub number: u64,
    /// To whom, as the home spelt it.
    pub to: Arc<str>,
    /// What.
    pub body: Arc<[u8]>,
    /// How often it was sent, this time included.
    pub tries: u32,
}

/// A letter in the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outgoing {
    pub(crate) parcel: u64,
    pub(crate) to: Arc<str>,
    pub(crate) tries: u32,
    /// When it is sent again.
    pub(crate) due: u64,
    /// Stored apart where the parcel has a row of its own.
    #[serde(skip)]
    pub(crate) body: Arc<[u8]>,
}

impl Outgoing {
    pub(crate) fn out(&self, number: u64) -> Letter {
        Letter { number, to: self.to.clone(), body: self.body.clone(), tries: self.tries }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.to.len().saturating_add(self.body.len())
    }
}
