//! How a call gets what it needs: from its function all at once, from gates that functions share one after the other.

use super::limits::{self, Bucket, is_gated};
use super::row::{Begun, Hold, Rate, Share, SlotId, TakenStart, Wait};
use super::{Slots, throttle};
use crate::catalog::Function;
use crate::error::Fault;
use crate::gate::shared::{self, Applicant, Reply};
use crate::limits::GRANTS_PER_TURN_MAX;
use crate::turn::{Address, Done, Turn};

impl Slots {
    /// Gives slots to those who are next, as long as there are any; says whether more could be given than one turn gives.
    pub(super) fn grant_all(
        &mut self,
        turn: &Turn<'_>,
        function: Option<&Function>,
        done: &mut Done,
    ) -> Result<bool, Fault> {
        if self.not_before.is_some_and(|at| at <= turn.now) {
            self.put_not_before(None, done)?;
        }
        self.free_due_starts(turn);
        let mut room = GRANTS_PER_TURN_MAX;
        while let Some(((_, slot), lane)) = self.index.queue.next() {
            let Some(wait) = self.waits.get(&slot).cloned() else {
                return Err(Fault::new("queue of a gate", "who is next does not wait"));
            };
            match function.and_then(|function| self.lacks(function, slot.run, &wait, turn.now)) {
                Some(bucket) => self.index.queue.block(&lane, bucket),
                None if room == 0 => return Ok(true),
                None => {
                    room = room.saturating_sub(1);
                    self.begin(turn, function, &slot, wait, Vec::new(), done)?;
                }
            }
        }
        Ok(false)
    }

    /// Lets those be looked at whom only time has kept.
    fn free_due_starts(&mut self, turn: &Turn<'_>) {
        for value in self.index.starts.due(turn.now) {
            self.index.queue.free(Bucket::Starts(value.clone()));
        }
    }

    /// Takes for a call what its function can give, and asks for the rest; `brought`: what it has of shared gates already.
    fn begin(
        &mut self,
        turn: &Turn<'_>,
        function: Option<&Function>,
        slot: &SlotId,
        wait: Wait,
        brought: Vec<Share>,
        done: &mut Done,
    ) -> Result<(), Fault> {
        self.put_wait(slot, None, done)?;
        let Some(function) = function.filter(|function| is_gated(function)) else {
            self.give_all_back(slot, &brought, done)?;
            return self.tell_granted(slot, wait.generation, done);
        };
        let rounds = wait.rounds.saturating_add(1);
        let ask = shared::Ask { generation: wait.generation, round: rounds };
        let mut shares: Vec<Share> = limits::shared_gates(function, &wait.keys)
            .into_iter()
            .map(|(gate, limit, number)| {
                let known = shared::Known { version: turn.catalog.version, limit: number };
                Share { gate, limit, known, ask, is_taken: false }
            })
            .collect();
        for brought in brought {
            match shares.iter_mut().find(|share| share.gate == brought.gate) {
                Some(share) => *share = Share { is_taken: true, ..brought },
                None => self.give_back(slot, &brought.gate, brought.ask, done)?,
            }
        }
        let wait = Wait { rounds, ..unparked(wait) };
        let mut hold = Hold { seen_at: turn.now, checks: 0, took_run: false, took_start: None, shares, wait };
        if hold.wait.is_first {
            self.take_start(turn, function, slot, &mut hold, done)?;
        }
        self.put_hold(slot, Some(hold), done)?;
        self.go_on(slot, done)
    }

    /// What only the first call of a run takes.
    fn take_start(
        &mut self,
        turn: &Turn<'_>,
        function: &Function,
        slot: &SlotId,
        hold: &mut Hold,
        done: &mut Done,
    ) -> Result<(), Fault> {
        if function.flow.concurrency.runs.is_some() && !self.begun.contains_key(&slot.run) {
            self.put_run(slot.run, Some(Begun { keys: hold.wait.keys.clone(), seen_at: turn.now, checks: 0 }), done)?;
            hold.took_run = true;
        }
        let Some(throttle) = &function.flow.throttle else { return Ok(()) };
        let Some(value) = limits::start_value(function, &hold.wait.keys) else { return Ok(()) };
        let before_ns = self.rates.get(&value).map_or(0, |rate| rate.even_at_ns);
        let after_ns = throttle::after_start(throttle, before_ns, turn.now);
        self.put_rate(&value, Some(Rate { value: value.clone(), even_at_ns: after_ns }), done)?;
        hold.took_start = Some(TakenStart { value, before_ns, after_ns });
        Ok(())
    }

