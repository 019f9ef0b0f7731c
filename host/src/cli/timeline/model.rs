//! The JSON of `GET /v1/runs/{id}` and `GET /v1/runs/{id}/timeline`, forgiving what a newer server adds.

use super::text::clip;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::time::UNIX_EPOCH;

/// A run's timeline.
#[derive(Debug, Deserialize)]
pub struct Timeline {
    /// The run itself.
    pub run: Run,
    /// How many entries its journal has; ask for what comes after them.
    pub journal_rows: u64,
    /// In the order in which they were found.
    pub steps: Vec<Step>,
    /// Failed attempts of the function itself, or of reaching it.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
}

/// A run.
#[derive(Debug, Deserialize, Serialize)]
pub struct Run {
    /// Its id.
    pub run_id: String,
    /// RFC 3339.
    pub run_started_at: String,
    /// The function, as users name it.
    pub function_slug: Option<String>,
    /// The function, as a UUID.
    pub function_id: String,
    /// The event that it started with.
    pub event_id: Option<String>,
    /// `Scheduled`, `Running`, `Completed`, `Failed`, `Cancelled` or `Skipped`.
    pub status: String,
    /// Why it never began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip_reason: Option<String>,
    /// RFC 3339.
    pub ended_at: Option<String>,
    /// The result or the error.
    pub output: Option<Box<RawValue>>,
}

/// One step's life.
#[derive(Debug, Deserialize)]
pub struct Step {
    pub id: String,
    pub name: String,
    pub op: String,
    pub status: StepStatus,
    #[serde(default)]
    pub parallel: bool,
    pub queued_at_ms: u64,
    pub started_at_ms: Option<u64>,
    pub ended_at_ms: Option<u64>,
    pub wake_at_ms: Option<u64>,
    pub awaits: Option<Awaited>,
    #[serde(default)]
    pub timed_out: bool,
    /// Its result was copied from the run that this one repeats.
    #[serde(default)]
    pub copied: bool,
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    pub output: Option<Box<RawValue>>,
    pub output_bytes: Option<u64>,
    pub error: Option<Problem>,
}

/// Of what a step waits for.
const AWAITED_CHARACTERS_MAX: usize = 80;

/// What a step waits or waited for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Awaited {
    Event {
        name: String,
        #[serde(rename = "if")]
        condition: Option<String>,
    },
    Signal {
        name: String,
    },
    Run {
        function: String,
        id: Option<String>,
    },
}

impl Awaited {
    /// As people say it: `for <event> if <condition>`.
    pub fn told(&self) -> String {
        let told = match self {
            Self::Event { name, condition: Some(condition) } => format!("for {name} if {condition}"),
            Self::Event { name, condition: None } => format!("for {name}"),
            Self::Signal { name } => format!("for the signal {name}"),
            Self::Run { function, id: Some(id) } => format!("for {function}, run {id}"),
            Self::Run { function, id: None } => format!("for {function}"),
        };
        clip(&told, AWAITED_CHARACTERS_MAX)
    }
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepStatus {
    Planned,
    Retrying,
    Sleeping,
    Waiting,
    Invoking,
    Completed,
    Failed,
    /// A newer server's.
    #[serde(other)]
    Other,
}

/// A failed attempt.
#[derive(Debug, Deserialize)]
pub struct Attempt {
    /// From 0.
    pub number: u32,
    pub at_ms: u64,
    pub error: Problem,
    pub retry_at_ms: Option<u64>,
}

/// An error.
#[derive(Debug, Deserialize)]
pub struct Problem {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub message: String,
    pub stack: Option<String>,
}

impl Run {
    /// Nothing more will happen.
    pub fn is_over(&self) -> bool {
        matches!(self.status.as_str(), "Completed" | "Failed" | "Cancelled" | "Skipped")
    }

    /// It returned.
    pub fn is_completed(&self) -> bool {
        self.status == "Completed"
    }

    /// The function, as users name it.
    pub fn function(&self) -> &str {
        self.function_slug.as_deref().unwrap_or(&self.function_id)
    }

    /// Since when, in milliseconds since the Unix epoch.
    pub fn started_at_ms(&self) -> Option<u64> {
        millis(&self.run_started_at)
    }

    /// Until when, in milliseconds since the Unix epoch.
    pub fn ended_at_ms(&self) -> Option<u64> {
        self.ended_at.as_deref().and_then(millis)
    }
}

impl Step {
    /// How long it took, or rested; the last attempt's time where there were several.
    pub fn took_ms(&self) -> Option<u64> {
        Some(self.ended_at_ms?.saturating_sub(self.started_at_ms.unwrap_or(self.queued_at_ms)))
    }
}

fn millis(rfc3339: &str) -> Option<u64> {
    let since = humantime::parse_rfc3339(rfc3339).ok()?.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok()
}
