//! Stepwell's own application under the harness, and what only the harness can do to it: `cargo xtask test` says where it is.
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

mod killed_instances;
mod writers;
