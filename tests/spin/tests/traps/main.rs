//! What was seen of Spin, seen of the harness: a guest (../guest) that does what Spin punishes.
//!
//! `STEPWELL_SPIN_GUEST` names the guest's component file. With `STEPWELL_SPIN_PROGRAM` the same tests run under that `spin` instead, but for
//! those that would hang it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "all of this is test code, and a test reports by panicking"
)]

mod calls;
mod instances;
mod key_value;
mod kills;
mod spin;
mod sqlite;
