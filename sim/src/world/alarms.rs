//! One alarm per actor: set anew, it takes the place of the one before.

use super::World;
use super::agenda::{LATE_MS_MAX, Thing};
use crate::fault::Fault;
use crate::home::{Kind, file, objects};
use crate::invariant::Violation;
use stepwell_engine::turn::Address;

impl World {
    /// Sets the alarm of an actor for a moment by the server's clock; none: there is none any more.
    pub fn set_alarm(&mut self, address: &Address, at: Option<u64>) {
        let Some(at) = at else {
            self.home.alarms.remove(address);
            return;
        };
        let wait = self.true_moment(at).saturating_sub(self.now);
        if self.strikes(Fault::AlarmEarly) {
            let early = self.dice.below(wait);
            self.after(early, Thing::Alarm(address.clone(), None));
        }
        if self.strikes(Fault::AlarmTwice) {
            self.after(wait, Thing::Alarm(address.clone(), None));
        }
        let late = if self.strikes(Fault::AlarmLate) { self.dice.below(LATE_MS_MAX) } else { 0 };
        self.alarm_after(address, wait.saturating_add(late));
    }

    /// Sets an actor's alarm for `ms` from now; gives its number.
    pub fn alarm_after(&mut self, address: &Address, ms: u64) -> u64 {
        let number = self.fresh();
        self.home.alarms.insert(address.clone(), number);
        self.after(ms, Thing::Alarm(address.clone(), Some(number)));
        number
    }

    pub(super) fn alarm(&mut self, at: &Address, number: Option<u64>) -> Result<(), Violation> {
        if number.is_some() && self.home.alarms.get(at).copied() != number {
            return Ok(());
        }
        if number.is_some() {
            self.home.alarms.remove(at);
        }
        match self.home.kind {
            Kind::File => {
                file::ring(self, at);
                Ok(())
            }
            Kind::Objects => objects::ring(self, at),
            // There are none: what is due is found by ticks.
            Kind::Kv => Ok(()),
        }
    }
}
