//! What `wit-bindgen` makes of the interface `http`; `types` is exported for the reason told in `stepwell_glue::bindings`.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::restriction,
    reason = "generated; the documentation is in wit/"
)]

wit_bindgen::generate!({
    path: "../../wit",
    inline: "package stepwell:glue; world desk { export stepwell:engine/types@0.1.0; export stepwell:engine/http@0.1.0; }",
    world: "stepwell:glue/desk",
    export_macro_name: "export_http",
    default_bindings_module: "crate::bindings",
});
