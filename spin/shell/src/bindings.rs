//! What `wit-bindgen` makes of the interfaces that the engine's parts export; the executor and the scheduler have no `http`, and
//! their shells do not ask for it.
#![allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    clippy::all,
    clippy::restriction,
    reason = "generated; the documentation is in wit/"
)]

spin_sdk::wit_bindgen::generate!({
    path: "../../wit",
    inline: "package stepwell:spin; world shell { import stepwell:engine/types@0.1.0; import stepwell:engine/actors@0.1.0; import stepwell:engine/http@0.1.0; }",
    world: "stepwell:spin/shell",
    runtime_path: "::spin_sdk::wit_bindgen::rt",
    generate_all,
});
