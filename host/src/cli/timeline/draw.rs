//! A timeline drawn whole.

use super::model::{Attempt, Awaited, Problem, Run, Step, StepStatus, Timeline};
use super::text::{clip, moment, padded, span};
use crate::cli::output::Paint;

const NAME_CHARACTERS_MAX: usize = 40;
const OUTPUT_CHARACTERS_MAX: usize = 60;
const RESULT_CHARACTERS_MAX: usize = 2_000;
const MESSAGE_CHARACTERS_MAX: usize = 300;
const STACK_LINES_MAX: usize = 6;

/// The lines that show `timeline`.
pub fn draw(timeline: &Timeline, paint: Paint) -> Vec<String> {
    let mut lines = header(&timeline.run, paint);
    lines.push(String::new());
    let widths = Widths::of(&timeline.steps);
    for (position, step) in timeline.steps.iter().enumerate() {
        let bracket = bracket(&timeline.steps, position);
        lines.push(format!(" {bracket} {}", step_line(step, &widths, paint)));
        let inside = if matches!(bracket, '┌' | '│') { '│' } else { ' ' };
        for line in attempt_lines(step, paint) {
            lines.push(format!(" {inside}     {line}"));
        }
    }
    for attempt in &timeline.attempts {
        lines.push(format!("   {} function: {}", paint.red("✗"), failed_attempt(attempt)));
    }
    if !timeline.steps.is_empty() || !timeline.attempts.is_empty() {
        lines.push(String::new());
    }
    lines.extend(outcome(&timeline.run, paint));
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// A failed attempt in a few words.
pub(super) fn failed_attempt(attempt: &Attempt) -> String {
    let number = attempt.number.saturating_add(1);
    let error = in_short(&attempt.error);
    match attempt.retry_at_ms {
        Some(retry_at) => {
            format!("attempt {number} failed: {error}; retry in {}", span(retry_at.saturating_sub(attempt.at_ms)))
        }
        None => format!("attempt {number} failed for good: {error}"),
    }
}

/// An error in a few words.
pub(super) fn in_short(problem: &Problem) -> String {
    let said = match (problem.name.as_str(), problem.message.as_str()) {
        ("", message) => message.to_owned(),
        (name, "") => name.to_owned(),
        (name, message) => format!("{name}: {message}"),
    };
    clip(&said, MESSAGE_CHARACTERS_MAX)
}

/// A step's name in a few words.
pub(super) fn name(step: &Step) -> String {
    clip(if step.name.is_empty() { &step.id } else { &step.name }, NAME_CHARACTERS_MAX)
}

/// How a run ended, or stands.
pub(super) fn standing(run: &Run) -> String {
    let took = run.started_at_ms().zip(run.ended_at_ms()).map(|(start, end)| span(end.saturating_sub(start)));
    let status = clip(&run.status, NAME_CHARACTERS_MAX);
    if let Some(reason) = &run.skip_reason {
        return format!("{status}: {}", clip(reason, MESSAGE_CHARACTERS_MAX));
    }
    match took {
        Some(took) if run.is_completed() => format!("{status} in {took}"),
        Some(took) => format!("{status} after {took}"),
        None => status,
    }
}

fn header(run: &Run, paint: Paint) -> Vec<String> {
    let standing = standing(run);
    let standing = match run.status.as_str() {
        "Completed" => paint.green(&standing),
        "Failed" | "Cancelled" => paint.red(&standing),
        _ => paint.yellow(&standing),
    };
    let mut about = format!(
        "run {}   started {}",
        clip(&run.run_id, NAME_CHARACTERS_MAX),
        clip(&run.run_started_at, NAME_CHARACTERS_MAX)
    );
    if let Some(event) = &run.event_id {
        about.push_str(&format!("   event {}", clip(event, NAME_CHARACTERS_MAX)));
    }
    vec![format!("{}   {standing}", paint.bold(&clip(run.function(), NAME_CHARACTERS_MAX))), paint.dim(&about)]
}

struct Widths {
    name: usize,
    op: usize,
    took: usize,
}

impl Widths {
    fn of(steps: &[Step]) -> Self {
        let widest = |text: fn(&Step) -> String| steps.iter().map(|step| text(step).chars().count()).max().unwrap_or(0);
        Self { name: widest(name), op: widest(op), took: widest(took) }
    }
}

fn op(step: &Step) -> String {
    clip(&step.op, NAME_CHARACTERS_MAX)
}

fn took(step: &Step) -> String {
    step.took_ms().map(span).unwrap_or_default()
}

fn step_line(step: &Step, widths: &Widths, paint: Paint) -> String {
    let symbol = match step.status {
        StepStatus::Completed => paint.green("✓"),
        StepStatus::Failed => paint.red("✗"),
        StepStatus::Retrying => paint.yellow("↻"),
        StepStatus::Sleeping | StepStatus::Waiting | StepStatus::Invoking => paint.yellow("◷"),
        StepStatus::Planned | StepStatus::Other => paint.dim("○"),
    };
    let mut columns = vec![padded(&name(step), widths.name), paint.dim(&padded(&op(step), widths.op))];
    if widths.took > 0 {
        columns.push(padded(&took(step), widths.took));
    }
    columns.push(paint.dim(&remark(step)));
    format!("{symbol} {}", columns.join("  ")).trim_end().to_owned()
}

/// What else there is to say of a step: how it stands, or what it gave.
fn remark(step: &Step) -> String {
    let mut remarks = Vec::new();
    if step.copied {
        remarks.push("copied".to_owned());
    }
    match step.status {
        StepStatus::Sleeping => remarks.extend(step.wake_at_ms.map(|at| format!("till {}", moment(at)))),
        StepStatus::Waiting | StepStatus::Invoking => {
            remarks.extend(step.awaits.as_ref().map(Awaited::told));
            remarks.extend(step.wake_at_ms.map(|at| format!("till {}", moment(at))));
        }
        StepStatus::Planned => remarks.push("waiting for its call".to_owned()),
        StepStatus::Completed | StepStatus::Failed if step.timed_out => {
            let told = step.awaits.as_ref().map(Awaited::told).unwrap_or_default();
            remarks.push(format!("waited {told} in vain"));
        }
        StepStatus::Completed if !step.attempts.is_empty() => {
            remarks.push(format!("{} attempts", step.attempts.len().saturating_add(1)));
        }
        _ => {}
    }
    match (&step.output, step.output_bytes) {
        (Some(output), _) if output.get() != "null" => {
            remarks.push(format!("→ {}", clip(output.get(), OUTPUT_CHARACTERS_MAX)))
        }
        (None, Some(bytes)) => remarks.push(format!("→ {bytes} bytes")),
        _ => {}
    }
    remarks.join("  ")
}

fn attempt_lines(step: &Step, paint: Paint) -> Vec<String> {
    let mut lines: Vec<String> = step.attempts.iter().map(|attempt| paint.red(&failed_attempt(attempt))).collect();
    let told = step.attempts.last().is_some_and(|attempt| attempt.retry_at_ms.is_none());
    if let (Some(error), false) = (&step.error, told) {
        let number = step.attempts.len().saturating_add(1);
        lines.push(paint.red(&format!("attempt {number} failed for good: {}", in_short(error))));
    }
    lines
}

/// Steps that were found together stand in one bracket.
fn bracket(steps: &[Step], position: usize) -> char {
    let Some(step) = steps.get(position).filter(|step| step.parallel) else { return ' ' };
    let together =
        |other: Option<&Step>| other.is_some_and(|other| other.parallel && other.queued_at_ms == step.queued_at_ms);
    let before = position.checked_sub(1).and_then(|before| steps.get(before));
    let after = position.checked_add(1).and_then(|after| steps.get(after));
    match (together(before), together(after)) {
        (false, true) => '┌',
        (true, true) => '│',
        (true, false) => '└',
        (false, false) => ' ',
    }
}

fn outcome(run: &Run, paint: Paint) -> Vec<String> {
    let Some(output) = run.output.as_deref() else { return Vec::new() };
    if run.is_completed() {
        return vec![format!("{} {}", paint.green("result"), clip(output.get(), RESULT_CHARACTERS_MAX))];
    }
    let Ok(problem) = serde_json::from_str::<Problem>(output.get()) else {
        return vec![format!("{} {}", paint.red("error"), clip(output.get(), RESULT_CHARACTERS_MAX))];
    };
    let mut lines = vec![format!("{} {}", paint.red("error"), in_short(&problem))];
    // The first line of a stack says once more what the error says.
    let stack = problem.stack.as_deref().unwrap_or_default().lines().skip(1).take(STACK_LINES_MAX);
    lines.extend(stack.map(|line| paint.dim(&format!("      {}", clip(line, MESSAGE_CHARACTERS_MAX)))));
    lines
}
