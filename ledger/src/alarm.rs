//! The one alarm of an actor: what it is set for, and what is due when it goes off.

use crate::letter::Letter;
use crate::{Ledger, Policy, Writes};

/// What is to become of the actor's alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// It stays as it is: set early enough, or not needed. One that goes off for nothing costs less than setting it anew.
    Keep,
    /// It is set for this moment, which replaces any other.
    Set(u64),
}

/// What the actor is to be told when its alarm has gone off, in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// These calls count as lost. They keep their leases until a turn was told of it ([`crate::Decided::over`]).
    pub lost: Vec<String>,
    /// The actor owes something, and for the time of a lease no call was in flight that would settle it.
    pub resume: bool,
    /// The actor's time has come.
    pub wake: bool,
}

/// What comes of an alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// To be stored. None where nothing has changed.
    pub writes: Option<Writes>,
    /// To be set with them, for what is due later; the turns that settle what is due now see to it otherwise.
    pub alarm: Alarm,
    /// To be sent again.
    pub letters: Vec<Letter>,
    /// To be delivered.
    pub due: Due,
}

impl Ledger {
    /// The alarm has gone off, early or late: it is not set any more.
    pub fn ring(&mut self, now: u64, policy: &Policy) -> Rung {
        self.armed = None;
        let mut letters = Vec::new();
        for (number, letter) in &mut self.letters {
            if letter.due <= now {
                letter.tries = letter.tries.saturating_add(1);
                letter.due = now.saturating_add(policy.resend_after(letter.tries));
                letters.push(letter.out(*number));
            }
        }
        let due = self.due(now);
        // The turns that are due, or their failure, see to the next alarm.
        let alarm = match (due == Due::default(), policy.guard_ms) {
            (true, _) => self.arm_for(self.after(now)),
            (false, None) => Alarm::Keep,
            (false, Some(guard_ms)) => self.arm_for(Some(now.saturating_add(guard_ms))),
        };
        let has_changed = !letters.is_empty() || self.parcels.values().any(|left| *left == 0);
        let writes = has_changed.then(|| self.write(None));
        Rung { writes, alarm, letters, due }
    }

    /// What is due at `now`. A turn that delivers what a ring has found asks once more where somebody else may have been faster: a lease may have
    /// been renewed since, and what was owed with no call in flight may be under way.
    #[must_use]
    pub fn due(&self, now: u64) -> Due {
        Due {
            lost: self.leases.iter().filter(|(_, until)| **until <= now).map(|(call, _)| call.clone()).collect(),
            resume: self.resume_at.is_some_and(|at| at <= now),
            wake: self.wake_at.is_some_and(|at| at <= now),
        }
    }

    /// A turn failed: when it is tried again.
    pub fn again_later(&mut self, now: u64, policy: &Policy) -> Alarm {
        let later = now.saturating_add(policy.failure_ms);
        self.arm_for(Some(self.after(now).map_or(later, |next| next.min(later))))
    }

    /// When something becomes due next: the moment for which an alarm must be set. None where nothing is pending.
    #[must_use]
    pub fn pending(&self) -> Option<u64> {
        self.moments().min()
    }

    /// The first moment after `now` at which something becomes due.
    fn after(&self, now: u64) -> Option<u64> {
        self.moments().filter(|at| *at > now).min()
    }

    fn moments(&self) -> impl Iterator<Item = u64> {
        let letters = self.letters.values().map(|letter| letter.due);
        letters.chain(self.leases.values().copied()).chain(self.wake_at).chain(self.resume_at)
    }

    /// Sees to an alarm for whatever is pending. One that is set for a moment in the past is about to go off.
    pub(crate) fn arm(&mut self, now: u64) -> Alarm {
        self.arm_for(self.pending().map(|at| at.max(now)))
    }

    fn arm_for(&mut self, wanted: Option<u64>) -> Alarm {
        match wanted {
            Some(at) if self.armed.is_none_or(|armed| armed > at) => {
                self.armed = Some(at);
                Alarm::Set(at)
            }
            _ => Alarm::Keep,
        }
    }
}
