//! The ledger component: the crate `ledger/` behind `wit/ledger.wit`.
#![cfg(target_family = "wasm")]
#![allow(unsafe_code, reason = "the generated exports are unsafe functions")]

mod bindings;
mod translate;

use bindings::exports::stepwell::engine::ledgers as wit;
use std::cell::RefCell;
use stepwell_ledger::{Ledger, LedgerError, Policy};

struct Component;

bindings::export!(Component with_types_in bindings);

impl wit::Guest for Component {
    type Ledger = Held;

    fn default_policy() -> wit::Policy {
        translate::policy_out(&Policy::default())
    }

    fn edition(head: Vec<u8>) -> Result<u64, wit::Refused> {
        Ledger::edition_of(&head).map_err(refused)
    }
}

/// A ledger, and what may follow it.
struct Held {
    policy: Policy,
    durable: RefCell<Ledger>,
    next: RefCell<Option<Ledger>>,
}

impl wit::GuestLedger for Held {
    fn load(
        policy: wit::Policy,
        head: Option<Vec<u8>>,
        parcels: Vec<wit::Parcel>,
        alarm: Option<u64>,
    ) -> Result<wit::Ledger, wit::Refused> {
        let parcels = parcels.iter().map(|parcel| (parcel.number, parcel.bytes.as_slice()));
        let ledger = Ledger::load(head.as_deref(), parcels, alarm).map_err(refused)?;
        let policy = translate::policy_in(&policy);
        Ok(wit::Ledger::new(Self { policy, durable: RefCell::new(ledger), next: RefCell::default() }))
    }

    fn settle(&self, decided: wit::Decided, now: u64) -> Result<wit::Settled, wit::Refused> {
        let mut next = self.durable.borrow().clone();
        let settled = next.settle(translate::decided(decided), now, &self.policy).map_err(refused)?;
        self.next.replace(Some(next));
        Ok(translate::settled(settled))
    }

    fn ring(&self, now: u64) -> wit::Rung {
        let mut next = self.durable.borrow().clone();
        let rung = next.ring(now, &self.policy);
        self.next.replace(Some(next));
        translate::rung(rung)
    }

    fn keep(&self) {
        if let Some(next) = self.next.take() {
            self.durable.replace(next);
        }
    }

    fn confirm(&self, number: u64) {
        self.durable.borrow_mut().confirm(number);
    }

    fn renew(&self, calls: Vec<String>, now: u64) -> Option<wit::Writes> {
        let calls = calls.iter().map(String::as_str);
        self.durable.borrow_mut().renew(calls, now, &self.policy).map(translate::writes)
    }

    fn pending(&self) -> Option<u64> {
        self.durable.borrow().pending()
    }

    fn again_later(&self, now: u64) -> Option<u64> {
        translate::alarm(self.durable.borrow_mut().again_later(now, &self.policy))
    }
}

fn refused(error: LedgerError) -> wit::Refused {
    wit::Refused { code: error.code().to_owned(), message: error.to_string() }
}
