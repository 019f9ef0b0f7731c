//! What happened, in words.

use crate::invariant::journal::{Answered, Arrival, Entry, Step, Then};
use stepwell_engine::turn::{Address, AppAnswer, Message};

/// The end of a run's id: enough to tell one from another in a story.
#[must_use]
pub fn short(run: &str) -> &str {
    run.len().checked_sub(6).and_then(|at| run.get(at..)).unwrap_or(run)
}

/// A call, by its run, its unit and its generation.
#[must_use]
pub fn call(id: &str) -> String {
    id.split_once('/').map_or_else(|| id.to_owned(), |(run, rest)| format!("{}/{rest}", short(run)))
}

/// An actor is told something.
#[must_use]
pub fn told(to: &Address, message: &Message) -> String {
    let what = match message {
        Message::Tell(body) => format!("is told {}", verb(body)),
        Message::Ask { body, .. } => format!("is asked {}", verb(body)),
        Message::Answered(outcome) => format!("hears what came of {}", call(&outcome.id)),
        Message::Wake => "wakes".to_owned(),
        Message::Resume => "is resumed".to_owned(),
        Message::Lost(calls) => format!("loses {}", calls.iter().map(|id| call(id)).collect::<Vec<_>>().join(", ")),
    };
    let kind = format!("{:?}", to.kind).to_lowercase();
    if to.key.len() > 1 { format!("{kind} {} {what}", short(&to.key)) } else { format!("the {kind} {what}") }
}

/// The tag of a message: the first name in it.
fn verb(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut names = text.split('"').skip(1);
    names.next().unwrap_or("something").to_owned()
}

/// What the app answers.
#[must_use]
pub fn answer(answer: &AppAnswer) -> String {
    const SHOWN: usize = 160;
    let body: String = String::from_utf8_lossy(&answer.body).chars().take(SHOWN).collect();
    format!("{} {body}", answer.status)
}

/// A row of a journal.
#[must_use]
pub fn row(entry: &Entry<'_>) -> String {
    match entry {
        Entry::Started(started) => format!("it begins: {}", started.function),
        Entry::Answered(answered) => answer_row(answered),
        Entry::Checkpointed(saved) => {
            format!("{}/{} saves {}", saved.unit, saved.generation, steps(&saved.steps().unwrap_or_default()))
        }
        Entry::Resumed(id, Arrival::Event(event, ..)) => format!("{id} ends: the event {}", short(event)),
        Entry::Resumed(id, Arrival::Signal(signal, data)) => format!("{id} ends: the signal {signal} with {data}"),
        Entry::Resumed(id, Arrival::Return(run, value)) => {
            let how = if value.is_some() { "returned" } else { "threw" };
            format!("{id} ends: {} {how}", run.as_deref().map_or("nobody", short))
        }
        Entry::Woken(ids) => format!("pauses end: {}", ids.join(", ")),
        Entry::Redispatched(units) => format!("to be called again: {}", units.join(", ")),
        Entry::Began => "its first call may be made".to_owned(),
        Entry::Skipped => "it is skipped".to_owned(),
        Entry::Cancelled(by) => format!("it is cancelled: {by:?}"),
        Entry::GivenUp(code) => format!("the server gives it up: {code}"),
        Entry::Other(tag) => tag.clone(),
    }
}

fn answer_row(answered: &Answered<'_>) -> String {
    let then = match answered.then() {
        Ok(Then::Proceed) => "and it goes on",
        Ok(Then::Again) => "and it is asked again",
        Ok(Then::Retry(_)) => "it failed and is tried again",
        Ok(Then::Complete(_)) => "and it returns",
        Ok(Then::Fail) | Err(_) => "and it fails",
    };
    let steps = steps(&answered.steps().unwrap_or_default());
    format!("{}/{}: {steps}{then}", answered.unit, answered.generation)
}

fn steps(steps: &[(&str, Step<'_>)]) -> String {
    let step = |(id, step): &(&str, Step<'_>)| match step {
        Step::Ran(_) | Step::Stored(_) => format!("{id} ran, "),
        Step::Failed => format!("{id} failed, "),
        Step::Slept(_) => format!("{id} sleeps, "),
        Step::Waited(name, _) | Step::AwaitedSignal(name, _) => format!("{id} waits for {name}, "),
        Step::Invoked(function, _) => format!("{id} invokes {function}, "),
        Step::Planned => format!("{id} is planned, "),
        Step::Asked => format!("{id} is asked of somebody else, "),
        Step::Deferred(_) => format!("{id} is deferred or taken back, "),
        Step::Other => format!("{id}, "),
    };
    steps.iter().map(step).collect()
}
