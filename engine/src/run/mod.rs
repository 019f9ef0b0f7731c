//! One run: a journal, and the state that is its fold.
//!
//! Read it in this order: [`journal`] (what is written), [`state`] (what it folds to, with the rules of parallelism),
//! [`decide`] (what an answer comes to), [`call`] (what is sent). This file is the actor around them: it decides an entry,
//! appends it, applies it as a reload would, and derives from the new state which calls are owed.

pub mod answer;
pub mod call;
pub mod cancel;
pub mod checkpoint;
pub mod decide;
pub mod defer;
pub mod errand;
pub mod finish;
pub mod invoke;
pub mod journal;
pub mod memo;
pub mod message;
pub mod opcode;
pub mod pause;
pub mod problem;
pub mod rerun;
pub mod retry;
pub mod slots;
pub mod stack;
pub mod state;
pub mod summary;
pub mod timeline;
pub mod unit;
pub mod waiting;

use crate::actor::Actor;
use crate::error::{Code, Fault, Refusal};
use crate::gate::admission;
use crate::gate::slots::is_gated;
use crate::gate::slots::message::{Dispatch, News, Tell as ToSlots};
use crate::history;
use crate::ids::{Millis, RunId, StepId};
use crate::limits::CALL_TIME_MAX;
use crate::stream;
use crate::turn::{Address, Answer, AppAnswer, CallOutcome, Done, Effect, Message, Outcome, Range, Turn};
use crate::waits::message::Waiter;
use cancel::Canceller;
use journal::{Arrival, Entry, Then};
use memo::Memo;
use message::{Ask, Skip, Start, Status, Tell};
use rerun::FromStep;
use serde::Serialize;
use serde_json::value::RawValue;
use state::State;
use std::collections::BTreeSet;
use unit::{CallId, Unit, UnitId};

/// A run; empty until it is started.
pub struct Run {
    live: Option<Live>,
}

/// A run that exists.
struct Live {
    state: State,
    /// The triggering events, as they travel in calls.
    events: Vec<Memo>,
    /// Calls that this actor has sent since it was made. Only a memory: losing it means sending again, which the shell
    /// recognises by the call's id.
    sent: BTreeSet<CallId>,
    slots: slots::Slots,
}

impl Actor for Run {
    fn preload(_key: &str) -> Vec<Range> {
        vec![Range::all()]
    }

    fn load(_key: &str, rows: &[(Range, Vec<crate::turn::Row>)]) -> Result<Self, Fault> {
        let mut live: Option<Live> = None;
        for row in rows.iter().flat_map(|(_, rows)| rows) {
            let row: journal::Row = serde_json::from_slice(&row.value).map_err(|e| Fault::new("journal row", e))?;
            match (&mut live, row.entry) {
                (None, Entry::Started(start)) => live = Some(Live::new(State::new(row.at_ms, start))),
                (None, _) => return Err(Fault::new("journal", "the first row does not start a run")),
                (Some(live), entry) => live.state.apply(&journal::Row { at_ms: row.at_ms, entry }),
            }
        }
        if let Some(live) = &mut live {
            live.slots = slots::Slots::inherited(&live.state);
        }
        Ok(Self { live })
    }

    fn turn(&mut self, turn: &Turn<'_>, message: Message) -> Result<Outcome, Fault> {
        let mut done = Done::default();
        let is_question = matches!(message, Message::Ask { .. });
        if let (Some(live), false) = (&mut self.live, is_question) {
            let is_heard = matches!(message, Message::Answered(_));
            live.end_overdue(turn, is_heard, &mut done)?;
        }
        match message {
            Message::Tell(body) => {
                let tell = serde_json::from_slice(&body).map_err(|e| Fault::new("message to a run", e))?;
                self.told(turn, tell, &mut done)?;
            }
            Message::Ask { token, body } => {
                let ask = serde_json::from_slice(&body).map_err(|e| Fault::new("question to a run", e))?;
                if let Some(needed) = self.ask(turn, token, ask, &mut done)? {
                    return Ok(Outcome::Needs(vec![needed]));
                }
            }
            Message::Answered(outcome) => self.answered(turn, outcome, &mut done)?,
            Message::Wake => self.wake(turn, &mut done)?,
            Message::Resume => self.resume(turn, &mut done)?,
            Message::Lost(calls) => self.lost(turn, &calls, &mut done)?,
        }
        if let Some(live) = &mut self.live {
            let is_looked_at = is_question && done.writes.is_empty();
            live.settle(turn, is_looked_at, &mut done)?;
        }
        Ok(Outcome::Done(done))
    }
}

