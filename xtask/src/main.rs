//! Builds, tests, demonstrates and measures Stepwell.

fn main() {}
