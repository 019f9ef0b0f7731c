//! The rows of a run, read without the engine: what is checked is what was stored.

use super::defers::Deferral;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// A row.
#[derive(Debug, Deserialize)]
pub struct Row<'a> {
    /// When it was decided, by the server's clock.
    pub at_ms: u64,
    #[serde(borrow)]
    entry: &'a RawValue,
}

/// What a row says.
#[derive(Debug)]
pub enum Entry<'a> {
    /// The run began.
    Started(Started<'a>),
    /// An answer came, or a call failed.
    Answered(Answered<'a>),
    /// The app saved steps.
    Checkpointed(Checkpointed<'a>),
    /// What a step waited for has come.
    Resumed(String, Arrival<'a>),
    /// The time of pauses was over.
    Woken(Vec<String>),
    /// It had waited for its first call.
    Began,
    /// It was never to begin.
    Skipped,
    /// Calls are made again.
    Redispatched(Vec<String>),
    /// It was cancelled.
    Cancelled(Canceller),
    /// The server gave it up, under this code.
    GivenUp(String),
    /// Something that this reader does not know.
    Other(String),
}

/// The beginning of a run.
#[derive(Debug, Deserialize)]
pub struct Started<'a> {
    /// What runs.
    pub function: String,
    /// The triggering events.
    #[serde(borrow)]
    pub events: Vec<&'a RawValue>,
    /// Their ids.
    pub event_ids: Vec<String>,
    /// When the first was accepted.
    pub received_at: u64,
    /// Not before this moment.
    pub not_before: Option<u64>,
    /// What it has of the run that it repeats, where it is a rerun.
    #[serde(borrow)]
    pub rerun: Option<Rerun<'a>>,
}

/// What a run has of the one that it repeats.
#[derive(Debug, Deserialize)]
pub struct Rerun<'a> {
    /// The first run of the line.
    pub original: String,
    /// Results that it begins with, in the order in which they came.
    #[serde(borrow, default)]
    pub copied: Vec<Copied<'a>>,
    /// The step that gets other arguments, and these.
    #[serde(borrow)]
    pub input: Option<(String, &'a RawValue)>,
}

/// The result of a step of the other run.
#[derive(Debug, Deserialize)]
pub struct Copied<'a> {
    /// Which step.
    pub id: String,
    /// Its memo.
    #[serde(borrow)]
    pub memo: &'a RawValue,
}

/// What ended a wait.
#[derive(Debug)]
pub enum Arrival<'a> {
    /// An event: its id, when it was accepted, and the whole of it.
    Event(String, u64, &'a str),
    /// A signal: its name, and what came with it.
    Signal(String, &'a str),
    /// The end of an invoked run: which, and what it returned; none where it did not.
    Return(Option<String>, Option<&'a str>),
}

/// Who cancelled a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Canceller {
    /// A request.
    Request,
    /// The event with this id.
    Event(String),
    /// The bulk cancellation with this id.
    Bulk(String),
    /// Another run, where there is one at a time.
    Singleton,
    /// It began too late.
    StartTimeout,
    /// It took too long.
    FinishTimeout,
}

/// What an answer came to.
#[derive(Debug, Deserialize)]
pub struct Answered<'a> {
    /// The unit.
    pub unit: String,
    /// Which dispatch of it.
    pub generation: u32,
    #[serde(borrow, default)]
    steps: Vec<Record<'a>>,
    #[serde(borrow)]
    then: &'a RawValue,
}

/// What the app saved.
#[derive(Debug, Deserialize)]
pub struct Checkpointed<'a> {
    /// The unit.
    pub unit: String,
    /// Which dispatch of it.
    pub generation: u32,
    #[serde(borrow)]
    steps: Vec<Record<'a>>,
}

#[derive(Debug, Deserialize)]
struct Record<'a> {
    id: String,
    #[serde(borrow)]
    what: &'a RawValue,
}