impl Run {
    /// The fold of its rows; `None` before it is started.
    #[must_use]
    pub fn state(&self) -> Option<&State> {
        self.live.as_ref().map(|live| &live.state)
    }

    fn told(&mut self, turn: &Turn<'_>, tell: Tell, done: &mut Done) -> Result<(), Fault> {
        let Some(live) = &mut self.live else {
            return match tell {
                Tell::Start(start) => self.start(turn, start, done),
                // A slot of a run that never was.
                Tell::Granted { run, at, .. } | Tell::Holds { run, at, .. } => {
                    done.send(Address::gate(&at), &ToSlots::News(News { is_over: true, ..News::of(run) }))
                }
                _ => Ok(()),
            };
        };
        match tell {
            Tell::Start(start) if live.state.status.is_over() => finish::release_singleton(&start, done),
            Tell::Start(_) => Ok(()),
            Tell::Registered { waiter, at } => waiting::registered(&live.state, waiter, &at, done),
            Tell::Refused { waiter: Waiter::Step(step), problem } if live.state.pauses.contains_key(&step) => {
                live.append(turn, Entry::GivenUp { problem }, done)
            }
            Tell::Refused { waiter: Waiter::Cancel(_), problem } if !live.state.status.is_over() => {
                live.append(turn, Entry::GivenUp { problem }, done)
            }
            Tell::Resumed { step, id, received_at, event } => {
                live.resume_step(turn, step, Arrival::Event { id, received_at, event }, done)
            }
            Tell::Signalled { waiter: Waiter::Step(step), signal, data } => {
                live.resume_step(turn, step, Arrival::Signal { signal, data }, done)
            }
            Tell::Returned { step, run, returned } => {
                live.resume_step(turn, step, Arrival::Return { run, returned }, done)
            }
            Tell::CancelIf { cancellation, condition } => {
                if !cancel::fulfils(&live.state, condition.as_deref(), turn.now) {
                    return Ok(());
                }
                live.cancel(turn, Canceller::Bulk(cancellation), done)
            }
            Tell::Granted { dispatch, .. } => live.granted(turn, dispatch, done),
            Tell::Holds { dispatch, waits, anew, .. } => live.holds(turn, dispatch, (waits, anew), done),
            Tell::CancelledBy { event } => live.cancel(turn, Canceller::Event(event), done),
            Tell::Displaced { by } => live.cancel(turn, Canceller::Singleton(by), done),
            Tell::TurnedAway { dispatch } => live.turned_away(turn, &dispatch, done),
            Tell::Refused { .. } | Tell::Signalled { .. } => Ok(()),
        }
    }

    fn start(&mut self, turn: &Turn<'_>, mut start: Start, done: &mut Done) -> Result<(), Fault> {
        let function = turn.catalog.function(&start.function);
        let skip = start.skip;
        if skip.is_none() {
            start.cancel_on = function.map_or_else(Vec::new, |function| cancel::watches(function, &start, turn.now));
        }
        let began_late = function.is_some_and(|function| cancel::began_late(&start, function, turn.now));
        let row = journal::Row { at_ms: turn.now, entry: Entry::Started(start.clone()) };
        done.write(journal::key(0), &row)?;
        let live = self.live.insert(Live::new(State::new(turn.now, start)));
        if let Some(reason) = skip {
            return live.append(turn, Entry::Skipped { reason }, done);
        }
        live.tell_history_of_start(turn, done)?;
        live.publish(done);
        if began_late {
            return live.cancel(turn, Canceller::StartTimeout, done);
        }
        waiting::watch(&live.state, done)
    }

