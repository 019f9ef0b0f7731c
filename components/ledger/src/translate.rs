//! Between the generated types and the crate's own.

use crate::bindings::exports::stepwell::engine::ledgers as wit;
use stepwell_ledger::{Alarm, Decided, Letter, Policy, Rung, Settled, Writes};

pub(crate) fn policy_in(given: &wit::Policy) -> Policy {
    Policy {
        lease_ms: given.lease_ms,
        renew_ms: given.renew_ms,
        resend_ms_min: given.resend_ms_min,
        resend_ms_max: given.resend_ms_max,
        failure_ms: given.failure_ms,
        ..Policy::default()
    }
}

pub(crate) fn policy_out(policy: &Policy) -> wit::Policy {
    wit::Policy {
        lease_ms: policy.lease_ms,
        renew_ms: policy.renew_ms,
        resend_ms_min: policy.resend_ms_min,
        resend_ms_max: policy.resend_ms_max,
        failure_ms: policy.failure_ms,
    }
}

pub(crate) fn decided(given: wit::Decided) -> Decided {
    Decided {
        over: given.over,
        sends: given.sends.into_iter().map(|post| (post.to.into(), post.body.into())).collect(),
        calls: given.calls,
        wake_at: given.wake_at,
        owing: given.owing,
    }
}

pub(crate) fn settled(made: Settled) -> wit::Settled {
    wit::Settled {
        writes: made.writes.map(writes),
        alarm: alarm(made.alarm),
        letters: made.letters.iter().map(letter).collect(),
        calls: made.calls.into_iter().filter_map(|place| u32::try_from(place).ok()).collect(),
    }
}

pub(crate) fn rung(made: Rung) -> wit::Rung {
    wit::Rung {
        writes: made.writes.map(writes),
        alarm: alarm(made.alarm),
        letters: made.letters.iter().map(letter).collect(),
        lost: made.due.lost,
        resume: made.due.resume,
        wake: made.due.wake,
    }
}

pub(crate) fn writes(made: Writes) -> wit::Writes {
    let put = made.put.map(|parcel| wit::Parcel { number: parcel.number, bytes: parcel.bytes });
    wit::Writes { head: made.head, put, remove: made.remove }
}

pub(crate) fn alarm(made: Alarm) -> Option<u64> {
    match made {
        Alarm::Keep => None,
        Alarm::Set(at) => Some(at),
    }
}

fn letter(made: &Letter) -> wit::Letter {
    wit::Letter { number: made.number, to: made.to.to_string(), body: made.body.to_vec(), tries: made.tries }
}
