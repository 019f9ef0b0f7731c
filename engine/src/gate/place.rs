//! Which actor is the gate of what.

use super::shared::LimitName;
use crate::ids::{FunctionId, digest};
use std::fmt;

/// The kinds of gates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Gathers events into batches.
    Batch,
    /// Counts starts, and lets so many pass in a time.
    RateLimit,
    /// Holds starts back until it is quiet.
    Debounce,
    /// Keeps to one run at a time.
    Singleton,
    /// Says which runs of a function may call now.
    Slots,
    /// A limit that functions share.
    Shared,
}

impl Kind {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Batch, "batch"),
        (Self::RateLimit, "rate-limit"),
        (Self::Debounce, "debounce"),
        (Self::Singleton, "singleton"),
        (Self::Slots, "slots"),
        (Self::Shared, "shared"),
    ];

    /// The kind of the gate with this key.
    #[must_use]
    pub fn of(key: &str) -> Option<Self> {
        let (name, _) = key.split_once('/')?;
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(Self::ALL.iter().find(|(kind, _)| kind == self).map_or("", |(_, name)| name))
    }
}

/// The key of a function's gate: `<kind>/<hash>/<function>`, where the hash is of the value by which the gate is set apart.
#[must_use]
pub fn key(kind: Kind, function: &FunctionId, value: &str) -> String {
    format!("{kind}/{}/{function}", digest(&[value]))
}

/// The key of a gate that functions share: one for each value of an expression, in its scope.
#[must_use]
pub fn shared_key(name: &LimitName, value: &str) -> String {
    format!("{}/{}", Kind::Shared, digest(&[&format!("{:?}", name.scope), &name.source, value]))
}

/// The function of a gate with this key; none where functions share it.
#[must_use]
pub fn function_of(key: &str) -> Option<FunctionId> {
    let mut parts = key.splitn(3, '/');
    let (_kind, _hash, function) = (parts.next()?, parts.next()?, parts.next()?);
    Some(function.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_tells_its_kind_and_function_by_its_key() {
        for (kind, name) in Kind::ALL {
            let key = key(kind, &"app-f/1".into(), "tenant/7");
            assert!(key.starts_with(name), "{key}");
            assert_eq!((Kind::of(&key), function_of(&key)), (Some(kind), Some("app-f/1".into())));
        }
        assert_eq!(Kind::of("nothing"), None);
        assert_eq!(Kind::of("other/1/f"), None);
    }

    #[test]
    fn every_value_has_a_gate_of_its_own() {
        let of = |value| key(Kind::Slots, &"f".into(), value);
        assert_eq!(of("a"), of("a"));
        assert_ne!(of("a"), of("b"));
        assert_ne!(of("a"), key(Kind::Slots, &"g".into(), "a"));
    }
}