    /// Answers a question; gives the range of rows that must be read before it can.
    fn ask(&mut self, turn: &Turn<'_>, token: u64, ask: Ask, done: &mut Done) -> Result<Option<Range>, Fault> {
        let Some(live) = &mut self.live else {
            let refusal = Refusal::new(Code::RunUnknown, "There is no run with this id.");
            done.reply(token, &Answer::Err(refusal))?;
            return Ok(None);
        };
        let answer = match ask {
            Ask::Summary => raw(&summary::of(&live.state, turn))?,
            Ask::Actions => raw(&live.actions()?)?,
            Ask::Batch => raw(&live.state.start.events)?,
            Ask::Timeline | Ask::Journal => {
                let range = Range::all();
                let Some(rows) = turn.supplied.get(&range) else { return Ok(Some(range)) };
                match ask {
                    Ask::Timeline => raw(&timeline::of(rows, turn)?)?,
                    _ => raw(&timeline::journal(rows)?)?,
                }
            }
            Ask::Rerun { run, from } => {
                let range = Range::all();
                let Some(rows) = turn.supplied.get(&range) else { return Ok(Some(range)) };
                match live.rerun(turn, rows, run, from.as_ref(), done)? {
                    Ok(()) => raw(&run)?,
                    Err(refusal) => {
                        done.reply(token, &Answer::Err(refusal))?;
                        return Ok(None);
                    }
                }
            }
            Ask::Cancel => {
                live.cancel(turn, Canceller::Request, done)?;
                RawValue::NULL.to_owned()
            }
            Ask::Checkpoint(body) => match live.checkpoint(turn, &body, done)? {
                Ok(()) => RawValue::NULL.to_owned(),
                Err(refusal) => {
                    done.reply(token, &Answer::Err(refusal))?;
                    return Ok(None);
                }
            },
        };
        done.reply(token, &Answer::Ok(answer))?;
        Ok(None)
    }

    fn answered(&mut self, turn: &Turn<'_>, outcome: CallOutcome, done: &mut Done) -> Result<(), Fault> {
        let Some(live) = &mut self.live else { return Ok(()) };
        let Some(call) = CallId::parse(&outcome.id) else { return Err(Fault::new("call id", &outcome.id)) };
        live.sent.remove(&call);
        live.slots.land(&call);
        let is_errand = live.state.units.get(&call.unit).is_some_and(|unit| unit.errand.is_some());
        let is_overloaded = !is_errand && is_overloaded(&outcome);
        match decide::answered(&live.state, turn, call.clone(), outcome) {
            Some(answered) => {
                if let (true, Then::Retry { retry_at_ms, .. }) = (is_overloaded, &answered.then) {
                    live.slots.hold_off(*retry_at_ms);
                }
                live.append(turn, Entry::Answered(answered), done)
            }
            // Only now is the app done with it.
            None => {
                live.slots.release(call);
                Ok(())
            }
        }
    }

    /// Ends the sleeps and waits whose time is over, in the order of their times.
    fn wake(&mut self, turn: &Turn<'_>, done: &mut Done) -> Result<(), Fault> {
        let Some(live) = &mut self.live else { return Ok(()) };
        live.slots.be_told_again();
        let mut due: Vec<_> = live.state.pauses.iter().filter(|(_, pause)| pause.until <= turn.now).collect();
        due.sort_by_key(|(_, pause)| pause.until);
        let steps: Vec<StepId> = due.into_iter().map(|(id, _)| id.clone()).collect();
        if steps.is_empty() { Ok(()) } else { live.append(turn, Entry::Woken { steps }, done) }
    }

    /// Owes again whatever a crash may have hidden: calls under a new generation, so that what is still running of the old
    /// one can no longer save anything; the news of an end; the entry in the history.
    fn resume(&mut self, turn: &Turn<'_>, done: &mut Done) -> Result<(), Fault> {
        let Some(live) = &mut self.live else { return Ok(()) };
        live.sent.clear();
        live.slots.forget();
        live.tell_history_of_start(turn, done)?;
        if live.state.status.is_over() {
            live.slots.end();
            return finish::announce(&live.state, turn.settings.shards, done);
        }
        waiting::watch(&live.state, done)?;
        for (step, pause) in &live.state.pauses {
            waiting::begin(&live.state, turn, step, pause, done)?;
        }
        // Also those that are not due: they may have been, before the clock was set back.
        let units: Vec<UnitId> = live.state.units.keys().cloned().collect();
        if units.is_empty() { Ok(()) } else { live.append(turn, Entry::Redispatched { units }, done) }
    }

    /// Gives up the calls that are current, under a new generation each; their siblings in flight stay as they are.
    fn lost(&mut self, turn: &Turn<'_>, calls: &[String], done: &mut Done) -> Result<(), Fault> {
        let Some(live) = &mut self.live else { return Ok(()) };
        let mut units = Vec::new();
        for id in calls {
            let Some(call) = CallId::parse(id) else { return Err(Fault::new("call id", id)) };
            live.sent.remove(&call);
            live.slots.land(&call);
            if live.state.units.get(&call.unit).is_some_and(|unit| unit.generation == call.generation) {
                units.push(call.unit);
            } else {
                live.slots.release(call);
            }
        }
        if units.is_empty() { Ok(()) } else { live.append(turn, Entry::Redispatched { units }, done) }
    }
}

