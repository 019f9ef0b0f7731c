//! Which runs of a function may call the app now: concurrency, throttle, priority (SERVER §2.1, §2.2, §2.3).
//!
//! One actor per function, so that all of its limits are judged together: a call has everything it needs, or holds nothing and waits.
//! What it lacks is pushed to it: the turn in which a slot comes back is the turn in which the next call gets it.
//!
//! # The protocol
//!
//! ```text
//! run    → slots    News (wanted)        a unit is due; its run holds no call of it yet
//! slots  row hold/…                      there is room; or row wait/…
//! slots  → run      Granted              the run makes the call
//! ...
//! run    journal: answered (durable)
//! run    → slots    News (released)      in the same turn, and with it what the run wants next
//! slots  → run      Granted              the next in the queue
//! ```
//!
//! A slot belongs to a unit of a run and a dispatch of it. A later dispatch of the same unit (after a crash, say) takes its slot over; a
//! release counts for its own dispatch and those before it. So messages may come twice, late, or in any order: what was wanted by
//! mistake is granted, and the run, which knows better, gives it back.
//!
//! Whoever was made anew asks for what is under way, not knowing what it was told: that is answered only where it says that it may have lost
//! calls. A slot that has long been held is asked about (`Holds`), less and less often, and so is a call that waits at a shared limit.
//!
//! Limits that functions share are kept by gates of their own (`gate/shared.rs`). A call that has what its function can give asks them one
//! after the other, in an order that all functions keep; where one has no room, it waits there with those before it, and gives back what its
//! function gave.
//!
//! Rows are described in `row.rs`, and what follows from them is in `index.rs`; `limits.rs` says what a call lacks, `queue.rs` who is next, `grant.rs` how it gets it.

mod grant;
mod index;
mod limits;
pub mod message;
mod overview;
mod queue;
pub mod row;
mod starts;
pub mod throttle;

pub use limits::{is_gated, limits_of, sources};

use crate::actor::Actor;
use crate::catalog::Function;
use crate::error::Fault;
use crate::gate::written::Written;
use crate::gate::{self, Ask, place};
use crate::ids::{FunctionId, Millis, RunId};
use crate::limits::{SLOT_ROWS_FORGOTTEN_PER_TURN_MAX, SLOTS_CHECKED_PER_TURN_MAX};
use crate::run::message::Tell as ToRun;
use crate::run::unit::UnitId;
use crate::turn::{Address, Done, Message, Outcome, Range, Row, Turn};
use index::Index;
use limits::Bucket;
use message::{Dispatch, News, Tell};
use row::{Begun, Hold, Key, Rate, SlotId, Wait};
use std::collections::BTreeMap;
use std::ops::Bound;

/// The slots of one function.
#[derive(Debug)]
pub struct Slots {
    key: String,
    function: FunctionId,
    waits: BTreeMap<SlotId, Wait>,
    holds: BTreeMap<SlotId, Hold>,
    begun: BTreeMap<RunId, Begun>,
    /// By the value of the throttle's key.
    rates: BTreeMap<String, Rate>,
    /// The app has too much to do until then.
    not_before: Option<Millis>,
    /// What follows from the rows above.
    index: Index,
    /// What this turn has written.
    written: Written,
}

impl Actor for Slots {
    fn preload(_key: &str) -> Vec<Range> {
        vec![Range::all()]
    }

    fn load(key: &str, rows: &[(Range, Vec<Row>)]) -> Result<Self, Fault> {
        let function = place::function_of(key).ok_or_else(|| Fault::new("address", format!("the key {key:?}")))?;
        let mut slots = Self::new(key, function);
        for row in rows.iter().flat_map(|(_, rows)| rows) {
            slots.fold(row)?;
        }
        Ok(slots)
    }

