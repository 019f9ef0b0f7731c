//! Under which keys documents are.

use sha2::{Digest, Sha256};
use std::fmt::Write;

/// A longer name is cut, and told from its like by a hash: stores bound their keys.
const NAME_BYTES_MAX: usize = 200;

/// Where a document's place is: the number of its head.
pub(crate) fn place(name: &str) -> String {
    format!("p:{}", bounded(name))
}

/// Where the head of a document is.
pub(crate) fn head(name: &str, number: u64) -> String {
    format!("h:{}:{number:016x}", bounded(name))
}

/// Where a piece of a page is.
pub(crate) fn page(name: &str, number: u64, piece: u32) -> String {
    format!("g:{}:{number:016x}:{piece}", bounded(name))
}

fn bounded(name: &str) -> String {
    if name.len() <= NAME_BYTES_MAX {
        return name.to_owned();
    }
    let mut cut: String = name.chars().take(NAME_BYTES_MAX / 8).collect();
    cut.push('~');
    for byte in Sha256::digest(name) {
        // Writing to a string cannot fail.
        let _ = write!(cut, "{byte:02x}");
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_have_short_keys_of_their_own() {
        let (one, other) = ("ä".repeat(2_000), format!("{}b", "ä".repeat(1_999)));
        assert_ne!(place(&one), place(&other));
        assert!(place(&one).len() < 256);
        assert_eq!(place("run/01"), "p:run/01");
        assert_ne!(bounded(&"a".repeat(NAME_BYTES_MAX)), bounded(&"a".repeat(NAME_BYTES_MAX + 1)));
    }
}
