//! Why a document cannot be read.

use crate::store::StoreError;

/// Why a document cannot be read or changed.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum OpenError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was read has been replaced meanwhile: it is to be read again.
    #[error("a document changed again and again while it was read")]
    Gone,
    /// It was not written by this version or an earlier one.
    #[error("a document cannot be read: {0}")]
    Damaged(String),
}