impl Live {
    fn new(state: State) -> Self {
        let events = state.start.events.iter().map(|event| Memo::of_raw(event)).collect();
        Self { state, events, sent: BTreeSet::new(), slots: slots::Slots::default() }
    }

    /// Writes one row and applies it; where it ends the run, says so to the world.
    fn append(&mut self, turn: &Turn<'_>, entry: Entry, done: &mut Done) -> Result<(), Fault> {
        let row = journal::Row { at_ms: turn.now, entry };
        done.write(journal::key(self.state.rows), &row)?;
        let is_gated = turn.catalog.function(&self.state.start.function).is_some_and(is_gated);
        let before = if is_gated { slots::due_calls(&self.state, turn.now) } else { Vec::new() };
        self.state.apply(&row);
        self.release_those_over(turn, before);
        self.publish(done);
        for (step, pause) in &self.state.changes.ended {
            waiting::end(&self.state, step, pause, done)?;
        }
        for step in &self.state.changes.begun {
            if let Some(pause) = self.state.pauses.get(step) {
                waiting::begin(&self.state, turn, step, pause, done)?;
            }
        }
        if self.state.status.is_over() { finish::announce(&self.state, turn.settings.shards, done) } else { Ok(()) }
    }

    /// Gives back the slots of calls that were due before the last row and are not now. What the app is still at is given back once
    /// it has answered; a later dispatch takes the slot over.
    fn release_those_over(&mut self, turn: &Turn<'_>, before: Vec<CallId>) {
        for call in before {
            let is_due = self.state.units.get(&call.unit).is_some_and(|unit| unit.due <= turn.now);
            if !is_due && !self.may_be_in_flight(&call, turn.now) {
                self.slots.release(call);
            }
        }
        if self.state.status.is_over() {
            self.slots.end();
        }
    }

    /// The gate has let a call go; one that is not wanted (any more) goes back.
    fn granted(&mut self, turn: &Turn<'_>, dispatch: Dispatch, done: &mut Done) -> Result<(), Fault> {
        let call = CallId { unit: dispatch.unit, generation: dispatch.generation };
        match self.state.units.get(&call.unit) {
            Some(unit) if unit.generation == call.generation && unit.due <= turn.now => self.slots.grant(call),
            // Not due any more, because the clock was set back. Were the slot given back, this same word could come once more when another
            // has it: it is kept, and asked for again once the call is due.
            Some(unit) if unit.generation == call.generation => {
                self.slots.ask_again(&call);
                return Ok(());
            }
            // A later dispatch of it has been asked for, or is in this turn.
            Some(unit) if unit.due <= turn.now => return Ok(()),
            // What the app is still at is given back once it has answered.
            _ if self.may_be_in_flight(&call, turn.now) => return Ok(()),
            _ => {
                self.slots.release(call);
                return Ok(());
            }
        }
        if self.state.status == Status::Scheduled { self.append(turn, Entry::Began {}, done) } else { Ok(()) }
    }

    /// Answers a gate that asks for a slot which has long been held: one that is not wanted goes back. What it says of a call is news where
    /// this actor has forgotten it.
    fn holds(
        &mut self,
        turn: &Turn<'_>,
        dispatch: Option<Dispatch>,
        (waits, anew): (bool, bool),
        done: &mut Done,
    ) -> Result<(), Fault> {
        if self.state.status.is_over() {
            self.slots.end();
        }
        let Some(dispatch) = dispatch else { return Ok(()) };
        let call = CallId { unit: dispatch.unit.clone(), generation: dispatch.generation };
        match self.state.units.get(&call.unit) {
            Some(unit) if unit.generation == call.generation && waits => {
                self.slots.wait_for(&call);
                if anew {
                    self.slots.ask_again(&call);
                }
            }
            Some(unit) if unit.generation == call.generation => return self.granted(turn, dispatch, done),
            Some(unit) if unit.due <= turn.now => {}
            _ if self.may_be_in_flight(&call, turn.now) => {}
            _ => self.slots.release(call),
        }
        Ok(())
    }

