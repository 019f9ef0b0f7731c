//! Why a turn cannot be kept, or a ledger not be read.

use crate::limits;

/// A turn that must not be kept, or a head that cannot be read. Each has a stable [`LedgerError::code`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LedgerError {
    /// Too many letters are on their way.
    #[error("more than {} messages would wait for their receivers", limits::LETTERS_MAX)]
    TooManyLetters,
    /// Letters that are too large together.
    #[error("messages of more than {} bytes would wait for their receivers", limits::OUTBOX_BYTES_MAX)]
    OutboxTooLarge,
    /// No home has such a name.
    #[error("a destination is longer than {} bytes", limits::DESTINATION_BYTES_MAX)]
    DestinationTooLong,
    /// Too many calls at once.
    #[error("more than {} calls would be in flight", limits::LEASES_MAX)]
    TooManyCalls,
    /// No engine makes such an id.
    #[error("a call's id is longer than {} bytes", limits::CALL_ID_BYTES_MAX)]
    CallIdTooLong,
    /// It was not written by this version or an earlier one, or is damaged.
    #[error("the ledger's {what} cannot be read: {cause}")]
    Unreadable {
        /// Which part.
        what: &'static str,
        /// For people.
        cause: String,
    },
}

impl LedgerError {
    /// `overloaded` where waiting helps; `engine_fault` where it does not.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooManyLetters | Self::OutboxTooLarge | Self::TooManyCalls => "overloaded",
            Self::DestinationTooLong | Self::CallIdTooLong | Self::Unreadable { .. } => "engine_fault",
        }
    }
}