/// What a row says of one step.
#[derive(Debug)]
pub enum Step<'a> {
    /// Its code ran and returned this.
    Ran(&'a str),
    /// It has this memo.
    Stored(&'a str),
    /// It threw for good.
    Failed,
    /// It sleeps till then.
    Slept(u64),
    /// It waits for an event of this name, till then.
    Waited(String, u64),
    /// It waits for this signal, till then.
    AwaitedSignal(String, u64),
    /// It invoked this function, and waits till then.
    Invoked(String, u64),
    /// It was found.
    Planned,
    /// Somebody else is asked for it.
    Asked,
    /// Something is deferred, or taken back.
    Deferred(Deferral),
    /// Something that this reader does not know.
    Other,
}

/// What follows an answer.
#[derive(Debug)]
pub enum Then<'a> {
    /// The unit is done.
    Proceed,
    /// The same call is made again: nothing was said but what is deferred.
    Again,
    /// It is tried again at this moment.
    Retry(u64),
    /// The run returned this.
    Complete(&'a str),
    /// The run failed.
    Fail,
}

impl<'a> Row<'a> {
    /// Reads a row.
    ///
    /// # Errors
    /// It is none.
    pub fn read(bytes: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// What it says.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn entry(&self) -> Result<Entry<'a>, serde_json::Error> {
        #[derive(Deserialize)]
        struct Woken {
            steps: Vec<String>,
        }
        #[derive(Deserialize)]
        struct Redispatched {
            units: Vec<String>,
        }
        #[derive(Deserialize)]
        struct Resumed<'a> {
            step: String,
            #[serde(borrow)]
            by: &'a RawValue,
        }
        #[derive(Deserialize)]
        struct GivenUp {
            problem: Problem,
        }
        #[derive(Deserialize)]
        struct Problem {
            code: Option<String>,
        }
        let (tag, content) = tagged(self.entry)?;
        Ok(match tag.as_str() {
            "Started" => Entry::Started(serde_json::from_str(content)?),
            "Answered" => Entry::Answered(serde_json::from_str(content)?),
            "Checkpointed" => Entry::Checkpointed(serde_json::from_str(content)?),
            "Woken" => Entry::Woken(serde_json::from_str::<Woken>(content)?.steps),
            "Redispatched" => Entry::Redispatched(serde_json::from_str::<Redispatched>(content)?.units),
            "Resumed" => {
                let Resumed { step, by } = serde_json::from_str(content)?;
                Entry::Resumed(step, arrival(by)?)
            }
            "Began" => Entry::Began,
            "Skipped" => Entry::Skipped,
            "Cancelled" => Entry::Cancelled(canceller(content)?),
            "GivenUp" => Entry::GivenUp(serde_json::from_str::<GivenUp>(content)?.problem.code.unwrap_or_default()),
            _ => Entry::Other(tag),
        })
    }
}

impl<'a> Answered<'a> {
    /// What it says of steps.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn steps(&self) -> Result<Vec<(&str, Step<'a>)>, serde_json::Error> {
        steps(&self.steps)
    }

    /// What follows.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn then(&self) -> Result<Then<'a>, serde_json::Error> {
        #[derive(Deserialize)]
        struct Retry {
            retry_at_ms: u64,
        }
        #[derive(Deserialize)]
        struct Complete<'a> {
            #[serde(borrow)]
            output: &'a RawValue,
        }
        let (tag, content) = tagged(self.then)?;
        Ok(match tag.as_str() {
            "Retry" => Then::Retry(serde_json::from_str::<Retry>(content)?.retry_at_ms),
            "Complete" => Then::Complete(serde_json::from_str::<Complete<'_>>(content)?.output.get()),
            "Fail" => Then::Fail,
            "Again" => Then::Again,
            _ => Then::Proceed,
        })
    }
}

impl<'a> Checkpointed<'a> {
    /// What it says of steps.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn steps(&self) -> Result<Vec<(&str, Step<'a>)>, serde_json::Error> {
        steps(&self.steps)
    }
}