    fn turn(&mut self, turn: &Turn<'_>, message: Message) -> Result<Outcome, Fault> {
        let mut done = Done::default();
        self.written = Written::default();
        let unreadable = |error| Fault::new("message to a gate of slots", error);
        let function = turn.catalog.function(&self.function);
        self.follow(function);
        match message {
            Message::Tell(body) => match serde_json::from_slice(&body).map_err(unreadable)? {
                Tell::News(news) => self.hear(turn, news, &mut done)?,
                Tell::Configured => self.reconfigure(&mut done)?,
                Tell::Shared(reply) => self.replied(turn, function, reply, &mut done)?,
            },
            Message::Ask { token, body } => match serde_json::from_slice(&body).map_err(unreadable)? {
                Ask::Flow => gate::reply(token, &self.overview(turn), &mut done)?,
            },
            Message::Wake => self.check(turn, &mut done)?,
            // Nothing is ever owed: what a turn grants is sent in that turn.
            Message::Resume => {}
            Message::Answered(_) | Message::Lost(_) => return Err(Fault::new("message to a gate", "it calls no apps")),
        }
        let is_more = self.grant_all(turn, function, &mut done)?;
        self.ask_the_stale(&mut done)?;
        self.forget(turn, function, &mut done)?;
        done.wake_at = if is_more { Some(turn.now) } else { self.wake_at(turn, function) };
        Ok(Outcome::Done(done))
    }
}

impl Slots {
    fn new(key: &str, function: FunctionId) -> Self {
        Self {
            key: key.to_owned(),
            function,
            waits: BTreeMap::new(),
            holds: BTreeMap::new(),
            begun: BTreeMap::new(),
            rates: BTreeMap::new(),
            not_before: None,
            index: Index::default(),
            written: Written::default(),
        }
    }

    /// Takes in a row that was read.
    fn fold(&mut self, row: &Row) -> Result<(), Fault> {
        fn read<T: for<'de> serde::Deserialize<'de>>(row: &Row) -> Result<T, Fault> {
            serde_json::from_slice(&row.value).map_err(|error| Fault::new("row of a gate", error))
        }
        match Key::parse(&row.key)? {
            Key::Wait(slot) => self.index_wait(slot, Some(read(row)?)),
            Key::Hold(slot) => self.index_hold(slot, Some(read(row)?)),
            Key::Run(run) => self.index_run(run, Some(read(row)?)),
            Key::Rate => {
                let rate: Rate = read(row)?;
                self.index_rate(rate.value.clone(), Some(rate));
            }
            Key::NotBefore => self.not_before = Some(read(row)?),
        }
        Ok(())
    }

    fn put_wait(&mut self, slot: &SlotId, wait: Option<Wait>, done: &mut Done) -> Result<(), Fault> {
        self.written.put(self.waits.contains_key(slot), row::wait_key(slot), wait.as_ref(), done)?;
        self.index_wait(slot.clone(), wait);
        Ok(())
    }

    fn put_hold(&mut self, slot: &SlotId, hold: Option<Hold>, done: &mut Done) -> Result<(), Fault> {
        self.written.put(self.holds.contains_key(slot), row::hold_key(slot), hold.as_ref(), done)?;
        self.index_hold(slot.clone(), hold);
        Ok(())
    }

    fn put_run(&mut self, run: RunId, begun: Option<Begun>, done: &mut Done) -> Result<(), Fault> {
        self.written.put(self.begun.contains_key(&run), row::run_key(run), begun.as_ref(), done)?;
        self.index_run(run, begun);
        Ok(())
    }

    fn put_rate(&mut self, value: &str, rate: Option<Rate>, done: &mut Done) -> Result<(), Fault> {
        self.written.put(self.rates.contains_key(value), row::rate_key(value), rate.as_ref(), done)?;
        self.index_rate(value.to_owned(), rate);
        Ok(())
    }

    fn put_not_before(&mut self, at: Option<Millis>, done: &mut Done) -> Result<(), Fault> {
        self.written.put(self.not_before.is_some(), row::NOT_BEFORE_KEY.to_owned(), at.as_ref(), done)?;
        self.not_before = at;
        self.index.queue.free(Bucket::Everything);
        Ok(())
    }

    /// Takes in what a run wants and gives back.
    fn hear(&mut self, turn: &Turn<'_>, news: News, done: &mut Done) -> Result<(), Fault> {
        let News { run, is_over, in_flight, released, not_before, wanted, repeats, rank, is_first, keys } = news;
        if not_before.is_some_and(|at| at > turn.now) && not_before > self.not_before {
            self.put_not_before(not_before, done)?;
        }
        if is_over {
            for slot in self.slots_of(run) {
                let generation = in_flight.iter().find(|call| call.unit == slot.unit).map_or(0, |call| call.generation);
                let is_in_flight = self.holds.get(&slot).is_some_and(|hold| hold.wait.generation == generation);
                if !is_in_flight {
                    self.release(&slot, u32::MAX, done)?;
                }
            }
            if self.begun.contains_key(&run) {
                self.put_run(run, None, done)?;
            }
        }
        for Dispatch { unit, generation } in released {
            self.release(&SlotId { run, unit }, generation, done)?;
        }
        for Dispatch { unit, generation } in wanted {
            let wait = Wait {
                generation,
                rank,
                is_first,
                keys: keys.clone(),
                parked: None,
                kept: Vec::new(),
                parked_at: None,
                checks: 0,
                rounds: 0,
            };
            self.want(turn, &SlotId { run, unit }, wait, repeats, done)?;
        }
        Ok(())
    }

