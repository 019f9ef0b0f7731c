//! A run that is over, from both sides: what the server keeps of it, and what the app saw of it.

use crate::Journal;
use serde_json::Value;

/// A failing test shows no more of an output.
const OUTPUT_CHARACTERS_SHOWN: usize = 400;

/// One run, when it was over.
pub struct Finished {
    /// Its id.
    pub run: String,
    /// `GET /v1/runs/{id}`.
    pub summary: Value,
    /// Its journal.
    pub journal: Journal,
    /// The calls that the app got, in order.
    pub calls: Vec<Call>,
    /// The step bodies that ran, in order.
    pub executions: Vec<Execution>,
    /// The requests that the SDK sent to the server (JavaScript only).
    pub requests: Vec<Value>,
}

impl Finished {
    /// From the server's summary and journal and the app's record.
    pub fn new(run: &str, summary: Value, journal: Journal, seen: &Value) -> Self {
        let list = |name: &str| seen[name].as_array().cloned().unwrap_or_default();
        let calls = list("calls").into_iter().map(Call).collect();
        let executions = list("executions").iter().map(Execution::read).collect();
        Self { run: run.to_owned(), summary, journal, calls, executions, requests: list("requests") }
    }

    /// Asserts how it ended; the output.
    pub fn assert_status(&self, status: &str) -> &Value {
        assert_eq!(self.summary["status"], status, "{self:?}");
        assert!(self.summary["ended_at"].is_string(), "no end: {}", self.summary);
        &self.summary["output"]
    }

    /// Asserts that it completed; the output.
    pub fn output(&self) -> &Value {
        self.assert_status("Completed")
    }

    /// The names of the steps whose bodies ran, in order.
    pub fn executed(&self) -> Vec<&str> {
        self.executions.iter().map(|one| one.step.as_str()).collect()
    }

    /// The attempts of all calls, in order.
    pub fn attempts(&self) -> Vec<u64> {
        self.calls.iter().map(Call::attempt).collect()
    }

    /// The steps that the SDK saved by checkpoints which the server answered with 200, in order.
    pub fn checkpointed(&self) -> Vec<String> {
        let saved = self.requests.iter().filter(|one| one["status"] == 200);
        let steps = saved.flat_map(|one| one["steps"].as_array().cloned().unwrap_or_default());
        steps
            .filter(|step| step["op"] == "StepRun")
            .map(|step| step["id"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Asserts the journal, one line per entry as [`Journal::outline`] has it.
    pub fn assert_journal(&self, expected: &[&str]) {
        assert_eq!(self.journal.outline(), expected, "{self:?}");
    }
}

/// What a failing test shows: enough to see what happened, and no megabytes.
impl std::fmt::Debug for Finished {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let output: String = self.summary["output"].to_string().chars().take(OUTPUT_CHARACTERS_SHOWN).collect();
        writeln!(out, "run {} {}: {output}", self.run, self.summary["status"])?;
        writeln!(out, "journal: {:#?}", self.journal.outline())?;
        for call in &self.calls {
            let ctx = &call.0["ctx"];
            let (attempt, generation, plan) =
                (&ctx["attempt"], &ctx["generation_id"], &ctx["disable_immediate_execution"]);
            write!(
                out,
                "call {} at {}: attempt {attempt}, generation {generation}, ",
                call.0["step_id"], call.0["at_ms"]
            )?;
            writeln!(out, "plan only {plan}, {} memos -> {}", call.stack().len(), call.answered())?;
        }
        writeln!(out, "executed: {:?}", self.executions.iter().map(|one| (&one.step, one.at_ms)).collect::<Vec<_>>())?;
        write!(out, "requests of the SDK: {}", Value::from(self.requests.clone()))
    }
}

/// A call that the app got.
#[derive(Clone, Debug)]
pub struct Call(Value);

impl Call {
    /// Everything that was noted.
    pub fn seen(&self) -> &Value {
        &self.0
    }

    /// `stepId` of the query.
    pub fn step_id(&self) -> &str {
        self.0["step_id"].as_str().expect("stepId")
    }

    /// `ctx.attempt`.
    pub fn attempt(&self) -> u64 {
        self.0["ctx"]["attempt"].as_u64().expect("ctx.attempt")
    }

    /// When it came, in ms.
    pub fn at_ms(&self) -> u64 {
        self.0["at_ms"].as_u64().expect("a moment")
    }

    /// The memoized step ids that it carried.
    pub fn memoized(&self) -> Vec<&str> {
        self.0["steps"].as_object().expect("steps").keys().map(String::as_str).collect()
    }

    /// `ctx.stack.stack`.
    pub fn stack(&self) -> Vec<&str> {
        let stack = self.0["ctx"]["stack"]["stack"].as_array().expect("a stack");
        stack.iter().map(|id| id.as_str().expect("a step id")).collect()
    }

    /// The ops of the SDK's answer as `StepRun one`, or its status where it was not 206.
    pub fn answered(&self) -> String {
        let answer = &self.0["answer"];
        let Some(ops) = answer["ops"].as_array() else { return answer["status"].to_string() };
        let op = |op: &Value| format!("{} {}", op["op"].as_str().unwrap_or("?"), op["name"].as_str().unwrap_or(""));
        ops.iter().map(|one| op(one).trim_end().to_owned()).collect::<Vec<_>>().join(", ")
    }
}

/// A step's body that ran.
#[derive(Clone, Debug)]
pub struct Execution {
    /// In which run.
    pub run: String,
    /// The user's name of the step.
    pub step: String,
    /// The hash of that name.
    pub id: String,
    /// When it began, in ms.
    pub at_ms: u64,
}

impl Execution {
    /// As the app noted it.
    pub fn read(noted: &Value) -> Self {
        let text = |name: &str| noted[name].as_str().expect(name).to_owned();
        Self { run: text("run"), step: text("step"), id: text("id"), at_ms: noted["at_ms"].as_u64().expect("at_ms") }
    }
}
