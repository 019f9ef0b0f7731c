//! What the app saw: calls, grouped by run.

use hyper::body::Bytes;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::mpsc::UnboundedSender;

/// One call.
#[derive(Debug)]
pub struct Visit {
    /// How many steps were finished before it.
    pub step: usize,
    /// When its last byte had come ...
    pub arrived: Instant,
    /// ... also by the clock on the wall.
    pub arrived_at: SystemTime,
    /// When its answer was handed over to be sent.
    pub left: Instant,
    /// Its body, where the event asked to keep it.
    pub body: Bytes,
}

/// The calls of a run until it ended or went to sleep.
#[derive(Debug)]
pub struct Segment {
    /// The key that the event gave.
    pub key: u64,
    /// The run's id.
    pub run: String,
    /// The calls, in order.
    pub visits: Vec<Visit>,
    /// How long each checkpoint took.
    pub checkpoints: Vec<Duration>,
}

impl Segment {
    /// How long after each answer the next call came; the first is that of the call with one finished step.
    pub fn overheads(&self) -> impl Iterator<Item = Duration> + '_ {
        let nexts = self.visits.iter().skip(1);
        self.visits.iter().zip(nexts).map(|(before, after)| after.arrived.saturating_duration_since(before.left))
    }

    /// The first call.
    ///
    /// # Errors
    /// There was none.
    pub fn first(&self) -> anyhow::Result<&Visit> {
        self.visits.first().ok_or_else(|| anyhow::anyhow!("a run ended without a call"))
    }

    /// That each step was asked for once, in order: a server that calls twice is not to be measured but mended.
    ///
    /// # Errors
    /// It was not so.
    pub fn ensure_in_order(&self) -> anyhow::Result<()> {
        for (expected, visit) in self.visits.iter().enumerate() {
            anyhow::ensure!(
                visit.step == expected,
                "run {}: the call after {} others carries {} finished steps",
                self.key,
                expected,
                visit.step
            );
        }
        Ok(())
    }
}

/// Collects visits and hands on what has ended.
pub struct Recorder {
    open: Mutex<HashMap<u64, Segment>>,
    tell: UnboundedSender<anyhow::Result<Segment>>,
}

impl Recorder {
    /// A recorder that hands on to `tell`.
    pub fn new(tell: UnboundedSender<anyhow::Result<Segment>>) -> Self {
        Self { open: Mutex::default(), tell }
    }

    /// Notes a call of the run `key`, whose id is `run`, and that its segment ends with it if it does.
    pub fn note(&self, (key, run): (u64, &str), visit: Visit, ends_segment: bool, checkpoints: Vec<Duration>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Segment { key, run: run.to_owned(), visits: Vec::new(), checkpoints: Vec::new() };
        let segment = open.entry(key).or_insert_with(fresh);
        segment.visits.push(visit);
        segment.checkpoints.extend(checkpoints);
        if ends_segment && let Some(segment) = open.remove(&key) {
            // Nobody listens only when the measurement is over.
            let _ = self.tell.send(Ok(segment));
        }
    }

    /// Lets the measurement fail.
    pub fn fail(&self, error: anyhow::Error) {
        let _ = self.tell.send(Err(error));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(steps: &[usize]) -> Segment {
        let start = Instant::now();
        let visits = steps.iter().enumerate().map(|(place, step)| {
            let arrived =
                start.checked_add(Duration::from_millis(10).saturating_mul(u32::try_from(place).unwrap())).unwrap();
            Visit {
                step: *step,
                arrived,
                arrived_at: SystemTime::now(),
                left: arrived.checked_add(Duration::from_millis(7)).unwrap(),
                body: Bytes::new(),
            }
        });
        Segment { key: 1, run: "r".to_owned(), visits: visits.collect(), checkpoints: Vec::new() }
    }

    #[test]
    fn overhead_is_from_an_answer_to_the_next_call() {
        let overheads: Vec<_> = segment(&[0, 1, 2]).overheads().collect();
        assert_eq!(overheads, [Duration::from_millis(3), Duration::from_millis(3)]);
    }

    #[test]
    fn a_step_that_is_asked_for_twice_is_an_error() {
        assert!(segment(&[0, 1, 2]).ensure_in_order().is_ok());
        assert!(segment(&[0, 1, 1, 2]).ensure_in_order().is_err());
    }
}
