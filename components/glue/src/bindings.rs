//! What `wit-bindgen` makes of `wit/`: one module for each interface that a component may export.
//!
//! The worlds here are halves of those in `wit/worlds.wit`, so that a component exports exactly the halves it has; that the
//! sum is the component's world is checked when `cargo xtask build` encodes it. They export `types` as well: a component that
//! only used them would import them, and a component imports nothing.
#![allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    clippy::all,
    clippy::restriction,
    reason = "generated; the documentation is in wit/"
)]

/// The interface `actors`.
pub mod actors {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package stepwell:glue; world actors-half { export stepwell:engine/types@0.1.0; export stepwell:engine/actors@0.1.0; }",
        world: "stepwell:glue/actors-half",
        pub_export_macro: true,
        export_macro_name: "export_actors",
        default_bindings_module: "stepwell_glue::bindings::actors",
    });
}

/// The interface `http`.
pub mod http {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package stepwell:glue; world http-half { export stepwell:engine/http@0.1.0; }",
        world: "stepwell:glue/http-half",
        with: { "stepwell:engine/types@0.1.0": super::actors::exports::stepwell::engine::types },
        pub_export_macro: true,
        export_macro_name: "export_http",
        default_bindings_module: "stepwell_glue::bindings::http",
    });
}
