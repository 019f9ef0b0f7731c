//! Law 11: every error that a user can meet has a page.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that goes wrong should panic where it does")]

use std::collections::BTreeSet;
use std::path::Path;
use stepwell_engine::error::Code;

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors");
    let pages: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let codes: BTreeSet<String> = Code::ALL.iter().map(|code| code.as_str().to_owned()).collect();
    assert_eq!(pages, codes);
}
