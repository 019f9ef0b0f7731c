//! A run's journal, as the API shows it.

use serde_json::Value;
use std::collections::HashMap;

/// The entries, in order.
#[derive(Clone, Debug)]
pub struct Journal(Vec<Value>);

impl Journal {
    /// From the answer of the API.
    pub fn new(rows: Value) -> Self {
        Self(rows.as_array().expect("a list of entries").clone())
    }

    /// How many entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Step id → (when it was decided in ms, the recorded result), the first result of each step.
    pub fn results(&self) -> HashMap<String, (u64, Value)> {
        let mut results = HashMap::new();
        for row in &self.0 {
            let at_ms = row["at_ms"].as_u64().expect("a moment");
            let (_, entry) = entry_of(row);
            for step in entry["steps"].as_array().into_iter().flatten().filter(|step| step.is_object()) {
                let what = &step["what"];
                let result = ["Ran", "Stored", "Failed"].into_iter().find_map(|kind| what.get(kind));
                if let Some(result) = result {
                    results.entry(text(&step["id"])).or_insert_with(|| (at_ms, result.clone()));
                }
            }
        }
        results
    }

    /// Whether `earlier` is where this journal began.
    pub fn continues(&self, earlier: &Self) -> bool {
        self.0.starts_with(&earlier.0)
    }

    /// One line per entry, for people and for tests:
    /// `started`, `saved a, b`, `ran a`, `planned a, planned b`, `slept nap`, `waits w`, `invoked i`, `woke nap`, `resumed w`, `failed a`,
    /// `retry <message>`, `complete`, `fail <message>`, `cancelled`, `skipped`; an entry that says several things has them divided by commas.
    pub fn outline(&self) -> Vec<String> {
        let mut names = HashMap::new();
        self.0.iter().map(|row| line(row, &mut names)).collect()
    }
}

fn line(row: &Value, names: &mut HashMap<String, String>) -> String {
    let (kind, entry) = entry_of(row);
    let steps = || entry["steps"].as_array().into_iter().flatten();
    match kind {
        "Started" => "started".to_owned(),
        "Cancelled" => "cancelled".to_owned(),
        "Skipped" => "skipped".to_owned(),
        "Resumed" => format!("resumed {}", names[&text(&entry["step"])]),
        "Redispatched" => "sent again".to_owned(),
        "Began" => "began".to_owned(),
        "GivenUp" => format!("given up {}", text(&entry["problem"]["message"])),
        "Woken" => steps().map(|id| format!("woke {}", names[&text(id)])).collect::<Vec<_>>().join(", "),
        "Checkpointed" => {
            let saved: Vec<_> = steps().map(|step| name(step, names)).collect();
            format!("saved {}", saved.join(", "))
        }
        "Answered" => {
            let mut parts: Vec<_> =
                steps().map(|step| format!("{} {}", verb(&step["what"]), name(step, names))).collect();
            let then = &entry["then"];
            if let Some(complete) = then.get("Complete") {
                assert!(complete.get("output").is_some(), "no output: {row}");
                parts.push("complete".to_owned());
            } else if let Some(retry) = then.get("Retry") {
                parts.push(format!("retry {}", text(&retry["problem"]["message"])));
            } else if let Some(fail) = then.get("Fail") {
                parts.push(format!("fail {}", text(&fail["problem"]["message"])));
            }
            parts.join(", ")
        }
        other => panic!("an unknown entry: {other}"),
    }
}

/// The step's name, which is remembered for entries that give its id alone.
fn name(step: &Value, names: &mut HashMap<String, String>) -> String {
    let name = text(&step["name"]);
    names.insert(text(&step["id"]), name.clone());
    name
}

fn verb(what: &Value) -> &'static str {
    let verbs = [
        ("Ran", "ran"),
        ("Stored", "stored"),
        ("Failed", "failed"),
        ("Planned", "planned"),
        ("Slept", "slept"),
        ("Waited", "waits"),
        ("AwaitedSignal", "waits"),
        ("Invoked", "invoked"),
    ];
    verbs.into_iter().find(|(kind, _)| what.get(kind).is_some()).map_or("asked for", |(_, verb)| verb)
}

fn entry_of(row: &Value) -> (&str, &Value) {
    let entry = row["entry"].as_object().unwrap_or_else(|| panic!("not a journal entry: {row}"));
    let (kind, entry) = entry.iter().next().expect("a tagged entry");
    (kind, entry)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
