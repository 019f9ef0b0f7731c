//! Starting runs and awaiting their end.

use crate::app::{App, Function, Record};
use crate::server::Server;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::oneshot::Receiver;

/// No measured run takes longer, unless something is broken.
const RUN_TIME_MAX: Duration = Duration::from_secs(120);

/// An event that starts a run of so many steps, and the run's record to come.
pub(super) fn of_steps(app: &App, steps: usize) -> (Value, Receiver<Record>) {
    let (key, record) = app.notebook.expect();
    (json!({ "name": Function::Steps.event(), "data": { "key": key, "steps": steps } }), record)
}

/// Sends an event and waits until its run is over.
pub(super) async fn whole(server: &Server, (event, record): (Value, Receiver<Record>)) -> Result<Record> {
    server.send(&event).await?;
    over(record).await
}

/// Waits for the end of a run that has been started.
pub(super) async fn over(record: Receiver<Record>) -> Result<Record> {
    tokio::time::timeout(RUN_TIME_MAX, record).await.context("a run did not end")?.context("a run got lost")
}