    /// Asks the next shared gate; or, where all have given, lets the run call.
    fn go_on(&self, slot: &SlotId, done: &mut Done) -> Result<(), Fault> {
        let Some(hold) = self.holds.get(slot) else { return Ok(()) };
        if hold.is_granted() {
            self.tell_granted(slot, hold.wait.generation, done)
        } else {
            self.ask_the_next(slot, done)
        }
    }

    /// Asks the shared gate that has not given yet, if there is one.
    pub(super) fn ask_the_next(&self, slot: &SlotId, done: &mut Done) -> Result<(), Fault> {
        let Some(hold) = self.holds.get(slot) else { return Ok(()) };
        let share = hold.shares.iter().find(|share| !share.is_taken);
        share.map_or(Ok(()), |share| self.ask(slot, hold.wait.rank, share, done))
    }

    pub(super) fn ask(&self, slot: &SlotId, rank: i64, share: &Share, done: &mut Done) -> Result<(), Fault> {
        let (by, limit) = (self.applicant(slot), share.limit.clone());
        let take = shared::Tell::Take { by, ask: share.ask, rank, limit, known: share.known };
        done.send(Address::gate(&share.gate), &take)
    }

    fn give_back(&self, slot: &SlotId, gate: &str, ask: shared::Ask, done: &mut Done) -> Result<(), Fault> {
        done.send(Address::gate(gate), &shared::Tell::Give { by: self.applicant(slot), ask })
    }

    fn give_all_back(&self, slot: &SlotId, shares: &[Share], done: &mut Done) -> Result<(), Fault> {
        shares.iter().try_for_each(|share| self.give_back(slot, &share.gate, share.ask, done))
    }

    fn applicant(&self, slot: &SlotId) -> Applicant {
        Applicant { function: self.function.clone(), slot: slot.clone() }
    }

    /// Takes back what the call has, or takes it out of the queue, unless it is a later dispatch than `generation`.
    pub(super) fn release(&mut self, slot: &SlotId, generation: u32, done: &mut Done) -> Result<(), Fault> {
        if let Some(wait) = self.waits.get(slot).filter(|wait| wait.generation <= generation) {
            for share in wait.parked.iter().chain(&wait.kept) {
                self.give_back(slot, &share.gate, share.ask, done)?;
            }
            self.put_wait(slot, None, done)?;
        }
        let Some(hold) = self.holds.get(slot).filter(|hold| hold.wait.generation <= generation).cloned() else {
            return Ok(());
        };
        // Also what was asked for only: it may be on its way.
        self.give_all_back(slot, &hold.shares, done)?;
        if !hold.is_granted() {
            self.untake_start(slot, &hold, done)?;
        }
        self.put_hold(slot, None, done)
    }

    /// What a first call took that is not made after all. A start is put back only where none was taken after it: those were judged
    /// with it, and would be too early without.
    fn untake_start(&mut self, slot: &SlotId, hold: &Hold, done: &mut Done) -> Result<(), Fault> {
        if hold.took_run && self.begun.contains_key(&slot.run) {
            self.put_run(slot.run, None, done)?;
        }
        let Some(TakenStart { value, before_ns, after_ns }) = &hold.took_start else { return Ok(()) };
        if self.rates.get(value).is_none_or(|rate| rate.even_at_ns != *after_ns) {
            return Ok(());
        }
        let rate = Some(Rate { value: value.clone(), even_at_ns: *before_ns }).filter(|rate| rate.even_at_ns > 0);
        self.put_rate(value, rate, done)?;
        self.index.queue.free(Bucket::Starts(value.clone()));
        Ok(())
    }

