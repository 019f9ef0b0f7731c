//! Runs by the clock: one actor per function with schedules.
//!
//! What is planned is the catalog's configuration, which every turn is given. The catalog tells the actor to look when a sync
//! changes its function, and again whenever the server starts; so schedules go on after a restart without a sync, and a message
//! that was lost is made up for. In between, the actor's own wake is all there is.
//!
//! - *A time starts exactly one run.* The event's id is derived from function and time, and the run's id from it: a second wake, a
//!   crash behind the row or a clock that was set back may send it again, and the stream recognises it.
//! - *Never early.* What starts is decided by `now`, whatever woke the actor.
//! - *Nothing is lost.* The row says until when everything has been decided, and whatever came later is still due. Where the clock is
//!   found set back, so is that: what is sent again because of it is recognised.
//! - *What was missed*, because no server ran, is started as the setting `cron-catch-up` says (`timetable.rs`).

mod fields;
pub mod message;
mod plan;
mod schedule;
mod tick;
mod timetable;

use crate::actor::Actor;
use crate::error::{Fault, Refusal};
use crate::ids::{FunctionId, Millis};
use crate::limits::CRON_TIMES_TOLD_MAX;
use crate::turn::{Done, Message, Outcome, Range, Row, Turn};
use message::{Ask, Planned, Tell, Time};
use plan::{KEY, Loop, Plan};
pub use schedule::Schedule;
pub use tick::{SCHEDULED, schedule_of};
use timetable::Timetable;

/// The schedules of one function; its key is the function's slug.
pub struct Cron {
    function: FunctionId,
    plan: Plan,
}

impl Actor for Cron {
    fn preload(_key: &str) -> Vec<Range> {
        vec![Range::one(KEY)]
    }

    fn load(key: &str, rows: &[(Range, Vec<Row>)]) -> Result<Self, Fault> {
        let row = rows.iter().flat_map(|(_, rows)| rows).next();
        Ok(Self { function: key.into(), plan: Plan::decode(row.map(|row| row.value.as_slice()))? })
    }

    fn turn(&mut self, turn: &Turn<'_>, message: Message) -> Result<Outcome, Fault> {
        let mut done = Done::default();
        match message {
            Message::Tell(body) => {
                let Tell::Look = serde_json::from_slice(&body).map_err(|e| Fault::new("message to a cron", e))?;
                self.decide(turn, &mut done)?;
            }
            Message::Wake | Message::Resume => self.decide(turn, &mut done)?,
            // A question changes nothing, whatever else may be due.
            Message::Ask { token, body } => {
                let Ask::Planned { times } =
                    serde_json::from_slice(&body).map_err(|e| Fault::new("question to a cron", e))?;
                done.reply(token, &Ok::<_, Refusal>(self.planned(turn.now, times)))?;
            }
            Message::Answered(_) | Message::Lost(_) => return Err(Fault::new("message to a cron", "it calls no apps")),
        }
        let wakes = self
            .plan
            .loops
            .iter()
            .filter_map(|(schedule, planned)| self.timetable(schedule, planned.jitter)?.next_fire(planned.decided));
        done.wake_at = wakes.min();
        Ok(Outcome::Done(done))
    }
}

impl Cron {
    /// Takes over what the catalog says, and starts what is due.
    fn decide(&mut self, turn: &Turn<'_>, done: &mut Done) -> Result<(), Fault> {
        let mut plan = self.plan.clone();
        let function = turn.catalog.function(&self.function);
        for (schedule, time) in plan.follow(turn.catalog.version, &self.function, function, turn.now) {
            tick::start(&self.function, turn.settings.shards, &schedule, time, done)?;
        }
        for (schedule, planned) in &mut plan.loops {
            planned.decided = planned.decided.min(turn.now);
            let Some(timetable) = self.timetable(schedule, planned.jitter) else { continue };
            if timetable.next_fire(planned.decided).is_none_or(|next| next > turn.now) {
                continue;
            }
            let due = timetable.due(planned.decided, turn.now, turn.settings.cron_catch_up);
            planned.decided = due.decided;
            for time in due.times {
                tick::start(&self.function, turn.settings.shards, schedule, time, done)?;
                planned.last = planned.last.max(Some(time.tick));
            }
        }
        let nothing = plan.loops.is_empty();
        let plan = if nothing { Plan::default() } else { plan };
        if plan != self.plan {
            if nothing { done.delete(KEY) } else { done.write(KEY, &plan)? }
        }
        self.plan = plan;
        Ok(())
    }

    /// `None` where the schedule cannot be read, because an older version of this server took it: the API says so.
    fn timetable(&self, schedule: &str, jitter: Option<Millis>) -> Option<Timetable> {
        Timetable::new(&self.function, schedule, jitter).ok()
    }

    fn planned(&self, now: Millis, times: u32) -> Vec<Planned> {
        let times = usize::try_from(times.min(CRON_TIMES_TOLD_MAX)).unwrap_or(0);
        let of = |(schedule, planned): (&String, &Loop)| {
            let next = Timetable::new(&self.function, schedule, planned.jitter).map(|table| table.next(now, times));
            let (next, error): (Vec<Time>, _) = match next {
                Ok(next) => (next, None),
                Err(error) => (Vec::new(), Some(error)),
            };
            Planned { cron: schedule.clone(), jitter_ms: planned.jitter, next, last: planned.last, error }
        };
        self.plan.loops.iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests;