fn steps<'r, 'a>(records: &'r [Record<'a>]) -> Result<Vec<(&'r str, Step<'a>)>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Ran<'a> {
        #[serde(borrow)]
        data: &'a RawValue,
    }
    #[derive(Deserialize)]
    struct Stored<'a> {
        #[serde(borrow)]
        memo: &'a RawValue,
    }
    #[derive(Deserialize)]
    struct Paused {
        until_ms: u64,
        #[serde(alias = "event", alias = "signal", alias = "function", default)]
        what: String,
    }
    let step = |record: &'r Record<'a>| {
        let (tag, content) = tagged(record.what)?;
        let step = match tag.as_str() {
            "Ran" => Step::Ran(serde_json::from_str::<Ran<'_>>(content)?.data.get()),
            "Stored" => Step::Stored(serde_json::from_str::<Stored<'_>>(content)?.memo.get()),
            "Failed" => Step::Failed,
            "Slept" | "Waited" | "AwaitedSignal" | "Invoked" => {
                let Paused { until_ms, what } = serde_json::from_str(content)?;
                match tag.as_str() {
                    "Slept" => Step::Slept(until_ms),
                    "Waited" => Step::Waited(what, until_ms),
                    "AwaitedSignal" => Step::AwaitedSignal(what, until_ms),
                    _ => Step::Invoked(what, until_ms),
                }
            }
            "Planned" => Step::Planned,
            "Asked" => Step::Asked,
            "Deferred" => Step::Deferred(deferral(serde_json::from_str(content)?)?),
            _ => Step::Other,
        };
        Ok((record.id.as_str(), step))
    };
    records.iter().map(step).collect()
}

fn deferral(said: &RawValue) -> Result<Deferral, serde_json::Error> {
    #[derive(Deserialize)]
    struct Said {
        #[serde(default)]
        function: String,
        #[serde(default)]
        target: String,
    }
    let (tag, content) = tagged(said)?;
    let Said { function, target } = serde_json::from_str(content)?;
    Ok(match tag.as_str() {
        "Add" => Deferral::Add(function),
        "Abort" => Deferral::Abort(target),
        _ => Deferral::Refuse,
    })
}

fn arrival(by: &RawValue) -> Result<Arrival<'_>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Event<'a> {
        id: String,
        received_at: u64,
        #[serde(borrow)]
        event: &'a RawValue,
    }
    #[derive(Deserialize)]
    struct Signal<'a> {
        signal: String,
        #[serde(borrow)]
        data: &'a RawValue,
    }
    #[derive(Deserialize)]
    struct Return<'a> {
        run: Option<String>,
        #[serde(borrow)]
        returned: &'a RawValue,
    }
    let (tag, content) = tagged(by)?;
    Ok(match tag.as_str() {
        "Event" => {
            let Event { id, received_at, event } = serde_json::from_str(content)?;
            Arrival::Event(id, received_at, event.get())
        }
        "Signal" => {
            let Signal { signal, data } = serde_json::from_str(content)?;
            Arrival::Signal(signal, data.get())
        }
        _ => {
            let Return { run, returned } = serde_json::from_str(content)?;
            let (tag, value) = tagged(returned)?;
            Arrival::Return(run, (tag == "Value").then_some(value))
        }
    })
}

fn canceller(content: &str) -> Result<Canceller, serde_json::Error> {
    #[derive(Deserialize)]
    struct Cancelled<'a> {
        #[serde(borrow)]
        by: Option<&'a RawValue>,
    }
    let Some(by) = serde_json::from_str::<Cancelled<'_>>(content)?.by else { return Ok(Canceller::Request) };
    let (tag, content) = tagged(by)?;
    Ok(match tag.as_str() {
        "Event" => Canceller::Event(serde_json::from_str(content)?),
        "Bulk" => Canceller::Bulk(serde_json::from_str(content)?),
        "Singleton" => Canceller::Singleton,
        "StartTimeout" => Canceller::StartTimeout,
        "FinishTimeout" => Canceller::FinishTimeout,
        _ => Canceller::Request,
    })
}

/// The tag of an externally tagged value, and what it holds.
fn tagged(value: &RawValue) -> Result<(String, &str), serde_json::Error> {
    if value.get().starts_with('"') {
        return Ok((serde_json::from_str(value.get())?, "null"));
    }
    let whole: BTreeMap<String, &RawValue> = serde_json::from_str(value.get())?;
    Ok(whole.into_iter().next().map_or_else(|| (String::new(), "null"), |(tag, content)| (tag, content.get())))
}
