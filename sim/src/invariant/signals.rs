//! Signals: who sent them, whom they woke.

use super::pauses::{Awaits, By, Pause};
use super::run::Seen;
use super::watch::Watch;
use super::{Invariant, Violation, require};
use crate::app::payload;
use crate::app::program::Act;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use stepwell_engine::http::Response;

/// A request that sends a signal.
#[derive(Clone, Debug, Deserialize)]
pub struct SignalBody {
    /// Its name.
    pub signal: String,
    /// What comes with it: different for each sender.
    pub data: Box<RawValue>,
}

/// What was seen of signals.
#[derive(Default)]
pub struct Signals {
    /// By what came with it.
    sent: BTreeMap<String, Sent>,
    answers: Vec<Answer>,
}

struct Sent {
    signal: String,
    /// Requests that reached the server.
    arrived: u32,
    /// Waits that it ended.
    woke: u32,
}

/// What the server said.
struct Answer {
    signal: String,
    data: String,
    /// When it began with the request, and when it answered, by its clock.
    span: (u64, u64),
    /// Who got it.
    run: Option<String>,
}

impl Signals {
    pub(super) fn sends(&mut self, mark: &str, signal: &str) -> Vec<u8> {
        let number = mark.bytes().fold(0_u64, |sum, byte| sum.wrapping_add(u64::from(byte)));
        let data = payload::of_signal(mark, number);
        let body = format!("{{\"signal\":\"{signal}\",\"data\":{data}}}");
        self.sent.entry(data).or_insert_with(|| Sent { signal: signal.to_owned(), arrived: 0, woke: 0 });
        body.into_bytes()
    }

    /// A wait ends by a signal.
    pub(super) fn wakes(&mut self, run: &str, signal: &str, data: String) -> Result<(), Violation> {
        let sent = self.sent.get_mut(&data).filter(|sent| sent.signal == signal);
        let holds = sent.is_some_and(|sent| {
            sent.woke = sent.woke.saturating_add(1);
            sent.woke <= sent.arrived
        });
        require(holds, Invariant::SignalsWakeOne, || {
            format!("{run} is woken by {signal} with {data}, which others were")
        })
    }
}

impl Watch {
    /// A request to send a signal reached the server.
    pub fn signal_arrives(&mut self, sent: &SignalBody) {
        if let Some(sent) = self.signals.sent.get_mut(sent.data.get()) {
            sent.arrived = sent.arrived.saturating_add(1);
        }
    }

    /// It was answered.
    pub fn signal_is_answered(&mut self, sent: SignalBody, span: (u64, u64), response: &Response) {
        #[derive(Deserialize)]
        struct Body {
            data: Woken,
        }
        #[derive(Deserialize)]
        struct Woken {
            run_id: String,
        }
        let run = serde_json::from_slice::<Body>(&response.body).ok().map(|body| body.data.run_id);
        if matches!(response.status, 200 | 404) {
            self.signals.answers.push(Answer { signal: sent.signal, data: sent.data.get().to_owned(), span, run });
        }
    }

    /// Every signal reached whom its sender was told of; and none was told to be unknown that somebody waited for.
    pub(super) fn every_signal_has_arrived(&self) -> Result<(), Violation> {
        let mut told: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for answer in &self.signals.answers {
            let Some(run) = &answer.run else {
                let missed = self.who_waited(answer);
                require(missed.is_none() || self.has_clock_stepped, Invariant::SignalsArrive, || {
                    format!("{} was told to be unknown at {:?}, while {missed:?} waited", answer.signal, answer.span)
                })?;
                continue;
            };
            let count = told.entry((run, &answer.data)).or_default();
            *count = count.saturating_add(1);
        }
        for ((run, data), count) in told {
            let Some(seen) = self.runs.get(run) else { continue };
            let took = |pause: &&Pause| {
                pause
                    .ended
                    .as_ref()
                    .is_some_and(|ending| matches!(&ending.by, By::Signal { data: took } if took == data))
            };
            let missing = count.saturating_sub(seen.pauses.values().filter(took).count());
            let late = self
                .signals
                .answers
                .iter()
                .filter(|answer| answer.data == data)
                .filter(|answer| self.came_late(seen, answer));
            let excused = missing <= late.count() || self.has_clock_stepped;
            require(excused, Invariant::SignalsArrive, || {
                format!("{run} was to get the signal with {data} and did not")
            })?;
        }
        Ok(())
    }