    /// The app may be at it: it was sent by this actor; or perhaps by one before it, and no call takes longer than it may.
    fn may_be_in_flight(&self, call: &CallId, now: Millis) -> bool {
        let is_too_long_ago = self.state.end.as_ref().is_some_and(|end| end.at.plus(CALL_TIME_MAX) <= now);
        self.sent.contains(call) || (self.slots.inherits(call) && !is_too_long_ago)
    }

    /// Too many runs wait to begin: this one is recorded as skipped, unless it has begun since.
    fn turned_away(&mut self, turn: &Turn<'_>, dispatch: &Dispatch, done: &mut Done) -> Result<(), Fault> {
        let call = CallId { unit: dispatch.unit.clone(), generation: dispatch.generation };
        let is_current = self.state.units.get(&call.unit).is_some_and(|unit| unit.generation == call.generation);
        if self.state.status != Status::Scheduled || !is_current || self.sent.contains(&call) {
            return Ok(());
        }
        self.append(turn, Entry::Skipped { reason: Skip::Backlog }, done)
    }

    /// Ends a wait with what has come for it; one that is over takes no notice.
    fn resume_step(&mut self, turn: &Turn<'_>, step: StepId, by: Arrival, done: &mut Done) -> Result<(), Fault> {
        if !self.state.awaits(&step, &by) {
            return Ok(());
        }
        match decide::holds_more(&self.state, Memo::of_arrival(&by).size_bytes()) {
            Ok(()) => self.append(turn, Entry::Resumed { step, by }, done),
            Err(problem) => self.append(turn, Entry::GivenUp { problem }, done),
        }
    }

    /// Starts a run that repeats this one, and lets the stream list it under the same event.
    fn rerun(
        &self,
        turn: &Turn<'_>,
        rows: &[crate::turn::Row],
        run: RunId,
        from: Option<&FromStep>,
        done: &mut Done,
    ) -> Result<Result<(), Refusal>, Fault> {
        let function = &self.state.start.function;
        let Some(function) = turn.catalog.function(function).filter(|function| !function.archived) else {
            let message = format!("The function {function} is not registered with this server.");
            return Ok(Err(Refusal::new(Code::FunctionGone, message)));
        };
        let mut start = match rerun::start(&self.state, rows, turn.now, run, from)? {
            Ok(start) => start,
            Err(refusal) => return Ok(Err(refusal)),
        };
        start.function_version = function.version;
        for event in start.event_ids.iter().copied() {
            let stream = Address::stream_of(turn.settings.shards, event);
            done.send(stream, &stream::message::Tell::Ran { event, run })?;
        }
        admission::enter_again(turn, function, start, done)?;
        Ok(Ok(()))
    }

