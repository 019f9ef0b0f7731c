//! A part of the changes, for machines that share the work.

use std::str::FromStr;

/// The `place`-th of `count` parts, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    place: u32,
    count: u32,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(place, count)| Some((place.parse().ok()?, count.parse().ok()?)));
        match parts {
            Some((place, count)) if (1..=count).contains(&place) => Ok(Self { place, count }),
            _ => Err("a part is written K/N, from 1/N to N/N".to_owned()),
        }
    }
}

impl Shard {
    /// As cargo-gamma wants it, which counts from 0.
    pub(crate) fn arguments(&self) -> [String; 4] {
        let index = self.place.saturating_sub(1).to_string();
        ["--shard-index".to_owned(), index, "--shard-count".to_owned(), self.count.to_string()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counted_from_one() {
        assert_eq!("2/4".parse::<Shard>().unwrap().arguments(), ["--shard-index", "1", "--shard-count", "4"]);
        for text in ["0/4", "5/4", "1", "a/b", ""] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
