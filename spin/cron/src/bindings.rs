//! What `wit-bindgen` makes of the trigger's world.
#![allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    clippy::all,
    clippy::restriction,
    reason = "generated; the documentation is in wit/"
)]

wit_bindgen::generate!({ path: "wit", world: "tick", generate_all });

use crate::Tick;

export!(Tick);