    fn want(
        &mut self,
        turn: &Turn<'_>,
        slot: &SlotId,
        wait: Wait,
        repeats: bool,
        done: &mut Done,
    ) -> Result<(), Fault> {
        if let Some(hold) = self.holds.get(slot) {
            let mut hold = hold.clone();
            let is_granted = hold.is_granted();
            if hold.wait.generation < wait.generation {
                hold.take_over(wait.generation, turn.now);
                self.put_hold(slot, Some(hold), done)?;
                self.ask_the_next(slot, done)?;
            } else if hold.wait.generation > wait.generation || !repeats {
                return Ok(());
            }
            return if is_granted { self.tell_granted(slot, wait.generation, done) } else { Ok(()) };
        }
        let known = self.waits.get(slot);
        if let Some(known) = known.filter(|known| known.generation >= wait.generation) {
            let keys = self.index.counted(&wait.keys);
            let is_news = repeats && known.generation == wait.generation && known.keys != *keys;
            let changed = is_news.then(|| Wait { keys: keys.into_owned(), ..known.clone() });
            return changed.map_or(Ok(()), |wait| self.put_wait(slot, Some(wait), done));
        }
        if known.is_none() && wait.is_first && self.is_backlog_full(turn) {
            return self.turn_away(slot, wait.generation, done);
        }
        // A later dispatch keeps the place of the earlier one, also where that waits for a shared gate.
        let wait = match known {
            Some(known) => Wait { generation: wait.generation, ..known.clone() },
            None => wait,
        };
        self.put_wait(slot, Some(wait), done)
    }

    /// As many runs wait to begin as may.
    fn is_backlog_full(&self, turn: &Turn<'_>) -> bool {
        let max = turn.settings.backlog_max.and_then(|max| usize::try_from(max).ok());
        max.is_some_and(|max| self.index.firsts >= max)
    }

    fn turn_away(&self, slot: &SlotId, generation: u32, done: &mut Done) -> Result<(), Fault> {
        let dispatch = Dispatch { unit: slot.unit.clone(), generation };
        done.send(Address::run(slot.run), &ToRun::TurnedAway { dispatch })
    }

    /// The units of a run that wait or hold.
    fn slots_of(&self, run: RunId) -> Vec<SlotId> {
        let first = SlotId { run, unit: UnitId::Discovery(0) };
        let from = (Bound::Included(&first), Bound::Unbounded);
        let waits = self.waits.range(from).map(|(slot, _)| slot).take_while(|slot| slot.run == run);
        let holds = self.holds.range(from).map(|(slot, _)| slot).take_while(|slot| slot.run == run);
        waits.chain(holds).cloned().collect()
    }

    fn tell_granted(&self, slot: &SlotId, generation: u32, done: &mut Done) -> Result<(), Fault> {
        let dispatch = Dispatch { unit: slot.unit.clone(), generation };
        done.send(Address::run(slot.run), &ToRun::Granted { run: slot.run, dispatch, at: self.key.clone() })
    }

    /// Asks the runs of slots that have been held for long whether they want them still; a run that does not gives them back.
    fn check(&mut self, turn: &Turn<'_>, done: &mut Done) -> Result<(), Fault> {
        let old = self.index.seen.iter().take_while(|(at, ..)| *at <= turn.now).take(SLOTS_CHECKED_PER_TURN_MAX);
        let old: Vec<(RunId, Option<UnitId>)> = old.map(|(_, run, unit)| (*run, unit.clone())).collect();
        for (run, unit) in old {
            let (mut dispatch, mut waits) = (None, false);
            if let Some(slot) = unit.map(|unit| SlotId { run, unit }) {
                let Some(generation) = self.checked(turn, &slot, done)? else { continue };
                dispatch = Some(Dispatch { unit: slot.unit.clone(), generation });
                waits = !self.holds.get(&slot).is_some_and(Hold::is_granted);
            } else if let Some(begun) = self.begun.get(&run).cloned() {
                self.put_run(
                    run,
                    Some(Begun { seen_at: turn.now, checks: begun.checks.saturating_add(1), ..begun }),
                    done,
                )?;
            }
            done.send(Address::run(run), &ToRun::Holds { run, dispatch, waits, anew: false, at: self.key.clone() })?;
        }
        Ok(())
    }

