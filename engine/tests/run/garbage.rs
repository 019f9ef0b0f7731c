//! Whatever an app says, a run neither panics nor is lost: it ends, or has something under way.

use crate::driver::{Driver, raw};
use proptest::prelude::*;
use serde_json::{Value, json};
use stepwell_engine::run::message::Ask;
use stepwell_engine::turn::AppAnswer;

/// JSON that looks like ops, with wrong types in places.
fn near_ops() -> impl Strategy<Value = Value> {
    let op = prop::sample::select(vec![
        json!("StepRun"),
        json!("Step"),
        json!("StepPlanned"),
        json!("StepError"),
        json!("StepFailed"),
        json!("Sleep"),
        json!("RunComplete"),
        json!("DiscoveryRequest"),
        json!("None"),
        json!("InvokeFunction"),
        json!("WaitForEvent"),
        json!("WaitForSignal"),
        json!("DeferAdd"),
        json!("DeferAbort"),
        json!("Gateway"),
        json!("AIGateway"),
        json!("Dance"),
        json!(7),
        json!(null),
    ]);
    let id = prop::sample::select(vec![json!("a"), json!("b"), json!("c"), json!(""), json!(3), json!(null)]);
    let odd = prop::sample::select(vec![
        json!(null),
        json!("1s"),
        json!("soon"),
        json!(-1),
        json!({"name": 1}),
        json!([[]]),
        json!("2026-11-22T04:13:32Z"),
        json!({"timeout": 1, "if": 2}),
        json!({"event": "t/x", "timeout": "1h"}),
        json!({"function_id": "app-fn", "fn_slug": "app-fn", "id": "a", "target_hashed_id": "a"}),
        json!({"url": "https://a.example/", "method": "GET", "format": "openai-chat"}),
    ]);
    let one = (op, id, odd.clone(), odd.clone(), odd).prop_map(|(op, id, name, data, opts)| {
        json!({"op": op, "id": id, "name": name, "data": data, "error": data, "opts": opts, "timing": opts})
    });
    prop::collection::vec(one, 0..5).prop_map(Value::Array)
}

fn is_alive_or_over(run: &mut Driver) -> bool {
    let over = ["Completed", "Failed", "Cancelled"].contains(&run.status().as_str());
    over != (run.owing || run.wake_at.is_some())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_are_an_answer(
        status in prop::sample::select(vec![200_u16, 201, 204, 206, 302, 400, 401, 500, 503, 999]),
        body in prop::collection::vec(any::<u8>(), 0..200),
        sdk: bool,
    ) {
        let (mut run, call) = Driver::started();
        let headers = if sdk { vec![("x-inngest-sdk".to_owned(), "js".to_owned())] } else { Vec::new() };
        run.answer_raw(&call, Ok(AppAnswer { status, headers, body }));
        prop_assert!(is_alive_or_over(&mut run));
    }

    #[test]
    fn any_sequence_of_odd_ops_leaves_the_run_alive_or_over(
        answers in prop::collection::vec((near_ops(), prop::sample::select(vec!["1", "2", "x"]), any::<bool>()), 1..8),
    ) {
        let (mut run, first) = Driver::started_with(2);
        let mut open = vec![first];
        for (ops, version, crash) in answers {
            if crash {
                open.clear();
                run.crash();
            } else if !open.is_empty() {
                let call = open.remove(0);
                run.ops_of(version, &call, &ops);
            }
            open.extend(run.calls());
            if open.is_empty() && run.wake_at.is_some() {
                run.pass_till_woken();
                open.extend(run.calls());
            }
            prop_assert!(is_alive_or_over(&mut run));
        }
        run.ask(&Ask::Timeline);
    }

    #[test]
    fn any_json_is_a_checkpoint(steps in near_ops(), whole in any::<bool>()) {
        let (mut run, call) = Driver::started();
        if whole {
            run.checkpoint(&call, &steps);
        } else {
            run.ask(&Ask::Checkpoint(raw(&steps.to_string())));
        }
        prop_assert!(is_alive_or_over(&mut run));
    }
}
