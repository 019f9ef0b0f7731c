//! Opcodes: what an SDK asks for, one file each (PROTOCOL §3.5). Each reads its op into a journal [`Record`], or says why not.

mod ai_gateway;
mod defer;
mod discovery_request;
mod gateway;
mod invoke_function;
mod run_complete;
mod sleep;
mod step_error;
mod step_failed;
mod step_planned;
mod step_run;
mod timeout;
mod wait_for_event;
mod wait_for_signal;

use super::journal::{Record, Thrown, Timing, What};
use super::problem::Problem;
use crate::error::Code;
use crate::ids::{Millis, RunId, StepId};
use crate::limits::{OPS_PER_ANSWER_MAX, STEP_ID_BYTES_MAX};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// An op as it came. Unknown fields are ignored, on purpose (PROTOCOL §3.5).
#[derive(Debug, Deserialize)]
pub struct Op<'a> {
    /// The opcode, spelt exactly.
    #[serde(borrow)]
    pub op: Cow<'a, str>,
    /// The hashed step id.
    #[serde(borrow, default)]
    pub id: Option<Cow<'a, str>>,
    /// A name, a duration, an event's name: the op decides.
    #[serde(borrow, default)]
    pub name: Option<Cow<'a, str>>,
    /// For people.
    #[serde(borrow, default, rename = "displayName")]
    pub display_name: Option<Cow<'a, str>>,
    /// The op decides.
    #[serde(borrow, default)]
    pub opts: Option<&'a RawValue>,
    /// A result.
    #[serde(borrow, default)]
    pub data: Option<&'a RawValue>,
    /// An error.
    #[serde(borrow, default)]
    pub error: Option<&'a RawValue>,
    /// The SDK's own measurement, in nanoseconds.
    #[serde(borrow, default)]
    pub timing: Option<&'a RawValue>,
}

/// What one op comes to.
#[derive(Debug)]
pub enum Reading {
    /// A step's news.
    Step(Record),
    /// A step threw, and may be tried again.
    Threw(Thrown, Problem),
    /// The function returned.
    Complete(Box<RawValue>),
    /// The function threw, beside ops that could not travel with a plain error.
    FunctionThrew {
        /// What.
        problem: Problem,
        /// It is not to be tried again.
        is_final: bool,
    },
    /// Nothing: an idle branch of a very old SDK.
    Nothing,
}

/// Why an op cannot be taken.
#[derive(Debug)]
pub enum Rejection {
    /// The attempt counts as failed.
    Attempt(Problem),
    /// Trying again cannot help: the run fails.
    Run(Problem),
}

/// The id under which SDK 4 tells of the function itself, in place of a step: the hash of `complete` (PROTOCOL §3.6).
const FUNCTION_ITSELF: &str = "0737c22d3bfae812339732d14d8c7dbd6dc4e09c";

/// Opcodes of the protocol that are not built here yet.
const UNBUILT: &[&str] = &["SyncRunComplete"];

/// Splits an answer into its ops: an array, or one object (PROTOCOL §3.4).
///
/// # Errors
/// Anything else, and more ops than an answer may have.
pub fn split(body: &RawValue) -> Result<Vec<Op<'_>>, Rejection> {
    let invalid = |error: serde_json::Error| {
        Rejection::Attempt(Problem::found(Code::AnswerInvalid, format!("The app's ops cannot be read: {error}.")))
    };
    let ops: Vec<Op<'_>> = if body.get().starts_with('{') {
        vec![serde_json::from_str(body.get()).map_err(invalid)?]
    } else {
        serde_json::from_str(body.get()).map_err(invalid)?
    };
    if ops.len() > OPS_PER_ANSWER_MAX {
        let message = format!("One answer holds {} ops; the limit is {OPS_PER_ANSWER_MAX}.", ops.len());
        return Err(Rejection::Run(Problem::named(Code::StepLimitExceeded, "InngestErrFunctionOverflowed", message)));
    }
    Ok(ops)
}

/// What an op may look at besides itself.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// The time.
    pub now: Millis,
    /// The run.
    pub run: RunId,
    /// The event that started it.
    pub trigger: &'a RawValue,
}

