//! The app's functions: what each answers to a call.

use super::call::Call;
use super::{checkpoint, ops};
use hyper::StatusCode;
use std::time::{Duration, SystemTime};

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// As many steps as the event says, one after another.
    Steps,
    /// Nothing, once the app lets go of it and as long after as the event says.
    Held,
    /// One sleep, until the date that the event names.
    Sleep,
    /// One wait for the event `bench/wake` with the same key.
    Wait,
    /// One invocation of `Steps`, under the same key.
    Invoke,
    /// Nothing: a schedule starts it.
    Scheduled,
    /// As many steps as the event says, in one call, each reported by checkpoint.
    Checkpoint,
    /// As `Steps`, for calls that no server made: nothing is noted.
    Raw,
    /// Answers at once, without reading: what the transport alone takes.
    Echo,
}

/// What the app answers, and what that means for who measures.
pub struct Answer {
    pub status: StatusCode,
    pub body: String,
    /// The run is over or parked.
    pub ends_segment: bool,
    /// How long each checkpoint took.
    pub checkpoints: Vec<Duration>,
}

impl Function {
    /// Those that are registered with the server, and how many of them at once, as its `concurrency` says.
    pub const REGISTERED: [(Self, &'static str, Option<&'static str>); 8] = [
        (Self::Steps, "steps", None),
        (Self::Steps, "gated", Some(r#"{"limit":1000}"#)),
        (Self::Held, "queued", Some(r#"{"limit":10}"#)),
        (Self::Sleep, "sleep", None),
        (Self::Wait, "wait", None),
        (Self::Wait, "keyed", Some(r#"{"fn":[{"limit":1,"key":"event.data.key"}]}"#)),
        (Self::Invoke, "invoke", None),
        (Self::Checkpoint, "checkpoint", None),
    ];

    /// The function that a call's query names.
    pub fn of(query: &str) -> Option<Self> {
        let slug = query.split('&').find_map(|pair| pair.strip_prefix("fnId=bench-"))?;
        match slug {
            "raw" => Some(Self::Raw),
            "echo" => Some(Self::Echo),
            slug if slug.starts_with("scheduled") => Some(Self::Scheduled),
            _ => Self::REGISTERED.iter().find(|(_, name, _)| *name == slug).map(|(function, ..)| *function),
        }
    }

    /// Answers a call. `server_port` is where checkpoints go.
    pub async fn answer(self, call: &Call<'_>, server_port: u16) -> Answer {
        let done = call.steps();
        match self {
            Self::Steps | Self::Raw if done < call.event.data.steps => Answer::progress(ops::step_run(done), false),
            Self::Sleep if done == 0 => {
                Answer::progress(ops::sleep(call.event.data.until.as_deref().unwrap_or("1s")), true)
            }
            Self::Wait if done == 0 => Answer::progress(ops::wait(), true),
            Self::Invoke if done == 0 => Answer::progress(ops::invoke(call.event.data.key), true),
            Self::Checkpoint => {
                let mut times = Vec::new();
                match checkpoint::report_all(call, server_port, &mut times).await {
                    Ok(()) => Answer { checkpoints: times, ..Answer::progress(ops::run_complete(), true) },
                    Err(error) => Answer::failure(&error),
                }
            }
            _ => Answer {
                status: StatusCode::OK,
                body: r#"{"ok":true}"#.to_owned(),
                ends_segment: true,
                checkpoints: Vec::new(),
            },
        }
    }
}

impl Answer {
    fn progress(op: String, ends_segment: bool) -> Self {
        Self { status: StatusCode::PARTIAL_CONTENT, body: op, ends_segment, checkpoints: Vec::new() }
    }

    fn failure(error: &anyhow::Error) -> Self {
        let body = serde_json::json!({"name": "Error", "message": format!("{error:#}")}).to_string();
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, body, ends_segment: true, checkpoints: Vec::new() }
    }
}

/// Nanoseconds since 1970, as SDKs time their steps.
pub fn epoch_ns() -> u128 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_found_by_its_slug() {
        assert_eq!(Function::of("fnId=bench-sleep&stepId=step"), Some(Function::Sleep));
        assert_eq!(Function::of("stepId=step&fnId=bench-raw"), Some(Function::Raw));
        assert_eq!(Function::of("fnId=bench-scheduled-17&stepId=step"), Some(Function::Scheduled));
        assert_eq!(Function::of("fnId=other-steps&stepId=step"), None);
        assert_eq!(Function::of("fnId=bench-nothing"), None);
    }
}
