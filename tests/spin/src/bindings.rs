//! What wasmtime makes of `wit/`.
#![allow(missing_docs, reason = "generated")]

wasmtime::component::bindgen!({
    path: "wit",
    world: "host",
    imports: { default: async | trappable },
    with: {
        "spin:key-value/key-value.store": crate::key_value::Bucket,
        "wasi:keyvalue/store.bucket": crate::key_value::Bucket,
        "wasi:keyvalue/atomics.cas": crate::key_value::Swap,
        "spin:sqlite/sqlite.connection": crate::sqlite::Connection,
    },
});
