//! What `wit-bindgen` makes of the interface `actors`, which all three components export.
//!
//! The world here is a part of each of those in `wit/worlds.wit`; that a component's parts sum up to its world is checked
//! when `cargo xtask build` encodes it. `types` is exported as well: a component that only used them would import them, and
//! a component imports nothing.
#![allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    clippy::all,
    clippy::restriction,
    reason = "generated; the documentation is in wit/"
)]

wit_bindgen::generate!({
    path: "../../wit",
    inline: "package stepwell:glue; world housing { export stepwell:engine/types@0.1.0; export stepwell:engine/actors@0.1.0; }",
    world: "stepwell:glue/housing",
    pub_export_macro: true,
    export_macro_name: "export_actors",
    default_bindings_module: "stepwell_glue::bindings",
});
