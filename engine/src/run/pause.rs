//! A step that neither runs nor is to be called for: it sleeps, or waits for something to come.

use super::journal::{Record, What};
use super::memo::Memo;
use crate::ids::Millis;
use crate::waits::place::Place;
use serde_json::value::RawValue;

/// What an invocation that took too long is remembered as (PROTOCOL §7.4).
const INVOKE_TIMED_OUT: &str = concat!(
    r#"{"error":{"error":"InngestInvokeTimeoutError: Timed out waiting for invoked function to complete","#,
    r#""message":"Timed out waiting for invoked function to complete","name":"InngestInvokeTimeoutError"}}"#
);

/// A step at rest.
#[derive(Clone, Debug)]
pub struct Pause {
    /// When it began.
    pub since: Millis,
    /// When it ends, whatever has come by then.
    pub until: Millis,
    /// What for.
    pub awaits: Awaits,
    /// How many events had ended waits of this run before: those do not end this one.
    pub taken_before: usize,
}

/// What ends a pause before its time.
#[derive(Clone, Debug)]
pub enum Awaits {
    /// Nothing: a sleep.
    Nothing,
    /// An event (PROTOCOL §7.3).
    Event {
        /// Its exact name.
        event: String,
        /// What it must be like.
        condition: Option<String>,
        /// Where the wait is kept.
        place: Place,
    },
    /// A signal (PROTOCOL §7.5).
    Signal {
        /// Its name.
        signal: String,
        /// Whoever waits for it already is replaced.
        replace: bool,
    },
    /// The end of another run (PROTOCOL §7.4).
    Return {
        /// The function that was invoked: its slug or UUID.
        function: String,
        /// What it was invoked with.
        payload: Option<Box<RawValue>>,
        /// What people call the step.
        name: String,
    },
}

impl Pause {
    /// The pause that a step's news begins at `at`, if any, where so many events have ended waits before.
    #[must_use]
    pub fn of(step: &Record, at: Millis, taken_before: usize) -> Option<Self> {
        let (until, awaits) = match &step.what {
            What::Slept { until_ms } => (*until_ms, Awaits::Nothing),
            What::Waited { event, condition, until_ms, place } => {
                let (event, condition, place) = (event.clone(), condition.clone(), place.clone());
                (*until_ms, Awaits::Event { event, condition, place })
            }
            What::AwaitedSignal { signal, replace, until_ms } => {
                (*until_ms, Awaits::Signal { signal: signal.clone(), replace: *replace })
            }
            What::Invoked { function, payload, until_ms } => {
                let (function, payload, name) = (function.clone(), payload.clone(), step.name.clone());
                (*until_ms, Awaits::Return { function, payload, name })
            }
            What::Ran { .. }
            | What::Stored { .. }
            | What::Failed { .. }
            | What::Planned { .. }
            | What::Deferred(_)
            | What::Asked { .. }
            | What::Discovery => return None,
        };
        Some(Self { since: at, until, awaits, taken_before })
    }

    /// What the step is remembered as when its time is over.
    #[must_use]
    pub fn timed_out(&self) -> Memo {
        match self.awaits {
            Awaits::Return { .. } => Memo::of_text(INVOKE_TIMED_OUT),
            Awaits::Nothing | Awaits::Event { .. } | Awaits::Signal { .. } => Memo::null(),
        }
    }

    /// It ended before anybody could be told that it began: nobody is told.
    #[must_use]
    pub fn is_over_at_once(&self) -> bool {
        self.until <= self.since
    }
}
