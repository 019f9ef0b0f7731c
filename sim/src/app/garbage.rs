//! Answers that no SDK gives.

use super::wire;
use crate::dice::Dice;
use std::fmt::Write as _;
use stepwell_engine::turn::AppAnswer;

/// Ops of an answer that is refused for their number: one more than the server takes.
const OPS_TOO_MANY: usize = 1_001;
/// How deep the deepest answer nests.
const DEPTH: usize = 5_000;

/// What an answer costs that cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// The attempt.
    Attempt,
    /// The run: trying again would not help.
    Run,
}

/// Answers that cost an attempt: each is a status, whether an SDK gave it, and a body.
const ATTEMPT: &[(u16, bool, &str)] = &[
    (206, true, "[{"),
    (206, true, "\u{fffd}\u{0}"),
    (206, true, "null"),
    (206, true, "7"),
    (206, true, "\"ops\""),
    (206, true, "[[]]"),
    (206, true, "[null]"),
    (206, true, "[{}]"),
    (206, true, r#"[{"op":"StepRun"}]"#),
    (206, true, r#"[{"op":"StepRun","id":""}]"#),
    (206, true, r#"[{"op":"StepRun","id":7,"data":1}]"#),
    (206, true, r#"[{"op":["StepRun"],"id":"a","data":1}]"#),
    (206, true, r#"[{"op":"steprun","id":"a","data":1}]"#),
    (206, true, r#"[{"op":"StepUndone","id":"a"}]"#),
    (200, true, "{\"open\":"),
    (200, true, "<html>"),
    (200, false, "{\"a\":\"login page\"}"),
    (201, true, "{"),
    (201, true, r#"{"status":206,"headers":{},"body":"[{"}"#),
    (204, false, ""),
    (302, true, ""),
    (418, true, ""),
    (500, true, "{\"name\":7,\"message\":[]}"),
    (503, false, "no healthy upstream"),
];

/// Answers that cost the run.
const RUN: &[&str] = &[
    r#"[{"op":"Sleep","id":"s","name":"soon"}]"#,
    r#"[{"op":"Sleep","id":"s","name":"9999d"}]"#,
    r#"{"op":"DeferAbort","id":"d"}"#,
];

/// An answer that costs no more than an attempt.
pub fn of_attempt(dice: &mut Dice) -> AppAnswer {
    if dice.chance(20) {
        return wire::answer(206, 2, &[], format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH)));
    }
    let (status, is_sdk, body) = dice.pick(ATTEMPT).copied().unwrap_or((500, false, ""));
    let whole = wire::answer(status, 2, &[], body.to_owned());
    if is_sdk { whole } else { AppAnswer { headers: Vec::new(), ..whole } }
}

/// An answer that costs the run.
pub fn of_run(dice: &mut Dice) -> AppAnswer {
    if dice.chance(100) {
        let mut ops = String::from("[");
        for number in 0..OPS_TOO_MANY {
            let separator = if number == 0 { "" } else { "," };
            // Writing to a string does not fail.
            let _ = write!(ops, "{separator}{{\"op\":\"StepPlanned\",\"id\":\"s{number}\"}}");
        }
        ops.push(']');
        return wire::answer(206, 2, &[], ops);
    }
    let body = dice.pick(RUN).copied().unwrap_or_default();
    wire::answer(206, 2, &[], body.to_owned())
}
