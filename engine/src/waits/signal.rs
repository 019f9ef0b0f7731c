//! The one waiter for a signal (PROTOCOL §7.5).
//!
//! | row | holds |
//! | --- | --- |
//! | `signal/holder` | who waits |
//! | `signal/past/<wait>` | who waited, and does not any more: got the signal, or was replaced |
//!
//! Whoever waited is remembered until the run says that the wait is over: a registration that comes twice must neither take the
//! signal's place again nor count as a conflict.

use super::fold_into;
use super::message::{Hold, WaitId};
use crate::error::{Code, Fault, Refusal};
use crate::ids::RunId;
use crate::run::message::Tell as ToRun;
use crate::run::problem::Problem;
use crate::turn::{Address, Done, Turn};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

const HOLDER: &str = "signal/holder";

/// Who waits for the signal, and who did.
#[derive(Debug, Default)]
pub(super) struct Signal {
    /// At most one, under [`HOLDER`].
    holder: BTreeMap<String, Hold>,
    past: BTreeMap<String, WaitId>,
}

#[derive(Serialize)]
struct Sent {
    run_id: RunId,
}

impl Signal {
    pub(super) fn fold(&mut self, key: &str, value: Option<&[u8]>) -> Result<(), Fault> {
        if key == HOLDER { fold_into(&mut self.holder, key, value) } else { fold_into(&mut self.past, key, value) }
    }

    pub(super) fn hold(&self, turn: &Turn<'_>, at: &str, hold: Hold, done: &mut Done) -> Result<(), Fault> {
        let held = self.holder.get(HOLDER);
        if self.past.contains_key(&past_key(&hold.wait)) || held.is_some_and(|held| held.wait == hold.wait) {
            return Ok(());
        }
        let registered = ToRun::Registered { waiter: hold.wait.waiter.clone(), at: at.to_owned() };
        let told = Address::run(hold.wait.run);
        // Who has expired does not wait any more; its run says so soon.
        let Some(held) = held.filter(|held| held.expires_at > turn.now) else {
            done.send(told, &registered)?;
            return done.write(HOLDER, &hold);
        };
        let is_earlier = hold.since < held.since;
        let (first, second) = if is_earlier { (&hold, held) } else { (held, &hold) };
        if second.replace {
            done.send(told, &registered)?;
            done.write(past_key(&first.wait), &first.wait)?;
            return if is_earlier { Ok(()) } else { done.write(HOLDER, second) };
        }
        if is_earlier {
            done.send(told, &registered)?;
            done.write(HOLDER, first)?;
        }
        let problem = Problem::named(
            Code::SignalConflict,
            "SignalConflict",
            "Signal conflict; signal wait already exists for another run",
        );
        let waiter = second.wait.waiter.clone();
        done.send(Address::run(second.wait.run), &ToRun::Refused { waiter, problem })
    }

    pub(super) fn send(
        &self,
        turn: &Turn<'_>,
        token: u64,
        signal: &str,
        data: Box<RawValue>,
        done: &mut Done,
    ) -> Result<(), Fault> {
        let held = self.holder.get(HOLDER);
        let Some(held) = held.filter(|held| held.expires_at > turn.now && held.signal == signal) else {
            let refusal = Refusal::new(Code::SignalUnknown, "No signal found");
            return done.reply(token, &Err::<(), _>(refusal));
        };
        let run = held.wait.run;
        done.write(past_key(&held.wait), &held.wait)?;
        done.delete(HOLDER);
        let signal = signal.to_owned();
        done.send(Address::run(run), &ToRun::Signalled { waiter: held.wait.waiter.clone(), signal, data })?;
        done.reply(token, &Ok::<_, Refusal>(Sent { run_id: run }))
    }

    pub(super) fn remove(&self, wait: &WaitId, done: &mut Done) {
        if self.holder.get(HOLDER).is_some_and(|held| held.wait == *wait) {
            done.delete(HOLDER);
        }
        let past = past_key(wait);
        if self.past.contains_key(&past) {
            done.delete(past);
        }
    }
}

fn past_key(wait: &WaitId) -> String {
    format!("signal/past/{wait}")
}
