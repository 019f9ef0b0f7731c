use super::*;
use crate::cli::output::Paint;

/// 2023-11-14T22:13:20Z, and `ms` later.
fn at(ms: u64) -> u64 {
    1_700_000_000_000_u64.saturating_add(ms)
}

fn timeline(status: &str, ended: Option<&str>, output: &str, rows: u64, rest: &str) -> Timeline {
    let ended = ended.map_or("null".to_owned(), |ended| format!("\"{ended}\""));
    let json = format!(
        r#"{{"run":{{"run_id":"01RUN","run_started_at":"2023-11-14T22:13:20.000Z","function_id":"uuid","function_slug":"shop-order",
            "function_version":1,"environment_id":"e","event_id":"01EVENT","status":"{status}","ended_at":{ended},"output":{output}}},
            "journal_rows":{rows},{rest}}}"#
    );
    serde_json::from_str(&json).unwrap()
}

fn step(name: &str, rest: &str) -> String {
    format!(r#"{{"id":"h-{name}","name":"{name}",{rest}}}"#)
}

fn steps(steps: &[String]) -> String {
    format!(r#""steps":[{}],"attempts":[]"#, steps.join(","))
}

fn charge_retrying() -> String {
    let attempt = format!(
        r#"{{"number":0,"at_ms":{},"error":{{"name":"Error","message":"gateway\ntimeout"}},"retry_at_ms":{}}}"#,
        at(30),
        at(1_030)
    );
    let rest =
        format!(r#""op":"run","status":"retrying","parallel":false,"queued_at_ms":{},"attempts":[{attempt}]"#, at(10));
    step("charge", &rest)
}

fn charge_completed() -> String {
    charge_retrying().replace(
        r#""status":"retrying","#,
        &format!(
            r#""status":"completed","started_at_ms":{},"ended_at_ms":{},"output":{{"ok":true}},"output_bytes":11,"#,
            at(1_030),
            at(1_042)
        ),
    )
}

fn slept(status: &str, end: &str) -> String {
    let rest = format!(
        r#""op":"sleep","status":"{status}","parallel":false,"queued_at_ms":{0},"started_at_ms":{0},"wake_at_ms":{1}{end},"attempts":[]"#,
        at(1_050),
        at(3_050)
    );
    step("pause", &rest)
}

fn parallel(name: &str, status: &str, end: &str) -> String {
    let rest =
        format!(r#""op":"run","status":"{status}","parallel":true,"queued_at_ms":{}{end},"attempts":[]"#, at(3_060));
    step(name, &rest)
}

fn ended(ms: u64) -> String {
    format!(r#","ended_at_ms":{}"#, at(ms))
}

fn whole() -> Timeline {
    let all = [
        charge_completed(),
        slept("completed", &ended(3_052)),
        parallel("send-email", "completed", &ended(3_080)),
        parallel("update-stock", "completed", &ended(3_075)),
        parallel("tell", "completed", &ended(3_090)),
    ];
    timeline("Completed", Some("2023-11-14T22:13:23.100Z"), r#"{"done":1}"#, 12, &steps(&all))
}

#[test]
fn a_run_is_drawn_with_its_attempts_its_sleep_and_its_parallel_steps() {
    let expected = "\
shop-order   Completed in 3.1 s
run 01RUN   started 2023-11-14T22:13:20.000Z   event 01EVENT

   ✓ charge        run    12 ms  2 attempts  → {\"ok\":true}
       attempt 1 failed: Error: gateway timeout; retry in 1 s
   ✓ pause         sleep  2 s
 ┌ ✓ send-email    run    20 ms
 │ ✓ update-stock  run    15 ms
 └ ✓ tell          run    30 ms

result {\"done\":1}";
    assert_eq!(draw(&whole(), Paint::Plain).join("\n"), expected);
}

#[test]
fn colours_change_nothing_but_colours() {
    let colored = draw(&whole(), Paint::Ansi).join("\n");
    let mut plain = String::new();
    let mut rest = colored.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    plain.push_str(rest);
    assert_ne!(colored, plain);
    assert_eq!(plain, draw(&whole(), Paint::Plain).join("\n"));
}

#[test]
fn a_run_under_way_shows_what_each_step_waits_for() {
    let all = [charge_retrying(), slept("sleeping", ""), parallel("a", "planned", ""), parallel("b", "dreaming", "")];
    let drawn = draw(&timeline("Running", None, "null", 5, &steps(&all)), Paint::Plain).join("\n");
    let expected = "\
shop-order   Running
run 01RUN   started 2023-11-14T22:13:20.000Z   event 01EVENT

   ↻ charge  run
       attempt 1 failed: Error: gateway timeout; retry in 1 s
   ◷ pause   sleep  till 2023-11-14T22:13:23Z
 ┌ ○ a       run    waiting for its call
 └ ○ b       run";
    assert_eq!(drawn, expected);
}

/// A step that waits.
fn waiting(name: &str, op: &str, status: &str, awaits: &str, rest: &str) -> String {
    let rest = format!(
        r#""op":"{op}","status":"{status}","queued_at_ms":{0},"started_at_ms":{0},"wake_at_ms":{1},"awaits":{awaits}{rest}"#,
        at(1_000),
        at(3_052)
    );
    step(name, &rest)
}

#[test]
fn a_wait_says_what_for_and_whether_it_came() {
    let event = r#"{"event":{"name":"shop/paid","if":"async.data.id == 7"}}"#;
    let run = r#"{"run":{"function":"shop-ship"}}"#;
    let came = r#"{"run":{"function":"shop-ship","id":"01CHILD"}}"#;
    let vain = format!(r#","timed_out":true{}"#, ended(3_052));
    let all = [
        waiting("paid", "waitForEvent", "waiting", event, ""),
        waiting("ship", "invoke", "invoking", run, ""),
        waiting("late", "waitForEvent", "completed", event, &vain),
        waiting("done", "invoke", "completed", came, &ended(2_000)),
    ];
    let drawn = draw(&timeline("Running", None, "null", 5, &steps(&all)), Paint::Plain).join("\n");
    let lines: Vec<_> = drawn.lines().skip(3).map(str::trim_end).collect();
    assert_eq!(
        lines[0],
        "   ◷ paid  waitForEvent          for shop/paid if async.data.id == 7  till 2023-11-14T22:13:23Z"
    );
    assert_eq!(lines[1], "   ◷ ship  invoke                for shop-ship  till 2023-11-14T22:13:23Z");
    assert_eq!(lines[2], "   ✓ late  waitForEvent  2.05 s  waited for shop/paid if async.data.id == 7 in vain");
    let told = news(None, &timeline("Running", None, "null", 5, &steps(&all)), Paint::Plain).join("\n");
    assert!(told.contains("◷ paid: waiting for shop/paid if async.data.id == 7"), "{told}");
    assert!(told.contains("✓ late: waited in vain 2.05 s"), "{told}");
}

#[test]
fn a_failed_run_shows_the_error_and_where_it_was_thrown() {
    let rest = format!(
        r#""op":"run","status":"failed","parallel":false,"queued_at_ms":{},"ended_at_ms":{},"attempts":[],
           "error":{{"name":"NonRetriableError","message":"no such order"}}"#,
        at(10),
        at(25)
    );
    let attempts = format!(
        r#""steps":[{}],"attempts":[{{"number":0,"at_ms":{},"error":{{"name":"","message":"down","code":"http_unreachable"}}}}]"#,
        step("charge", &rest),
        at(30)
    );
    let output = r#"{"name":"Error","message":"down","stack":"Error: down\n    at charge (order.ts:7)"}"#;
    let drawn =
        draw(&timeline("Failed", Some("2023-11-14T22:13:20.030Z"), output, 3, &attempts), Paint::Plain).join("\n");
    let expected = "\
shop-order   Failed after 30 ms
run 01RUN   started 2023-11-14T22:13:20.000Z   event 01EVENT

   ✗ charge  run  15 ms
       attempt 1 failed for good: NonRetriableError: no such order
   ✗ function: attempt 1 failed for good: down

error Error: down
      at charge (order.ts:7)";
    assert_eq!(drawn, expected);
}

#[test]
fn a_run_without_steps_is_drawn() {
    let drawn =
        draw(&timeline("Completed", Some("2023-11-14T22:13:20.007Z"), "null", 2, &steps(&[])), Paint::Plain).join("\n");
    let expected = "\
shop-order   Completed in 7 ms
run 01RUN   started 2023-11-14T22:13:20.000Z   event 01EVENT";
    assert_eq!(drawn, expected);
}

#[test]
fn what_happened_is_told_once_and_in_order() {
    let looks = [
        timeline("Scheduled", None, "null", 1, &steps(&[])),
        timeline("Running", None, "null", 2, &steps(&[charge_retrying()])),
        timeline("Running", None, "null", 4, &steps(&[charge_completed(), slept("sleeping", "")])),
        timeline(
            "Running",
            None,
            "null",
            6,
            &steps(&[
                charge_completed(),
                slept("completed", &ended(3_052)),
                parallel("send-email", "planned", ""),
                parallel("update-stock", "planned", ""),
                parallel("tell", "planned", ""),
            ]),
        ),
        whole(),
    ];
    let mut told = news(None, &looks[0], Paint::Plain);
    for pair in looks.windows(2) {
        told.extend(news(Some(&pair[0]), &pair[1], Paint::Plain));
    }
    let expected = "\
+0 ms     shop-order run 01RUN
+30 ms    ↻ charge: attempt 1 failed: Error: gateway timeout; retry in 1 s
+1.04 s   ✓ charge: completed in 12 ms
+1.05 s   ◷ pause: sleeping till 2023-11-14T22:13:23Z
+3.05 s   ✓ pause: slept 2 s
+3.06 s   ○ send-email: queued
+3.06 s   ○ update-stock: queued
+3.06 s   ○ tell: queued
+3.07 s   ✓ update-stock: completed in 15 ms
+3.08 s   ✓ send-email: completed in 20 ms
+3.09 s   ✓ tell: completed in 30 ms
+3.1 s    Completed in 3.1 s";
    assert_eq!(told.join("\n"), expected);
    assert_eq!(news(Some(&looks[4]), &whole(), Paint::Plain), [""; 0]);
}

#[test]
fn whoever_comes_late_is_told_everything() {
    let told = news(None, &whole(), Paint::Plain);
    assert_eq!(told.len(), 8);
    assert_eq!(told.last().unwrap(), "+3.1 s    Completed in 3.1 s");
}
