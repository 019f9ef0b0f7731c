//! What happened between two looks at a timeline, a line each.

use super::draw::{failed_attempt, in_short, name, standing};
use super::model::{Attempt, Awaited, Run, Step, StepStatus, Timeline};
use super::text::{clip, moment, padded, span};
use crate::cli::output::Paint;
use std::collections::BTreeMap;

/// Of the time since the run's start, at the head of a line.
const OFFSET_CHARACTERS: usize = 9;

/// The lines that tell what is in `now` and was not in `before`, the oldest first; everything where nothing was seen before.
pub fn news(before: Option<&Timeline>, now: &Timeline, paint: Paint) -> Vec<String> {
    let mut told = Vec::new();
    if before.is_none() {
        let text = format!(
            "{} {}",
            paint.bold(&clip(now.run.function(), 60)),
            paint.dim(&format!("run {}", clip(&now.run.run_id, 40)))
        );
        told.push(Told { at_ms: now.run.started_at_ms().unwrap_or(0), text });
    }
    let known: BTreeMap<&str, &Step> =
        before.into_iter().flat_map(|seen| &seen.steps).map(|step| (step.id.as_str(), step)).collect();
    for step in &now.steps {
        of_step(known.get(step.id.as_str()).copied(), step, paint, &mut told);
    }
    let seen = before.map_or(0, |seen| seen.attempts.len());
    for attempt in now.attempts.iter().skip(seen) {
        told.push(of_attempt("function", attempt, paint));
    }
    if now.run.is_over() && !before.is_some_and(|seen| seen.run.is_over()) {
        told.push(of_end(&now.run, paint));
    }
    told.sort_by_key(|told| told.at_ms);
    let start = now.run.started_at_ms().unwrap_or(0);
    let line = |told: Told| {
        let offset = format!("+{}", span(told.at_ms.saturating_sub(start)));
        format!("{} {}", paint.dim(&padded(&offset, OFFSET_CHARACTERS)), told.text)
    };
    told.into_iter().map(line).collect()
}

struct Told {
    at_ms: u64,
    text: String,
}

fn of_step(before: Option<&Step>, step: &Step, paint: Paint, told: &mut Vec<Told>) {
    let who = name(step);
    let was = before.map(|before| before.status);
    for attempt in step.attempts.iter().skip(before.map_or(0, |before| before.attempts.len())) {
        told.push(of_attempt(&who, attempt, paint));
    }
    if was == Some(step.status) {
        return;
    }
    let ended_at_ms = step.ended_at_ms.unwrap_or(step.queued_at_ms);
    match step.status {
        StepStatus::Planned => {
            told.push(Told { at_ms: step.queued_at_ms, text: format!("{} {who}: queued", paint.dim("○")) });
        }
        StepStatus::Sleeping => {
            let till = step.wake_at_ms.map(|at| format!(" till {}", moment(at))).unwrap_or_default();
            let at_ms = step.started_at_ms.unwrap_or(step.queued_at_ms);
            told.push(Told { at_ms, text: format!("{} {who}: sleeping{till}", paint.yellow("◷")) });
        }
        StepStatus::Waiting | StepStatus::Invoking => {
            let what = step.awaits.as_ref().map(Awaited::told).unwrap_or_default();
            let at_ms = step.started_at_ms.unwrap_or(step.queued_at_ms);
            told.push(Told { at_ms, text: format!("{} {who}: waiting {what}", paint.yellow("◷")) });
        }
        StepStatus::Completed => {
            let verb = match step.op.as_str() {
                "sleep" => "slept",
                _ if step.timed_out => "waited in vain",
                "waitForEvent" | "waitForSignal" => "waited",
                _ => "completed in",
            };
            let took = step.took_ms().map(span).unwrap_or_default();
            told.push(Told { at_ms: ended_at_ms, text: format!("{} {who}: {verb} {took}", paint.green("✓")) });
        }
        StepStatus::Failed => {
            let why = step.error.as_ref().map(|error| format!(": {}", in_short(error))).unwrap_or_default();
            told.push(Told { at_ms: ended_at_ms, text: format!("{} {who}: failed for good{why}", paint.red("✗")) });
        }
        // That it will be tried again, its attempt says.
        StepStatus::Retrying | StepStatus::Other => {}
    }
}

fn of_attempt(who: &str, attempt: &Attempt, paint: Paint) -> Told {
    Told { at_ms: attempt.at_ms, text: format!("{} {who}: {}", paint.yellow("↻"), failed_attempt(attempt)) }
}

fn of_end(run: &Run, paint: Paint) -> Told {
    let standing = standing(run);
    let text = if run.is_completed() { paint.green(&standing) } else { paint.red(&standing) };
    Told { at_ms: run.ended_at_ms().unwrap_or(u64::MAX), text }
}