    /// A shared gate has answered. Where a deploy has made the gates others since the call began to ask, it begins anew with what it has.
    pub(super) fn replied(
        &mut self,
        turn: &Turn<'_>,
        function: Option<&Function>,
        reply: Reply,
        done: &mut Done,
    ) -> Result<(), Fault> {
        let Reply { slot, gate, ask, is_taken } = reply;
        let of_hold = self.holds.get(&slot).and_then(|hold| {
            let place = hold.shares.iter().position(|share| share.gate == gate && share.ask == ask)?;
            Some((hold.clone(), place))
        });
        if let Some((mut hold, place)) = of_hold {
            let is_current = is_of_now(function, &hold);
            let Some(share) = hold.shares.get_mut(place).filter(|share| !share.is_taken) else { return Ok(()) };
            if is_taken && is_current {
                share.is_taken = true;
                self.put_hold(&slot, Some(hold), done)?;
                return self.go_on(&slot, done);
            }
            self.park(turn, &slot, hold, place, done)?;
        }
        let parked = self.waits.get(&slot).and_then(|wait| {
            let share = wait.parked.clone().filter(|share| share.gate == gate && share.ask == ask)?;
            Some((wait.clone(), share))
        });
        match parked {
            Some((wait, share)) if is_taken => self.unpark(turn, function, &slot, wait, share, done),
            None if is_taken => self.give_back(&slot, &gate, ask, done),
            Some(_) | None => Ok(()),
        }
    }

    /// The shared gate has no room: the call waits there, and gives back what its function gave.
    fn park(&mut self, turn: &Turn<'_>, slot: &SlotId, hold: Hold, place: usize, done: &mut Done) -> Result<(), Fault> {
        self.untake_start(slot, &hold, done)?;
        self.put_hold(slot, None, done)?;
        let parked = hold.shares.get(place).cloned();
        let kept = hold.shares.into_iter().filter(|share| share.is_taken).collect();
        self.put_wait(slot, Some(Wait { parked, kept, parked_at: Some(turn.now), ..hold.wait }), done)
    }

    /// The shared gate has room now: the call goes on. Where its function has none, those go to wait at their shared gates that only ask there:
    /// each would find the place taken that the other wants, and both could go round for ever. Where calls are under way, the place is given
    /// back, and the call waits here.
    fn unpark(
        &mut self,
        turn: &Turn<'_>,
        function: Option<&Function>,
        slot: &SlotId,
        wait: Wait,
        share: Share,
        done: &mut Done,
    ) -> Result<(), Fault> {
        let brought: Vec<Share> = wait.kept.iter().cloned().chain([share]).collect();
        while let Some(bucket) = function.and_then(|function| self.lacks(function, slot.run, &wait, turn.now)) {
            let Some((asking, hold, place)) = self.who_only_asks(&bucket) else {
                self.give_all_back(slot, &brought, done)?;
                return self.put_wait(slot, Some(unparked(wait)), done);
            };
            self.park(turn, &asking, hold, place, done)?;
        }
        self.begin(turn, function, slot, wait, brought, done)
    }

    /// A call that has something of `bucket` while a shared gate has not answered it yet, and which of its places that is.
    fn who_only_asks(&self, bucket: &Bucket) -> Option<(SlotId, Hold, usize)> {
        let counts_to = |hold: &Hold, value: &limits::KeyValue| {
            limits::values(&self.index.counted(&hold.wait.keys)).any(|held| held == *value)
        };
        let holds_some = |hold: &Hold| match bucket {
            Bucket::Calls(value) => counts_to(hold, value),
            Bucket::Runs(value) => hold.took_run && counts_to(hold, value),
            Bucket::Starts(value) => hold.took_start.as_ref().is_some_and(|start| start.value == *value),
            Bucket::Everything => false,
        };
        self.holds.iter().filter(|(_, hold)| holds_some(hold)).find_map(|(slot, hold)| {
            let place = hold.shares.iter().position(|share| !share.is_taken)?;
            Some((slot.clone(), hold.clone(), place))
        })
    }

    /// The limits may be others: everybody is looked at again, here and at the shared gates.
    pub(super) fn reconfigure(&mut self, done: &mut Done) -> Result<(), Fault> {
        self.index.queue.free_all();
        let parked = self.waits.iter().filter_map(|(slot, wait)| Some((slot, wait.rank, wait.parked.as_ref()?)));
        parked.into_iter().try_for_each(|(slot, rank, share)| self.ask(slot, rank, share, done))
    }
}

/// Whether the shared gates that the call asks are those of its function's limits at this moment.
fn is_of_now(function: Option<&Function>, hold: &Hold) -> bool {
    let gates = function.map(|function| limits::shared_gates(function, &hold.wait.keys)).unwrap_or_default();
    gates.iter().map(|(gate, ..)| gate).eq(hold.shares.iter().map(|share| &share.gate))
}

/// The same, waiting nowhere.
fn unparked(wait: Wait) -> Wait {
    Wait { parked: None, kept: Vec::new(), parked_at: None, checks: 0, ..wait }
}