    /// Asks runs that wait under keys of other limits for what theirs come to now; a bounded number of them. Each is asked once: until it answers,
    /// and where it knows no better, what it has said nothing of comes to nothing.
    fn ask_the_stale(&mut self, done: &mut Done) -> Result<(), Fault> {
        let stale: Vec<SlotId> = self.index.stale.iter().take(SLOTS_CHECKED_PER_TURN_MAX).cloned().collect();
        for slot in stale {
            let Some(wait) = self.waits.get(&slot).cloned() else { continue };
            let dispatch = Some(Dispatch { unit: slot.unit.clone(), generation: wait.generation });
            let keys = self.index.counted(&wait.keys).into_owned();
            self.put_wait(&slot, Some(Wait { keys, ..wait }), done)?;
            let (run, at) = (slot.run, self.key.clone());
            done.send(Address::run(run), &ToRun::Holds { run, dispatch, waits: true, anew: true, at })?;
        }
        Ok(())
    }

    /// Notes that a run is asked about a slot; gives the dispatch that it has or waits for. Where a shared gate has not answered, it is asked again:
    /// what gave an earlier place back may have come after the question.
    fn checked(&mut self, turn: &Turn<'_>, slot: &SlotId, done: &mut Done) -> Result<Option<u32>, Fault> {
        if let Some(hold) = self.holds.get(slot).cloned() {
            let generation = hold.wait.generation;
            let checks = hold.checks.saturating_add(1);
            self.put_hold(slot, Some(Hold { seen_at: turn.now, checks, ..hold }), done)?;
            self.ask_the_next(slot, done)?;
            return Ok(Some(generation));
        }
        let Some(wait) = self.waits.get(slot).cloned() else { return Ok(None) };
        let generation = wait.generation;
        let checks = wait.checks.saturating_add(1);
        if let Some(share) = &wait.parked {
            self.ask(slot, wait.rank, share, done)?;
        }
        self.put_wait(slot, Some(Wait { parked_at: Some(turn.now), checks, ..wait }), done)?;
        Ok(Some(generation))
    }

    /// Forgets a bounded number of rows that mean nothing any more: of keys that are even again; all, where nothing is limited.
    fn forget(&mut self, turn: &Turn<'_>, function: Option<&Function>, done: &mut Done) -> Result<(), Fault> {
        let is_gated = function.is_some_and(is_gated);
        if self.not_before.is_some() && !is_gated {
            self.put_not_before(None, done)?;
        }
        let even = self.index.evens.iter().take_while(|(at, _)| *at <= turn.now || !is_gated);
        let even: Vec<String> = even.take(SLOT_ROWS_FORGOTTEN_PER_TURN_MAX).map(|(_, value)| value.clone()).collect();
        for value in even {
            self.put_rate(&value, None, done)?;
        }
        if is_gated {
            return Ok(());
        }
        let holds: Vec<SlotId> = self.holds.keys().take(SLOT_ROWS_FORGOTTEN_PER_TURN_MAX).cloned().collect();
        for slot in holds {
            self.release(&slot, u32::MAX, done)?;
        }
        let runs: Vec<RunId> = self.begun.keys().take(SLOT_ROWS_FORGOTTEN_PER_TURN_MAX).copied().collect();
        runs.into_iter().try_for_each(|run| self.put_run(run, None, done))
    }

    /// When something is due: a start, or a look at who holds slots for long; what is left of the unlimited is forgotten at once.
    fn wake_at(&self, turn: &Turn<'_>, function: Option<&Function>) -> Option<Millis> {
        let is_gated = function.is_some_and(is_gated);
        let is_empty = self.holds.is_empty() && self.begun.is_empty() && self.rates.is_empty();
        if !is_gated && !is_empty {
            return Some(turn.now);
        }
        if !self.index.stale.is_empty() {
            return Some(turn.now);
        }
        let check = self.index.seen.first().map(|(at, ..)| *at);
        check.into_iter().chain(self.index.starts.next_after(turn.now)).chain(self.not_before).min()
    }
}

#[cfg(test)]
mod tests;
