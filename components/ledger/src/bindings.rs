//! What `wit-bindgen` makes of the interface `ledgers`.
#![allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    clippy::all,
    clippy::restriction,
    reason = "generated; the documentation is in wit/"
)]

wit_bindgen::generate!({ path: "../../wit", world: "ledger" });
