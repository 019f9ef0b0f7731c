//! Names of things: typed, so that one cannot stand where another is meant.

use crate::shard;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use ulid::Ulid;

/// A moment, or a span, in milliseconds; moments since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// This moment and `span` later; the last representable moment where that is beyond it.
    #[must_use]
    pub const fn plus(self, span: Self) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// This moment as RFC 3339, in UTC, to the millisecond.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let moment = i64::try_from(self.0).ok().and_then(chrono::DateTime::from_timestamp_millis).unwrap_or_default();
        moment.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
    }

    /// The span from `earlier` to here; zero where `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }
}

/// 128 random bits that a shell gives to each turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entropy(pub u128);

impl Entropy {
    /// A number below `bound` (0 where `bound` is 0), the same for the same entropy.
    #[must_use]
    pub fn below(self, bound: u64) -> u64 {
        let low = u64::try_from(self.0 & u128::from(u64::MAX)).unwrap_or(0);
        low.checked_rem(bound).unwrap_or(0)
    }
}

macro_rules! ulid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Ulid);

        impl $name {
            /// Reads the 26-character form; `None` for anything else, also for what would not fit into 128 bits.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let id = Ulid::from_string(text).ok().filter(|_| text.starts_with(|first| matches!(first, '0'..='7')))?;
                Some(Self(id))
            }

            /// The moment that the id carries.
            #[must_use]
            pub fn at(self) -> Millis {
                Millis(self.0.timestamp_ms())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(out)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.collect_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(input)?;
                Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a ULID"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(out)
            }
        }
    };
}

ulid_id!(
    /// The server's own id of an accepted event (PROTOCOL §8.1).
    EventId
);
ulid_id!(
    /// The id of a run.
    RunId
);

impl EventId {
    /// The id of an event accepted at `at`.
    #[must_use]
    pub fn new(at: Millis, random: u128) -> Self {
        Self(Ulid::from_parts(at.0, random))
    }

    /// An event that the server makes itself because of `cause` (the time of a schedule, say): the same id every time.
    #[must_use]
    pub fn derived(at: Millis, cause: &str) -> Self {
        Self(Ulid::from_parts(at.0, derived_random(&[cause])))
    }

    /// As [`EventId::derived`], because of something that `run` did: in its shard.
    #[must_use]
    pub fn derived_of(run: RunId, at: Millis, cause: &str) -> Self {
        Self(shard::beside(Self::derived(at, cause).0, run.0))
    }
}

impl RunId {
    /// The id of a run that no event asks for at `at`: it repeats `earlier`, and is in its shard.
    #[must_use]
    pub fn repeating(earlier: Self, at: Millis, random: u128) -> Self {
        Self(shard::beside(Ulid::from_parts(at.0, random), earlier.0))
    }

    /// The run that `event` starts in `function`: derived, so that the same event twice means the same run; in the event's shard.
    #[must_use]
    pub fn derived(event: EventId, function: &FunctionId) -> Self {
        let event_text = event.to_string();
        let random = derived_random(&[&event_text, function.as_str()]);
        Self(shard::beside(Ulid::from_parts(event.at().0, random), event.0))
    }
}

/// 80 bits that are a function of `parts`.
pub(crate) fn derived_random(parts: &[&str]) -> u128 {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    digest.finalize().iter().take(10).fold(0, |bits, byte| (bits << 8) | u128::from(*byte))
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The text of the id.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

text_id!(
    /// A function's slug, `<app>-<function>` (PROTOCOL §1.5).
    FunctionId
);
text_id!(
    /// An app's name, the prefix of its functions' slugs.
    AppId
);
text_id!(
    /// A hashed step id (PROTOCOL §3.6); opaque to the server.
    StepId
);

/// The UUID that stands for an app or a function where the protocol wants one (PROTOCOL §1.7).
#[must_use]
pub fn uuid_of(name: &str) -> String {
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
}

/// What names an actor or a row after any text: 128 bits in hex, enough never to meet another.
#[must_use]
pub fn digest(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    let hash = digest.finalize();
    hex::encode(hash.get(..16).unwrap_or(&hash))
}

/// The one account of a self-hosted server (PROTOCOL §1.7).
pub const ACCOUNT_ID: &str = "00000000-0000-4000-a000-000000000000";
/// The one environment of a self-hosted server (PROTOCOL §1.7).
pub const ENVIRONMENT_ID: &str = "00000000-0000-4000-b000-000000000000";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_beyond_128_bits_is_none() {
        assert!(RunId::parse("7ZZZZZZZZZZZZZZZZZZZZZZZZZ").is_some());
        assert!(RunId::parse("8ZZZZZZZZZZZZZZZZZZZZZZZZZ").is_none());
        assert!(RunId::parse("").is_none());
    }

    #[test]
    fn the_same_event_and_function_give_the_same_run() {
        let event = EventId::new(Millis(1_700_000_000_000), 7);
        let run = RunId::derived(event, &"app-a".into());
        assert_eq!(run, RunId::derived(event, &"app-a".into()));
        assert_ne!(run, RunId::derived(event, &"app-b".into()));
        assert_eq!(run.at(), event.at());
    }
}
