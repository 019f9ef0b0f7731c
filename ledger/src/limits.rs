//! Every bound of a ledger, with its unit in its name.

/// Letters that nobody has confirmed.
pub const LETTERS_MAX: usize = 20_000;
/// The bytes of such letters.
pub const OUTBOX_BYTES_MAX: usize = 48 << 20;
/// A letter's destination.
pub const DESTINATION_BYTES_MAX: usize = 1 << 10;
/// Calls in flight of one actor: one for each step of a run, and one that asks what is next.
pub const LEASES_MAX: usize = 1_024;
/// A call's id.
pub const CALL_ID_BYTES_MAX: usize = 1 << 10;
