//! Who is woken or stopped by an event: the rule as users are told it.

use crate::app::program::Condition;
use std::collections::BTreeSet;

/// An event, as far as it concerns those who wait.
#[derive(Clone, Debug)]
pub struct Met {
    /// The server's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was accepted, by the server's clock.
    pub received_at: u64,
    /// The number in its data.
    pub k: Option<u64>,
}

/// Somebody waits for an event.
#[derive(Clone, Debug)]
pub struct Waiting<'a> {
    /// Its name.
    pub event: &'a str,
    /// What it must be like.
    pub condition: Option<Condition>,
    /// The number in the data of the event that started the run.
    pub own: Option<u64>,
    /// From when on events count ...
    pub since: u64,
    /// ... of that very moment, those with a greater id than this.
    pub after: Option<&'a str>,
    /// From when on they no longer do.
    pub until: u64,
    /// Those that never count.
    pub without: BTreeSet<&'a str>,
}

impl Waiting<'_> {
    /// Whether the event is what is waited for.
    #[must_use]
    pub fn is_met_by(&self, event: &Met) -> bool {
        let is_after = event.received_at > self.since
            || event.received_at == self.since && self.after.is_none_or(|after| event.id.as_str() > after);
        self.event == event.name
            && is_after
            && event.received_at < self.until
            && !self.without.contains(event.id.as_str())
            && holds(self.condition, self.own, event.k)
    }
}

/// Whether an event with the number `k` is as a run whose event has the number `own` wants it.
#[must_use]
pub fn holds(condition: Option<Condition>, own: Option<u64>, k: Option<u64>) -> bool {
    let Some(k) = k else { return condition.is_none() };
    match condition {
        None => true,
        Some(Condition::Same) => own == Some(k),
        Some(Condition::SameOrTen) => k == 10 || own == Some(k),
        Some(Condition::Is(number)) => k == number,
        Some(Condition::Above(number)) => k > number,
    }
}

/// The moment in a ULID: its first ten letters, five bits each, in Crockford's alphabet.
#[must_use]
pub fn moment_of(id: &str) -> u64 {
    const LETTERS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let bits =
        |letter: char| LETTERS.chars().position(|known| known == letter).and_then(|bits| u64::try_from(bits).ok());
    id.chars().take(10).filter_map(bits).fold(0, |moment: u64, bits| moment.wrapping_mul(32).wrapping_add(bits))
}

#[cfg(test)]
mod tests {
    use super::moment_of;

    #[test]
    fn ids_tell_their_moment() {
        assert_eq!(moment_of("01ARZ3NDEKTSV4RRFFQ69G5FAV"), 1_469_922_850_259);
    }
}
