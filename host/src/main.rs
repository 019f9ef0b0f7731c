//! The wasmtime host and the stepwell command.

fn main() {}
