//! Every error that a user can meet has a page (DESIGN, law 11).

use std::collections::BTreeSet;
use std::path::Path;
use stepwell_engine::error::Code;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors")
}

#[test]
fn every_error_code_has_a_page_that_begins_with_it() {
    let missing: Vec<_> = Code::ALL
        .iter()
        .map(|code| code.as_str())
        .filter(|code| {
            let page = std::fs::read_to_string(folder().join(format!("{code}.md"))).unwrap_or_default();
            !page.lines().next().is_some_and(|title| title.starts_with("# ") && title.contains(code))
        })
        .collect();
    assert!(missing.is_empty(), "no page in docs/errors, or one without the code in its title: {missing:?}");
}

#[test]
fn every_page_is_of_an_error_code() {
    let codes: BTreeSet<_> = Code::ALL.iter().map(|code| format!("{}.md", code.as_str())).collect();
    let pages = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let stray: Vec<_> = pages.filter(|page| page != "README.md" && !codes.contains(page)).collect();
    assert!(stray.is_empty(), "pages of no error code: {stray:?}");
}