    /// Whether the run may have had no use for the signal any more when it came: its wait ended while the signal was under way; or,
    /// where news travels, had ended, and whoever keeps waits did not know. Either it had not heard of the end, or it had, and heard
    /// once more of the beginning (a message may come twice), so that the wait was there until the run said again that it is over.
    fn came_late(&self, seen: &Seen, answer: &Answer) -> bool {
        let slack = self.slack_ms();
        let (from, to) = (answer.span.0.saturating_sub(slack), answer.span.1.saturating_add(slack));
        let travels = slack > 0;
        seen.pauses.values().any(|pause| {
            let is_of_it = matches!(&pause.awaits, Awaits::Signal(signal) if *signal == answer.signal);
            let took_another = pause.ended.as_ref().is_some_and(|ending| matches!(ending.by, By::Signal { .. }));
            let is_near = pause.ended_at(seen.ended_at).is_some_and(|at| (from..=to).contains(&at));
            is_of_it && is_near && (travels || !took_another)
        })
    }

    /// Who waits for a signal, or did: the run, and the pause.
    fn waits_for<'a>(&'a self, signal: &'a str) -> impl Iterator<Item = (&'a str, &'a Seen, &'a Pause)> {
        let all =
            self.runs.iter().flat_map(|(run, seen)| seen.pauses.values().map(move |pause| (run.as_str(), seen, pause)));
        all.filter(move |(.., pause)| matches!(&pause.awaits, Awaits::Signal(name) if name == signal))
    }

    /// Who waited for the signal all the time that it took to answer, and was the only one.
    fn who_waited<'a>(&'a self, answer: &'a Answer) -> Option<&'a str> {
        let (from, to) = answer.span;
        let slack = self.slack_ms();
        let was_there = |seen: &Seen, pause: &Pause| {
            let is_long_enough = pause.since.saturating_add(slack) < from && pause.until > to;
            is_long_enough && pause.ended_at(seen.ended_at).is_none_or(|at| at > to)
        };
        let is_apart = |pause: &Pause, seen: &Seen, other: &Pause| {
            std::ptr::eq(pause, other)
                || other.since > to.saturating_add(slack)
                || other.ended_at(seen.ended_at).is_some_and(|at| at.saturating_add(slack) < pause.since)
        };
        let mut found = self.waits_for(&answer.signal).filter(|(_, seen, pause)| was_there(seen, pause));
        let alone = found
            .find(|(.., pause)| self.waits_for(&answer.signal).all(|(_, seen, other)| is_apart(pause, seen, other)));
        alone.map(|(run, ..)| run)
    }

    /// Whether a run that was given up because another one waited for the same signal was right to be.
    pub(super) fn has_rival(&self, seen: &Seen) -> bool {
        let (slack, over) = (self.slack_ms(), seen.ended_at.unwrap_or(0));
        let program = self.programs.get(&seen.function);
        let gives_way = |id: &str| {
            let act = program.and_then(|program| program.member(id)).map(|member| &member.act);
            matches!(act, Some(Act::AwaitSignal { replaces: false, .. }))
        };
        seen.pauses.iter().filter(|(id, pause)| pause.ended.is_none() && gives_way(id)).any(|(_, pause)| {
            let Awaits::Signal(signal) = &pause.awaits else { return false };
            self.waits_for(signal).any(|(_, rival, held)| {
                let meets = held.since <= over.saturating_add(slack)
                    && held.ended_at(rival.ended_at).is_none_or(|at| at.saturating_add(slack) >= pause.since);
                !std::ptr::eq(pause, held) && meets
            })
        })
    }
}
