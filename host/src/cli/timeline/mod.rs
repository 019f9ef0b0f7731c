//! A run as people read it: a line for each step, its failed attempts below it, the result at the end.
//!
//! ```text
//! shop-checkout  01JD…  Completed  in 4.1 s
//!
//! ●  reserve stock           +4 ms       12 ms
//! ●  charge card             +20 ms     1.1 s   2nd attempt
//! │    ✗ 1st  Error: gateway timeout            again after 1.0 s
//! ◷  wait a little           +1.2 s     2.0 s   slept
//! ├ ●  send mail             +3.2 s      40 ms
//! └ ●  update search         +3.2 s     800 ms
//!
//! →  {"ok":true}
//! ```

mod paint;
mod time;

pub use paint::Paint;
pub use time::{ago, span};

use serde_json::Value;
use std::fmt::Write as _;

/// Names wider than this are not lined up with the others.
const NAME_WIDTH_MAX: usize = 40;
/// Results and errors are cut here; `--json` tells all.
const TEXT_CHARACTERS_MAX: usize = 200;

/// What `GET /v1/runs/{id}/timeline` answers. Nothing in it is taken for granted.
pub struct Timeline<'a> {
    run: Option<&'a Value>,
    steps: Vec<Step<'a>>,
    attempts: Vec<Attempt<'a>>,
    /// How many rows the run's journal has: what to wait beyond for news.
    pub journal_rows: u64,
}

struct Step<'a> {
    name: &'a str,
    status: &'a str,
    is_sleep: bool,
    parallel: bool,
    queued_at: Option<u64>,
    started_at: Option<u64>,
    ended_at: Option<u64>,
    wake_at: Option<u64>,
    attempts: Vec<Attempt<'a>>,
    error: Option<String>,
}

struct Attempt<'a> {
    number: u64,
    at: Option<u64>,
    error: Option<&'a Value>,
    retry_at: Option<u64>,
}

impl<'a> Timeline<'a> {
    /// Reads an answer of the server.
    #[must_use]
    pub fn of(answer: &'a Value) -> Self {
        let data = answer.get("data").unwrap_or(answer);
        Self {
            run: data.get("run"),
            steps: list(data, "steps").iter().map(Step::of).collect(),
            attempts: list(data, "attempts").iter().map(Attempt::of).collect(),
            journal_rows: number(data, "journal_rows").unwrap_or(0),
        }
    }

    /// Nothing more will happen.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.status(), "Completed" | "Failed" | "Cancelled" | "Skipped")
    }

    /// It ended well.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.status() == "Completed"
    }

    /// The drawing, each line ended. `now_ms` is used for what is not over.
    #[must_use]
    pub fn draw(&self, paint: Paint, now_ms: u64) -> String {
        let mut out = String::new();
        let began = self.began();
        self.draw_head(&mut out, paint, began, now_ms);
        let width = self.steps.iter().map(|step| step.name.chars().count()).filter(|w| *w <= NAME_WIDTH_MAX).max();
        let brackets = brackets(&self.steps);
        for (step, bracket) in self.steps.iter().zip(brackets) {
            step.draw(&mut out, paint, bracket, width.unwrap_or(0), began, now_ms);
        }
        for attempt in &self.attempts {
            attempt.draw(&mut out, paint, "", "function ");
        }
        self.draw_result(&mut out, paint);
        out
    }

    fn draw_head(&self, out: &mut String, paint: Paint, began: Option<u64>, now_ms: u64) {
        let name = self.run_text("function_slug").or_else(|| self.run_text("function_id")).unwrap_or("run");
        let ended = self.run.and_then(|run| time::moment(run.get("ended_at")?));
        let took = began.map(|began| span(ended.unwrap_or(now_ms).saturating_sub(began)));
        let verb = if self.is_over() { "in" } else { "for" };
        let took = took.map(|took| format!("  {verb} {took}")).unwrap_or_default();
        line(
            out,
            &format!(
                "{}  {}  {}{took}",
                paint.bold(name),
                paint.dim(self.run_text("run_id").unwrap_or("?")),
                paint.status(self.status()),
            ),
        );
        line(out, "");
    }

    fn draw_result(&self, out: &mut String, paint: Paint) {
        if !self.is_over() {
            return;
        }
        let output = self.run.and_then(|run| run.get("output")).filter(|output| !output.is_null());
        line(out, "");
        match output {
            Some(error) if self.status() == "Failed" => {
                line(out, &format!("{}  {}", paint.bad("✗"), error_text(error)))
            }
            Some(output) => line(out, &format!("{}  {}", paint.good("→"), cut(&output.to_string()))),
            None => line(out, &format!("{}  {}", paint.good("→"), paint.dim("no result"))),
        }
    }

    /// When the run began, or else the first thing that is known of it.
    fn began(&self) -> Option<u64> {
        let told = self.run.and_then(|run| time::moment(run.get("run_started_at")?));
        told.or_else(|| self.steps.iter().filter_map(|step| step.queued_at.or(step.started_at)).min())
    }

    fn status(&self) -> &'a str {
        self.run_text("status").unwrap_or("?")
    }

    fn run_text(&self, name: &str) -> Option<&'a str> {
        self.run.and_then(|run| text(run, name))
    }
}

impl<'a> Step<'a> {
    fn of(step: &'a Value) -> Self {
        let op = text(step, "op").unwrap_or_default();
        Self {
            name: text(step, "name").or_else(|| text(step, "id")).unwrap_or("?"),
            status: text(step, "status").unwrap_or("?"),
            is_sleep: op.eq_ignore_ascii_case("sleep"),
            parallel: step.get("parallel").and_then(Value::as_bool).unwrap_or(false),
            queued_at: number(step, "queued_at_ms"),
            started_at: number(step, "started_at_ms"),
            ended_at: number(step, "ended_at_ms"),
            wake_at: number(step, "wake_at_ms"),
            attempts: list(step, "attempts").iter().map(Attempt::of).collect(),
            error: step.get("error").filter(|error| !error.is_null()).map(error_text),
        }
    }