impl Op<'_> {
    /// What this op comes to.
    ///
    /// # Errors
    /// See [`Rejection`].
    pub fn read(&self, around: &Around<'_>) -> Result<Reading, Rejection> {
        match self.op.as_ref() {
            "StepRun" => step_run::read(self),
            "Step" => step_run::read_stored(self),
            "StepPlanned" => step_planned::read(self),
            "StepError" => step_error::read(self),
            "StepFailed" => step_failed::read(self),
            "Sleep" => sleep::read(self, around.now),
            "WaitForEvent" => wait_for_event::read(self, around),
            "WaitForSignal" => wait_for_signal::read(self, around.now),
            "InvokeFunction" => invoke_function::read(self, around),
            "DeferAdd" => defer::add(self),
            "DeferAbort" => defer::abort(self),
            "Gateway" => gateway::read(self),
            "AIGateway" => ai_gateway::read(self),
            "RunComplete" => Ok(run_complete::read(self)),
            "DiscoveryRequest" => discovery_request::read(self),
            "None" => Ok(Reading::Nothing),
            unbuilt if UNBUILT.contains(&unbuilt) => Err(Rejection::Run(Problem::found(
                Code::OpcodeUnsupported,
                format!("This server does not support the opcode {unbuilt} yet."),
            ))),
            unknown => Err(Rejection::Attempt(Problem::found(
                Code::OpcodeUnknown,
                format!("The app sent the opcode {unknown:?}, which is not one of the protocol."),
            ))),
        }
    }

    /// The op's step.
    fn step_id(&self) -> Result<StepId, Rejection> {
        match self.id.as_deref() {
            Some(id) if !id.is_empty() && id.len() <= STEP_ID_BYTES_MAX => Ok(id.into()),
            _ => Err(Rejection::Attempt(Problem::found(
                Code::AnswerInvalid,
                format!("An op {} has no step id of 1 to {STEP_ID_BYTES_MAX} bytes.", self.op),
            ))),
        }
    }

    /// Whether the op is of the function rather than of a step. A step of the user's that is called `complete` has the same id, and
    /// a name.
    fn is_of_function(&self) -> bool {
        self.id.as_deref() == Some(FUNCTION_ITSELF) && self.name.is_none() && self.display_name.is_none()
    }

    /// What people call the step.
    fn title(&self) -> String {
        self.display_name.as_deref().or(self.name.as_deref()).unwrap_or_default().to_owned()
    }

    fn record(&self, what: What) -> Result<Record, Rejection> {
        Ok(Record { id: self.step_id()?, name: self.title(), race: self.races(), what })
    }

    /// Whether the step races, whatever kind of step it is (PROTOCOL §5.6).
    fn races(&self) -> bool {
        #[derive(Default, Deserialize)]
        struct Opts {
            #[serde(default, rename = "parallelMode")]
            parallel_mode: Option<String>,
        }
        self.opts::<Opts>().parallel_mode.as_deref() == Some("race")
    }

    /// The error that the op carries.
    fn problem(&self) -> Problem {
        self.error.or(self.data).map_or_else(
            || Problem {
                name: "Error".to_owned(),
                ..Problem::found(Code::AnswerInvalid, "The app reported a failed step without an error.")
            },
            Problem::read,
        )
    }

    fn opts<T: Default + for<'de> Deserialize<'de>>(&self) -> T {
        self.opts.and_then(|opts| serde_json::from_str(opts.get()).ok()).unwrap_or_default()
    }

    /// The op's options, where it cannot be told what a wait is for without them.
    fn opts_of_wait<T: Default + for<'de> Deserialize<'de>>(&self) -> Result<T, Rejection> {
        let read = self.opts.map(|opts| serde_json::from_str::<Option<T>>(opts.get())).transpose();
        let read = read.map_err(|error| {
            let message = format!("The options of a wait cannot be read: {error}.");
            Rejection::Run(Problem::found(Code::WaitInvalid, message))
        })?;
        Ok(read.flatten().unwrap_or_default())
    }

    fn timing(&self) -> Option<Timing> {
        #[derive(Deserialize)]
        struct Wire {
            a: u64,
            b: u64,
        }
        let wire: Wire = serde_json::from_str(self.timing?.get()).ok()?;
        let started_at_ms = Millis(wire.a.checked_div(1_000_000)?);
        Some(Timing { started_at_ms, took_us: wire.b.checked_div(1_000)? })
    }
}
