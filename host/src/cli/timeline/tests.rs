use super::*;
use serde_json::json;

fn drawn(answer: &Value, now_ms: u64) -> Vec<String> {
    Timeline::of(answer).draw(Paint(false), now_ms).lines().map(str::to_owned).collect()
}

fn completed() -> Value {
    json!({ "data": {
        "run": { "run_id": "01J", "status": "Completed", "function_slug": "shop-checkout",
                 "run_started_at": "1970-01-01T00:00:01.000Z", "ended_at": "1970-01-01T00:00:05.100Z", "output": {"ok": true} },
        "journal_rows": 9,
        "steps": [
            { "name": "charge card", "op": "run", "status": "completed", "queued_at_ms": 1_020, "started_at_ms": 1_020,
              "ended_at_ms": 2_120, "parallel": false, "attempts": [
                { "number": 0, "at_ms": 1_120, "error": { "name": "Error", "message": "gateway\ntimeout" }, "retry_at_ms": 2_120 } ] },
            { "name": "rest", "op": "sleep", "status": "completed", "queued_at_ms": 2_120, "ended_at_ms": 4_120 },
            { "name": "mail", "op": "run", "status": "completed", "queued_at_ms": 4_120, "ended_at_ms": 4_160, "parallel": true },
            { "name": "search", "op": "run", "status": "completed", "queued_at_ms": 4_120, "ended_at_ms": 5_000, "parallel": true },
        ],
        "attempts": [],
    }})
}

#[test]
fn a_completed_run_shows_steps_retries_sleeps_parallel_steps_and_its_result() {
    assert_eq!(
        drawn(&completed(), 0),
        [
            "shop-checkout  01J  Completed  in 4.1 s",
            "",
            "●  charge card    +20 ms     1.1 s  2nd attempt",
            "   ✗ 1st  Error: gateway timeout   again after 1.0 s",
            "◷  rest           +1.1 s     2.0 s  slept",
            "├ ●  mail           +3.1 s     40 ms",
            "└ ●  search         +3.1 s    880 ms",
            "",
            "→  {\"ok\":true}",
        ]
    );
}

#[test]
fn what_is_under_way_tells_how_long_it_will_take() {
    let answer = json!({ "data": {
        "run": { "run_id": "01J", "status": "Running", "function_slug": "f", "run_started_at": "1970-01-01T00:00:00Z" },
        "steps": [
            { "name": "nap", "op": "sleep", "status": "sleeping", "queued_at_ms": 0, "wake_at_ms": 5_000 },
            { "name": "try", "status": "retrying", "queued_at_ms": 0,
              "attempts": [{ "number": 0, "at_ms": 10, "error": { "message": "no" }, "retry_at_ms": 3_000 }] },
            { "name": "next", "status": "planned", "queued_at_ms": 0 },
        ],
    }});
    let lines = drawn(&answer, 1_000).join("\n");
    assert!(lines.contains("Running  for 1.0 s"), "{lines}");
    assert!(lines.contains("sleeping, 4.0 s left"), "{lines}");
    assert!(lines.contains("again in 2.0 s"), "{lines}");
    assert!(lines.contains("○  next"), "{lines}");
    assert!(!lines.contains('→'), "{lines}");
}

#[test]
fn a_failed_run_shows_its_error_and_the_attempts_of_the_function() {
    let answer = json!({ "data": {
        "run": { "status": "Failed", "output": { "name": "Error", "message": "boom" } },
        "attempts": [{ "number": 1, "at_ms": 5, "error": { "name": "http_unreachable", "message": "nobody there" } }],
    }});
    let timeline = Timeline::of(&answer);
    assert!(timeline.is_over() && !timeline.is_completed());
    let lines = drawn(&answer, 0).join("\n");
    assert!(lines.contains("✗ function 2nd  http_unreachable: nobody there"), "{lines}");
    assert!(lines.ends_with("✗  Error: boom"), "{lines}");
}

#[test]
fn an_answer_with_nothing_in_it_is_drawn_all_the_same() {
    for answer in [json!(null), json!({}), json!({ "data": { "steps": [{}, 7], "attempts": [null], "run": {} } })] {
        assert!(!Timeline::of(&answer).is_over());
        assert!(!drawn(&answer, 0).is_empty());
    }
}

#[test]
fn long_and_hostile_texts_are_cut_and_cannot_steer_the_terminal() {
    let shown = cut(&format!("\x1b[2J{}", "x".repeat(1_000)));
    assert_eq!(shown.chars().count(), TEXT_CHARACTERS_MAX + 1);
    assert!(!shown.contains('\x1b'));
}

#[test]
fn colour_is_only_used_where_it_is_wanted() {
    assert!(!Timeline::of(&completed()).draw(Paint(false), 0).contains('\x1b'));
    assert!(Timeline::of(&completed()).draw(Paint(true), 0).contains("\x1b[32m"));
}
