//! What a turn decided, taken into the ledger.

use crate::letter::{Letter, Outgoing};
use crate::{Alarm, Ledger, LedgerError, Policy, Writes, limits};
use std::sync::Arc;

/// What a turn decided, as far as the ledger is concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decided {
    /// Calls that the turn was told of: answered, or lost. Their leases end with it.
    pub over: Vec<String>,
    /// Messages to other actors: to whom, as the home spells it, and what.
    pub sends: Vec<(Arc<str>, Arc<[u8]>)>,
    /// Ids of the calls that it wants made; also those that are in flight already.
    pub calls: Vec<String>,
    /// When the actor wants to be woken next; replaces what it said before.
    pub wake_at: Option<u64>,
    /// Calls are in flight: replaces what it said before.
    pub owing: bool,
}

/// What a home does with it, in the order of the fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// To be stored with the actor's rows. None where nothing has changed but what may be forgotten.
    pub writes: Option<Writes>,
    /// To be set with them.
    pub alarm: Alarm,
    /// To be sent once they are durable.
    pub letters: Vec<Letter>,
    /// Places in [`Decided::calls`] of those to be made once they are durable; the others are in flight already.
    pub calls: Vec<usize>,
}

impl Ledger {
    /// Takes over what a turn decided at `now`.
    ///
    /// # Errors
    /// A bound is exceeded. The ledger is then of no use any more: this is to be called on a clone.
    pub fn settle(&mut self, decided: Decided, now: u64, policy: &Policy) -> Result<Settled, LedgerError> {
        let mut has_changed = (self.wake_at, self.owing) != (decided.wake_at, decided.owing);
        (self.wake_at, self.owing) = (decided.wake_at, decided.owing);
        for call in &decided.over {
            has_changed |= self.leases.remove(call).is_some();
        }
        let mut calls = Vec::new();
        for (place, call) in decided.calls.into_iter().enumerate() {
            if self.lease(call, now.saturating_add(policy.lease_ms))? {
                calls.push(place);
            }
        }
        let resume_at = self.resume_at;
        self.resume_at = (self.owing && self.leases.is_empty())
            .then(|| resume_at.filter(|at| *at > now).unwrap_or_else(|| now.saturating_add(policy.lease_ms)));
        has_changed |= resume_at != self.resume_at;
        let letters = self.post(decided.sends, now, policy)?;
        has_changed |= !(calls.is_empty() && letters.is_empty());
        let alarm = self.arm(now);
        has_changed |= alarm != Alarm::Keep;
        let parcel = letters.first().map(|letter| letter.number);
        let writes = (has_changed || self.parcels.values().any(|left| *left == 0)).then(|| self.write(parcel));
        Ok(Settled { writes, alarm, letters, calls })
    }

    /// True where the call was not in flight.
    fn lease(&mut self, call: String, until: u64) -> Result<bool, LedgerError> {
        if call.len() > limits::CALL_ID_BYTES_MAX {
            return Err(LedgerError::CallIdTooLong);
        }
        if self.leases.contains_key(&call) {
            return Ok(false);
        }
        if self.leases.len() >= limits::LEASES_MAX {
            return Err(LedgerError::TooManyCalls);
        }
        self.leases.insert(call, until);
        Ok(true)
    }

    /// Puts the letters of one turn into the outbox: a parcel, named after the first of them.
    fn post(
        &mut self,
        sends: Vec<(Arc<str>, Arc<[u8]>)>,
        now: u64,
        policy: &Policy,
    ) -> Result<Vec<Letter>, LedgerError> {
        let parcel = self.next_letter;
        let due = now.saturating_add(policy.resend_after(1));
        let (mut letters, mut bytes) = (Vec::with_capacity(sends.len()), 0_usize);
        for (to, body) in sends {
            if to.len() > limits::DESTINATION_BYTES_MAX {
                return Err(LedgerError::DestinationTooLong);
            }
            let letter = Outgoing { parcel, to, tries: 1, due, body };
            bytes = bytes.saturating_add(letter.bytes());
            letters.push(letter.out(self.next_letter));
            self.letters.insert(self.next_letter, letter);
            self.next_letter = self.next_letter.saturating_add(1);
        }
        if self.letters.len() > limits::LETTERS_MAX {
            return Err(LedgerError::TooManyLetters);
        }
        let held_inline = self.inline_bytes(parcel);
        self.outbox_bytes = self.outbox_bytes.saturating_add(bytes);
        if self.outbox_bytes > limits::OUTBOX_BYTES_MAX {
            return Err(LedgerError::OutboxTooLarge);
        }
        let is_inline = bytes <= policy.parcel_inline_bytes_max
            && held_inline.saturating_add(bytes) <= policy.head_inline_bytes_max;
        if !letters.is_empty() && !is_inline {
            self.parcels.insert(parcel, u32::try_from(letters.len()).unwrap_or(u32::MAX));
        }
        Ok(letters)
    }

    /// Bytes of the letters that are in the head, but for those of one parcel.
    fn inline_bytes(&self, except: u64) -> usize {
        let inline = self
            .letters
            .values()
            .filter(|letter| letter.parcel != except && !self.parcels.contains_key(&letter.parcel));
        inline.map(Outgoing::bytes).sum()
    }
}