    fn draw(&self, out: &mut String, paint: Paint, bracket: Bracket, width: usize, began: Option<u64>, now_ms: u64) {
        let start = self.started_at.or(self.queued_at);
        let offset = began.zip(start).map(|(began, start)| format!("+{}", span(start.saturating_sub(began))));
        let took = start.map(|start| span(self.ended_at.unwrap_or(now_ms).saturating_sub(start)));
        let padding = " ".repeat(width.saturating_sub(self.name.chars().count()));
        line(
            out,
            &format!(
                "{}{}  {}{padding}  {}  {:>8}  {}",
                paint.dim(bracket.first()),
                self.mark(paint),
                self.name,
                paint.dim(&format!("{:>8}", offset.unwrap_or_default())),
                took.filter(|_| self.status != "planned").unwrap_or_default(),
                self.note(paint, now_ms),
            ),
        );
        for attempt in &self.attempts {
            attempt.draw(out, paint, bracket.further(), "");
        }
        if let Some(error) = self.error.as_ref().filter(|_| self.attempts.is_empty()) {
            line(out, &format!("{}   {} {error}", paint.dim(bracket.further()), paint.bad("✗")));
        }
    }

    fn mark(&self, paint: Paint) -> String {
        match self.status {
            "completed" if self.is_sleep => paint.good("◷"),
            "completed" => paint.good("●"),
            "failed" => paint.bad("✗"),
            "retrying" => paint.warn("↻"),
            "sleeping" => paint.warn("◷"),
            "running" => paint.warn("◌"),
            _ => paint.dim("○"),
        }
    }

    fn note(&self, paint: Paint, now_ms: u64) -> String {
        let left = |at: Option<u64>| at.map(|at| span(at.saturating_sub(now_ms))).unwrap_or_default();
        let tries = self.attempts.len();
        match self.status {
            "sleeping" => paint.warn(&format!("sleeping, {} left", left(self.wake_at))),
            "retrying" => {
                let next = self.attempts.last().and_then(|attempt| attempt.retry_at);
                paint.warn(&format!("again in {}", left(next)))
            }
            "planned" => paint.dim("planned"),
            "running" => paint.warn("running"),
            "failed" => paint.bad(&format!("failed after {}", count(tries.max(1), "attempt"))),
            _ if self.is_sleep => paint.dim("slept"),
            _ if tries > 0 => {
                paint.good(&format!("{} attempt", ordinal(u64::try_from(tries).unwrap_or(0).saturating_add(1))))
            }
            _ => String::new(),
        }
    }
}

impl<'a> Attempt<'a> {
    fn of(attempt: &'a Value) -> Self {
        Self {
            number: number(attempt, "number").unwrap_or(0),
            at: number(attempt, "at_ms"),
            error: attempt.get("error").filter(|error| !error.is_null()),
            retry_at: number(attempt, "retry_at_ms"),
        }
    }

    fn draw(&self, out: &mut String, paint: Paint, indent: &str, whose: &str) {
        let error = self.error.map(error_text).unwrap_or_default();
        let again =
            self.at.zip(self.retry_at).map(|(at, again)| format!("   again after {}", span(again.saturating_sub(at))));
        line(
            out,
            &format!(
                "{}   {} {whose}{}  {error}{}",
                paint.dim(indent),
                paint.bad("✗"),
                paint.dim(&ordinal(self.number.saturating_add(1))),
                paint.dim(&again.unwrap_or_default()),
            ),
        );
    }
}

/// Where a step stands among those that were found together with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bracket {
    None,
    Inner,
    Last,
}

impl Bracket {
    const fn first(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Inner => "├ ",
            Self::Last => "└ ",
        }
    }

    const fn further(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Inner => "│ ",
            Self::Last => "  ",
        }
    }
}

fn brackets(steps: &[Step<'_>]) -> Vec<Bracket> {
    let mut brackets: Vec<Bracket> = Vec::with_capacity(steps.len());
    for (at, step) in steps.iter().enumerate() {
        let next_too = steps.get(at.saturating_add(1)).is_some_and(|next| next.parallel);
        brackets.push(match (step.parallel, next_too) {
            (false, _) => Bracket::None,
            (true, true) => Bracket::Inner,
            (true, false) => Bracket::Last,
        });
    }
    brackets
}

fn line(out: &mut String, text: &str) {
    // Writing to a String does not fail.
    let _ = writeln!(out, "{}", text.trim_end());
}

fn text<'a>(of: &'a Value, name: &str) -> Option<&'a str> {
    of.get(name).and_then(Value::as_str)
}

fn number(of: &Value, name: &str) -> Option<u64> {
    of.get(name).and_then(Value::as_u64)
}

fn list<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn error_text(error: &Value) -> String {
    let message = text(error, "message").or_else(|| error.as_str());
    match (text(error, "name"), message) {
        (Some(name), Some(message)) => cut(&format!("{name}: {message}")),
        (Some(only), None) | (None, Some(only)) => cut(only),
        (None, None) => cut(&error.to_string()),
    }
}

/// One line, not too long, and nothing in it that a terminal would obey.
fn cut(text: &str) -> String {
    let mut shown: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TEXT_CHARACTERS_MAX).collect();
    if text.chars().count() > TEXT_CHARACTERS_MAX {
        shown.push('…');
    }
    shown
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

fn ordinal(n: u64) -> String {
    let suffix = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{n}{suffix}")
}

#[cfg(test)]
mod tests;
