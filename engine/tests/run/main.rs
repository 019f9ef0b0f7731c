//! The run actor, through its contract: messages in, rows and effects out. One file per behaviour.
#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that goes wrong should panic where it does"
)]

mod driver;

mod admission;
mod cancelling;
mod checkpoints;
mod deferring;
mod ending;
mod errands;
mod garbage;
mod invoking;
mod limits;
mod parallel;
mod recovery;
mod requests;
mod rerunning;
mod retries;
mod sequence;
mod sleeping;
mod slots;
mod timeline;
mod waiting;