    /// Saves what the app has done while its call goes on; where the run's time is over, nothing.
    fn checkpoint(&mut self, turn: &Turn<'_>, body: &RawValue, done: &mut Done) -> Result<Result<(), Refusal>, Fault> {
        self.end_overdue(turn, true, done)?;
        match checkpoint::read(&self.state, body, turn.now) {
            Ok(Some(saved)) => self.append(turn, Entry::Checkpointed(saved), done).map(Ok),
            Ok(None) => Ok(Ok(())),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// Stops the run, unless it is over.
    fn cancel(&mut self, turn: &Turn<'_>, by: Canceller, done: &mut Done) -> Result<(), Fault> {
        if self.state.status.is_over() { Ok(()) } else { self.append(turn, Entry::Cancelled { by: Some(by) }, done) }
    }

    /// Stops the run where its function gives it no more time, before anything else can happen to it.
    fn end_overdue(&mut self, turn: &Turn<'_>, is_heard: bool, done: &mut Done) -> Result<(), Fault> {
        let function = turn.catalog.function(&self.state.start.function);
        match function.and_then(|function| cancel::overdue(&self.state, function, is_heard, turn.now)) {
            Some(by) => self.cancel(turn, by, done),
            None => Ok(()),
        }
    }

    /// Sends what is due and was not sent, and says when this run wants to be woken. Where it is only looked at, its gate is asked for nothing:
    /// where each look is another actor's, as under Spin, each would ask.
    fn settle(&mut self, turn: &Turn<'_>, is_looked_at: bool, done: &mut Done) -> Result<(), Fault> {
        let is_due = self.state.units.values().any(|unit| unit.due <= turn.now);
        let Some(function) = turn.catalog.function(&self.state.start.function) else {
            return self.give_up(turn, is_due, done);
        };
        let is_gated = is_gated(function);
        let (mut wanted, mut wakes_at_once) = (Vec::new(), false);
        for (id, unit) in &self.state.units {
            let call = CallId { unit: id.clone(), generation: unit.generation };
            if unit.due <= turn.now && !self.sent.contains(&call) {
                if is_gated && !self.slots.may_make(&call) {
                    if is_looked_at {
                        wakes_at_once |= !self.slots.has_asked(&call);
                    } else if self.slots.ask(&call) {
                        wanted.push(call);
                    }
                    continue;
                }
                let request = match &unit.errand {
                    Some(errand) => errand.call(turn, self.state.start.run, &call),
                    None => call::build(&self.state, &self.events, turn, function, &call, unit)?,
                };
                done.effects.push(Effect::Call(request));
                self.sent.insert(call);
            }
        }
        self.slots.tell(&self.state, function, wanted, &self.sent, turn.now, done)?;
        self.rest(turn, done);
        if wakes_at_once {
            done.wake_at = Some(turn.now);
        }
        Ok(())
    }

    /// The function is not in the catalog: nothing can be called.
    fn give_up(&mut self, turn: &Turn<'_>, is_due: bool, done: &mut Done) -> Result<(), Fault> {
        if is_due {
            let message = format!("The function {} is not registered with this server.", self.state.start.function);
            let problem = problem::Problem::found(Code::FunctionGone, message);
            self.append(turn, Entry::GivenUp { problem }, done)?;
        }
        self.rest(turn, done);
        Ok(())
    }

    fn rest(&self, turn: &Turn<'_>, done: &mut Done) {
        let retries = self.state.units.values().map(|unit| unit.due).filter(|due| *due > turn.now);
        let pauses = self.state.pauses.values().map(|pause| pause.until);
        let function = turn.catalog.function(&self.state.start.function).filter(|_| !self.state.status.is_over());
        let is_gated = turn.catalog.function(&self.state.start.function).is_some_and(is_gated);
        let finish = function.and_then(|function| cancel::finish_at(&self.state, function));
        let start = function.and_then(|function| cancel::start_at(&self.state, function));
        done.wake_at = retries.chain(pauses).chain(finish).chain(start).min();
        // What was sent is owed until it is answered, also where the clock was set back since.
        let was_sent =
            |id: &UnitId, generation| self.sent.iter().any(|call| call.unit == *id && call.generation == generation);
        let waits =
            |id: &UnitId, unit: &Unit| self.slots.waits_for(&CallId { unit: id.clone(), generation: unit.generation });
        let is_owed = |id: &UnitId, unit: &Unit| unit.due <= turn.now && !waits(id, unit);
        // What a run that is over has left the app with is owed an answer, and its slot with it.
        let is_left = is_gated && !self.sent.is_empty();
        done.owing = self.state.units.iter().any(|(id, unit)| is_owed(id, unit) || was_sent(id, unit.generation))
            || (self.state.status.is_over() && is_left);
    }

    fn actions(&self) -> Result<std::collections::BTreeMap<&StepId, Box<RawValue>>, Fault> {
        let raw = |memo: &Memo| RawValue::from_string(memo.json().to_owned()).map_err(|e| Fault::new("memo", e));
        self.state.told().map(|(id, memo)| Ok((id, raw(memo)?))).collect()
    }

    fn tell_history_of_start(&self, turn: &Turn<'_>, done: &mut Done) -> Result<(), Fault> {
        let start = &self.state.start;
        let Some(event) = start.event_ids.first().copied() else { return Ok(()) };
        let function = start.function.clone();
        let tell = history::message::Tell::Started { run: start.run, function, event, at: self.state.started_at };
        done.send(Address::history_of(turn.settings.shards, start.run), &tell)
    }

    /// Tells whoever watches this run that its journal has grown.
    fn publish(&self, done: &mut Done) {
        let channel = format!("run/{}", self.state.start.run);
        done.effects.push(Effect::Publish { channel, data: self.state.rows.to_string().into_bytes() });
    }
}

/// The app, or what stands before it, has too much to do, and says until when.
fn is_overloaded(outcome: &CallOutcome) -> bool {
    let says_when = |answer: &AppAnswer| answer.headers.iter().any(|(name, _)| name == "retry-after");
    outcome.answer.as_ref().is_ok_and(|answer| matches!(answer.status, 429 | 503) && says_when(answer))
}

fn raw(value: &impl Serialize) -> Result<Box<RawValue>, Fault> {
    serde_json::value::to_raw_value(value).map_err(|e| Fault::new("answer", e))
}
