//! A call request, as far as the app reads it (PROTOCOL §3.2).

use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;

/// A call.
#[derive(Deserialize)]
pub struct Call<'a> {
    /// What the call is about.
    #[serde(borrow)]
    pub ctx: Context<'a>,
    /// The event that started the run.
    #[serde(borrow)]
    pub event: Event<'a>,
}

/// `ctx`.
#[derive(Deserialize)]
pub struct Context<'a> {
    /// The run.
    pub run_id: Cow<'a, str>,
    /// The function, as the server names it.
    #[serde(default)]
    pub fn_id: Cow<'a, str>,
    /// Echoed on checkpoints.
    #[serde(default)]
    pub qi_id: Cow<'a, str>,
    /// Echoed on checkpoints.
    #[serde(default)]
    pub request_id: Cow<'a, str>,
    /// Echoed on checkpoints.
    #[serde(default)]
    pub generation_id: u64,
    /// The finished steps.
    pub stack: Stack,
}

/// `ctx.stack`.
#[derive(Deserialize)]
pub struct Stack {
    /// Their ids.
    pub stack: Vec<IgnoredAny>,
}

/// `event`.
#[derive(Deserialize)]
pub struct Event<'a> {
    /// What was sent with it.
    #[serde(borrow)]
    pub data: Data<'a>,
}

/// The data of this crate's events: see `events::Data`.
#[derive(Deserialize)]
pub struct Data<'a> {
    /// None in the event of a schedule.
    #[serde(default)]
    pub key: u64,
    #[serde(default)]
    pub steps: usize,
    #[serde(borrow)]
    pub until: Option<Cow<'a, str>>,
    pub keep: Option<usize>,
    #[serde(default)]
    pub work_ms: u64,
}

impl<'a> Call<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// It is not a call of this protocol, or not for this app.
    pub fn read(body: &'a [u8]) -> anyhow::Result<Self> {
        Ok(serde_json::from_slice(body)?)
    }

    /// How many steps are finished.
    pub fn steps(&self) -> usize {
        self.ctx.stack.stack.len()
    }
}
