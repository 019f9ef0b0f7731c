//! A store with a virtual clock, which does with a ledger what the contract says.

use crate::{Alarm, Decided, Due, Ledger, LedgerError, Letter, Policy, Settled, Writes};
use std::collections::BTreeMap;

/// One actor's ledger, and what is stored of it.
pub struct Home {
    pub now: u64,
    pub policy: Policy,
    pub ledger: Ledger,
    pub head: Option<Vec<u8>>,
    pub parcels: BTreeMap<u64, Vec<u8>>,
    pub alarm: Option<u64>,
    /// Heads that were written.
    pub heads: usize,
    /// Alarms that were set.
    pub alarms: usize,
}

impl Default for Home {
    fn default() -> Self {
        Self {
            now: 1_000_000,
            policy: Policy::default(),
            ledger: Ledger::default(),
            head: None,
            parcels: BTreeMap::new(),
            alarm: None,
            heads: 0,
            alarms: 0,
        }
    }
}

impl Home {
    pub fn settle(&mut self, decided: Decided) -> Result<Settled, LedgerError> {
        let mut clone = self.ledger.clone();
        let settled = clone.settle(decided, self.now, &self.policy)?;
        self.ledger = clone;
        self.store(settled.writes.clone(), settled.alarm);
        Ok(settled)
    }

    /// Lets the alarm go off; gives what is to be sent and delivered.
    pub fn ring(&mut self) -> (Vec<Letter>, Due) {
        self.alarm = None;
        let mut clone = self.ledger.clone();
        let rung = clone.ring(self.now, &self.policy);
        self.ledger = clone;
        self.store(rung.writes, rung.alarm);
        (rung.letters, rung.due)
    }

    /// A turn fails.
    pub fn fail(&mut self) {
        let alarm = self.ledger.again_later(self.now, &self.policy);
        self.store(None, alarm);
    }

    /// Goes on to the alarm, which must be set.
    pub fn next_alarm(&mut self) -> (Vec<Letter>, Due) {
        self.now = self.now.max(self.alarm.expect("an alarm is set"));
        self.ring()
    }

    /// Forgets what is in memory.
    pub fn evict(&mut self) {
        let parcels = self.parcels.iter().map(|(number, bytes)| (*number, bytes.as_slice()));
        self.ledger = Ledger::load(self.head.as_deref(), parcels, self.alarm).expect("what was stored reads back");
    }

    pub fn store(&mut self, writes: Option<Writes>, alarm: Alarm) {
        if let Some(writes) = writes {
            self.head = Some(writes.head);
            self.heads += 1;
            if let Some(parcel) = writes.put {
                assert!(self.parcels.insert(parcel.number, parcel.bytes).is_none(), "a parcel is written once");
            }
            for number in writes.remove {
                assert!(self.parcels.remove(&number).is_some(), "what is removed was there");
            }
        }
        if let Alarm::Set(at) = alarm {
            self.alarm = Some(at);
            self.alarms += 1;
        }
    }
}

/// A turn that sends these, all to one actor.
pub fn sends<B: AsRef<[u8]>>(bodies: &[B]) -> Decided {
    let sends = bodies.iter().map(|body| ("history/0".into(), body.as_ref().into())).collect();
    Decided { sends, ..Decided::default() }
}

/// A turn that wants these calls made.
pub fn calls(ids: &[&str]) -> Decided {
    Decided { calls: ids.iter().map(|id| (*id).to_owned()).collect(), owing: !ids.is_empty(), ..Decided::default() }
}

/// The bodies of letters.
pub fn bodies(letters: &[Letter]) -> Vec<&[u8]> {
    letters.iter().map(|letter| &*letter.body).collect()
}
