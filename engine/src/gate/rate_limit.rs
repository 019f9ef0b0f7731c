//! How many starts in a time; the others come to nothing (SERVER §2.4, §2.5).
//!
//! A true count: within any span as long as the period there are at most `limit` starts. An idempotency key is the same with one start
//! in 24 hours.
//!
//! | row | holds |
//! | --- | --- |
//! | `passed/<run>` | when a start passed |
//! | `refused/<run>` | when one did not |

use super::admission::{self, Tell, Turned};
use super::place::Kind;
use super::seen::Seen;
use super::{Heard, Waiting};
use crate::actor::Actor;
use crate::catalog::Function;
use crate::error::Fault;
use crate::ids::Millis;
use crate::limits::{EVENT_IDEMPOTENCY_TIME, GATE_SEEN_TIME};
use crate::run::message::Start;
use crate::turn::{Done, Message, Outcome, Range, Row, Turn};

/// One value of a rate limit's key.
#[derive(Debug)]
pub struct RateLimit {
    key: String,
    passed: Seen,
    refused: Seen,
}

/// What holds at the moment.
struct Limit {
    count: u32,
    period: Millis,
    otherwise: Turned,
}

impl Limit {
    fn of(function: &Function) -> Option<Self> {
        if function.flow.idempotency.is_some() {
            return Some(Self { count: 1, period: EVENT_IDEMPOTENCY_TIME, otherwise: Turned::Repeated });
        }
        let limit = function.flow.rate_limit.as_ref()?;
        Some(Self { count: limit.limit, period: limit.period, otherwise: Turned::RateLimited })
    }
}

impl Actor for RateLimit {
    fn preload(_key: &str) -> Vec<Range> {
        vec![Range::all()]
    }

    fn load(key: &str, rows: &[(Range, Vec<Row>)]) -> Result<Self, Fault> {
        let mut gate = Self { key: key.to_owned(), passed: Seen::new("passed"), refused: Seen::new("refused") };
        for row in rows.iter().flat_map(|(_, rows)| rows) {
            if !gate.passed.fold(row)? && !gate.refused.fold(row)? {
                return Err(Fault::new("row of a gate", format!("the key {:?}", row.key)));
            }
        }
        Ok(gate)
    }

    fn turn(&mut self, turn: &Turn<'_>, message: Message) -> Result<Outcome, Fault> {
        let mut done = Done::default();
        let function = super::function_of(turn, &self.key)?;
        let limit = function.and_then(Limit::of);
        match super::heard(message)? {
            Heard::Told(Tell::Start(start)) => self.judge(turn, limit.as_ref(), *start, &mut done)?,
            Heard::Asked { token } => {
                let next_start_at = limit.as_ref().and_then(|limit| self.full_until(limit, turn.now));
                super::reply(token, &Waiting { held: 0, next_start_at }, &mut done)?;
            }
            Heard::Told(Tell::Over { .. }) | Heard::Woken => {}
        }
        let kept = limit.map_or(GATE_SEEN_TIME, |limit| limit.period.max(GATE_SEEN_TIME));
        let wakes =
            [self.passed.forget(kept, turn.now, &mut done), self.refused.forget(GATE_SEEN_TIME, turn.now, &mut done)];
        done.wake_at = wakes.into_iter().flatten().min();
        Ok(Outcome::Done(done))
    }
}

impl RateLimit {
    fn judge(&mut self, turn: &Turn<'_>, limit: Option<&Limit>, start: Start, done: &mut Done) -> Result<(), Fault> {
        let (run, now) = (start.run, turn.now);
        if self.passed.has(run) || self.refused.has(run) {
            return Ok(());
        }
        if let Some(limit) = limit.filter(|limit| self.full_until(limit, now).is_some()) {
            self.refused.note(run, now, done)?;
            return admission::turn_away(&start, limit.otherwise, done);
        }
        self.passed.note(run, now, done)?;
        admission::go_on(turn, start, Kind::RateLimit, done)
    }

    /// When there is room again, where there is none. What a clock that was set back makes of the future counts.
    fn full_until(&self, limit: &Limit, now: Millis) -> Option<Millis> {
        let oldest = self.passed.nth_newest(limit.count)?;
        // Of two moments that are a whole period apart only one is within it.
        Some(oldest.plus(limit.period)).filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests;
