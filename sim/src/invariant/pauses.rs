//! Steps at rest, as the journal tells of them, and what must hold of them.

use super::journal::Arrival;
use super::run::{Around, Seen};
use super::{Invariant, Violation, require};
use crate::app::program::{Act, Program};
use crate::reference::Due;
use crate::reference::meet::{Met, Waiting};

/// How late a sleep may end where nothing goes wrong: a tick of the slowest home, and the turns on the way.
const LATE_MS_MAX: u64 = 16_000;

/// A step that rests, or did.
#[derive(Clone, Debug)]
pub struct Pause {
    /// What for.
    pub awaits: Awaits,
    /// Since when.
    pub since: u64,
    /// Till when at most.
    pub until: u64,
    /// The row that says so, by its number.
    pub row: u32,
    /// What ended it.
    pub ended: Option<Ending>,
}

/// What a step rests for.
#[derive(Clone, Debug)]
pub enum Awaits {
    /// Nothing: it sleeps.
    Nothing,
    /// An event of this name.
    Event(String),
    /// This signal.
    Signal(String),
    /// The end of another run.
    Return,
}

/// The end of a rest.
#[derive(Clone, Debug)]
pub struct Ending {
    /// When.
    pub at: u64,
    /// The row that says so, by its number.
    pub row: u32,
    /// What came.
    pub by: By,
}

/// What ended a rest.
#[derive(Clone, Debug)]
pub enum By {
    /// Its time was over.
    Time,
    /// An event.
    Event {
        /// Its id.
        id: String,
        /// When it was accepted.
        received_at: u64,
    },
    /// A signal.
    Signal {
        /// What came with it.
        data: String,
    },
    /// The end of another run.
    Return {
        /// Which; none where none began.
        run: Option<String>,
        /// What it returned; none where it did not.
        value: Option<String>,
    },
}

impl Awaits {
    /// Whether this is what it rests for.
    #[must_use]
    pub const fn is_ended_by(&self, by: &By) -> bool {
        matches!(
            (self, by),
            (Self::Event(_), By::Event { .. })
                | (Self::Signal(_), By::Signal { .. })
                | (Self::Return, By::Return { .. })
        )
    }
}

impl Pause {
    /// Since when it rests no longer; `over_at`: when its run ended.
    #[must_use]
    pub fn ended_at(&self, over_at: Option<u64>) -> Option<u64> {
        self.ended.as_ref().map(|ending| ending.at).or(over_at)
    }
}

impl Seen {
    pub(super) fn woken(&mut self, around: &Around<'_>, at: u64, steps: Vec<String>) -> Result<(), Violation> {
        let (run, clock) = (around.run, around.clock);
        for id in steps {
            let until = self.pauses.get(&id).map_or(u64::MAX, |pause| pause.until);
            require(clock >= until, Invariant::SleepsAreNotEarly, || {
                format!("{run}: {id} ends at {clock}, due at {until}")
            })?;
            let latest = until.saturating_add(LATE_MS_MAX);
            require(clock <= latest || !around.is_quiet || self.is_disturbed, Invariant::SleepsAreNotLate, || {
                format!("{run}: {id} ends at {clock}, due at {until}")
            })?;
            let is_invocation = self.pauses.get(&id).is_some_and(|pause| matches!(pause.awaits, Awaits::Return));
            self.end_pause(&id, at, By::Time);
            self.finish(around, &id, (!is_invocation).then(|| "null".to_owned()))?;
        }
        Ok(())
    }

    /// What a step waited for has come.
    pub(super) fn resumed(
        &mut self,
        around: &Around<'_>,
        at: u64,
        id: &str,
        arrival: &Arrival<'_>,
    ) -> Result<(), Violation> {
        let (by, memo) = match arrival {
            Arrival::Event(event, received_at, whole) => {
                let met = super::meetings::met(around.sent, event, *received_at, whole)?;
                self.takes(around, id, &met)?;
                (By::Event { id: event.clone(), received_at: *received_at }, Some((*whole).to_owned()))
            }
            Arrival::Signal(signal, data) => {
                let memo = format!("{{\"data\":{{\"data\":{data},\"signal\":\"{signal}\"}}}}");
                self.heard = Some((signal.clone(), (*data).to_owned()));
                (By::Signal { data: (*data).to_owned() }, Some(memo))
            }
            Arrival::Return(run, value) => {
                let memo = value.map(|value| format!("{{\"data\":{value}}}"));
                (By::Return { run: run.clone(), value: value.map(ToOwned::to_owned) }, memo)
            }
        };
        let pause = self.pauses.get(id).filter(|pause| pause.ended.is_none());
        let fits = pause.is_some_and(|pause| pause.awaits.is_ended_by(&by));
        require(fits, Invariant::WaitsTakeOne, || format!("{}: {id} takes {arrival:?} and is {pause:?}", around.run))?;
        self.end_pause(id, at, by);
        self.finish(around, id, memo)
    }

    /// Whether the event is what the step waits for.
    fn takes(&self, around: &Around<'_>, id: &str, met: &Met) -> Result<(), Violation> {
        let pause = self.pauses.get(id);
        let program = around.programs.get(&self.function);
        let waiting =
            pause.zip(program).and_then(|(pause, program)| self.waiting(program, around.look_back_ms, id, pause));
        require(waiting.as_ref().is_some_and(|waiting| waiting.is_met_by(met)), Invariant::WaitsTakeOne, || {
            format!("{}: {id} takes {met:?} and waits for {waiting:?}", around.run)
        })
    }

    /// What a step waits for, where it is an event.
    #[must_use]
    pub fn waiting<'a>(
        &'a self,
        program: &'a Program,
        look_back_ms: u64,
        id: &str,
        pause: &Pause,
    ) -> Option<Waiting<'a>> {
        let Act::Wait { event, condition, .. } = &program.member(id)?.act else { return None };
        // What ended a wait before this one began is spent.
        let spent =
            self.pauses.values().filter_map(|other| other.ended.as_ref()).filter(|ending| ending.row < pause.row);
        let spent = spent.filter_map(|ending| if let By::Event { id, .. } = &ending.by { Some(id) } else { None });
        Some(Waiting {
            event,
            condition: *condition,
            own: self.k,
            since: pause.since.saturating_sub(look_back_ms).max(self.started_at.min(pause.since)),
            after: None,
            until: pause.until,
            without: self.event_ids.iter().chain(spent).map(String::as_str).collect(),
        })
    }

    fn end_pause(&mut self, id: &str, at: u64, by: By) {
        let row = self.rows;
        if let Some(pause) = self.pauses.get_mut(id) {
            pause.ended.get_or_insert(Ending { at, row, by });
        }
    }

    /// A step rests, unless it does or is done.
    pub(super) fn pause(
        &mut self,
        around: &Around<'_>,
        at: u64,
        id: &str,
        until: u64,
        awaits: Awaits,
    ) -> Result<(), Violation> {
        if let Some(Due::Pause { ms }) = self.plan.as_ref().and_then(|plan| plan.due(id)) {
            let span = until.saturating_sub(at);
            require(span >= ms, Invariant::SleepsAreNotEarly, || {
                format!("{}: {id} is to pause {ms} ms and is given {span}", around.run)
            })?;
        }
        if !self.memos.contains_key(id) {
            let pause = Pause { awaits, since: at, until, row: self.rows, ended: None };
            self.pauses.entry(id.to_owned()).or_insert(pause);
        }
        Ok(())
    }
}
