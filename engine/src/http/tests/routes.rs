//! Which request asks whom what.

use super::{Desk, NOW, RUN, asked, assert_refused, get, header, json, request, responded, told, with};
use crate::error::{Code, Refusal};
use crate::http::{AskFailure, Progress, refuse};
use crate::ids::RunId;
use crate::limits::{SIGNAL_NAME_BYTES_MAX, STEP_OUTPUT_BYTES_MAX};
use crate::turn::{ActorKind, Address};
use crate::waits::place::signal_actor_key;
use serde_json::{Value, json};

#[test]
fn each_endpoint_asks_its_actor() {
    let run = Address::run(RunId::parse(RUN).unwrap());
    let cases = [
        ("GET", "/dev", "", Address::catalog(), json!("Overview")),
        ("POST", "/fn/register", r#"{"appName":"a"}"#, Address::catalog(), register(None)),
        ("PUT", "/fn/register?deployId=d1", r#"{"appName":"a"}"#, Address::catalog(), register(Some("d1"))),
        ("DELETE", "/fn/remove?url=http%3A%2F%2Fx", "", Address::catalog(), json!({"RemoveUrl": {"url": "http://x"}})),
        ("POST", "/fn/sync", "", Address::catalog(), json!({"Sync": {"url": null, "only_failed": false}})),
        (
            "POST",
            "/fn/sync",
            r#"{"url":"http://x","only_failed":true}"#,
            Address::catalog(),
            json!({"Sync": {"url": "http://x", "only_failed": true}}),
        ),
        ("GET", "/v1/apps/my%20app/functions", "", Address::catalog(), json!({"Functions": {"app": "my app"}})),
        (
            "GET",
            "/v1/events",
            "",
            Address::new(ActorKind::Stream, "0"),
            json!({"List": {"limit": 20, "before": null, "name": null}}),
        ),
        (
            "GET",
            &format!("/v1/events?limit=100&cursor={RUN}&name=a%2Fb"),
            "",
            Address::new(ActorKind::Stream, "0"),
            json!({"List": {"limit": 100, "before": RUN, "name": "a/b"}}),
        ),
        ("GET", &format!("/v1/events/{RUN}"), "", Address::new(ActorKind::Stream, "0"), json!({"Event": RUN})),
        (
            "GET",
            &format!("/v1/events/{RUN}/runs/"),
            "",
            Address::new(ActorKind::Stream, "0"),
            json!({"EventRuns": RUN}),
        ),
        (
            "GET",
            "/v1/runs?limit=1",
            "",
            Address::new(ActorKind::History, "0"),
            json!({"Runs": {"limit": 1, "before": null}}),
        ),
        (
            "GET",
            &format!("/v1/runs?cursor={RUN}"),
            "",
            Address::new(ActorKind::History, "0"),
            json!({"Runs": {"limit": 20, "before": RUN}}),
        ),
        ("GET", &format!("/v1/runs/{RUN}"), "", run.clone(), json!("Summary")),
        ("HEAD", &format!("/v1/runs/{RUN}"), "", run.clone(), json!("Summary")),
        ("GET", &format!("/v1/runs/{RUN}/timeline"), "", run.clone(), json!("Timeline")),
        ("GET", &format!("/v1/runs/{RUN}/journal"), "", run.clone(), json!("Journal")),
        ("DELETE", &format!("/v1/runs/{RUN}"), "", run.clone(), json!("Cancel")),
        ("DELETE", &format!("/v0/runs/{RUN}"), "", run.clone(), json!("Cancel")),
        (
            "POST",
            "/v1/signals",
            r#"{"signal":"go","data":[1]}"#,
            Address::waits(&signal_actor_key("go")),
            json!({"Signal": {"signal": "go", "data": [1]}}),
        ),
        ("GET", "/v1/cancellations", "", Address::new(ActorKind::History, "0"), json!("Cancellations")),
        (
            "DELETE",
            &format!("/v1/cancellations/{RUN}"),
            "",
            Address::new(ActorKind::History, "0"),
            json!({"ForgetCancellation": RUN}),
        ),
        ("GET", &format!("/v0/runs/{RUN}/actions"), "", run.clone(), json!("Actions")),
        ("GET", &format!("/v0/runs/{RUN}/batch"), "", run.clone(), json!("Batch")),
        ("POST", &format!("/v1/checkpoint/{RUN}/async"), r#"{"steps":[]}"#, run, json!({"Checkpoint": {"steps": []}})),
    ];
    for (method, target, body, to, question) in cases {
        let asked = asked(Desk::dev().open(request(method, target, body)).start());
        let body: Value = serde_json::from_slice(&asked.body).unwrap();
        assert_eq!((asked.to, body), (to, question), "{method} {target}");
    }
}

#[test]
fn what_is_not_built_yet_is_said_by_name() {
    for (method, path, feature) in [
        ("POST", "/v1/realtime/publish?channel=c&topic=t", "realtime"),
        ("POST", "/v1/realtime/token", "realtime"),
        ("POST", "/v1/checkpoint", "durable endpoints"),
        ("POST", &format!("/v1/checkpoint/{RUN}/steps"), "durable endpoints"),
        ("GET", &format!("/v1/http/runs/{RUN}/output"), "durable endpoints"),
        ("POST", "/v1/traces/userland", "traces"),
        ("POST", "/v0/connect/start", "Connect"),
        ("POST", "/v0/gql", "GraphQL"),
    ] {
        let response = Desk::dev().at_once(request(method, path, "{}"));
        assert_refused(&response, 501, "feature_unsupported");
        assert!(json(&response)["error"].as_str().unwrap().contains(feature), "{path}");
    }
}

#[test]
fn a_rerun_says_from_where_or_nothing() {
    let post = |body: &str| request("POST", &format!("/v1/runs/{RUN}/rerun"), body);
    let asked_with = |body: &str| {
        let asked = asked(Desk::dev().open(post(body)).start());
        assert_eq!(asked.to, Address::run(RunId::parse(RUN).unwrap()));
        let body: Value = serde_json::from_slice(&asked.body).unwrap();
        assert!(RunId::parse(body["Rerun"]["run"].as_str().unwrap()).is_some_and(|run| run.at() == NOW));
        body["Rerun"]["from"].clone()
    };
    assert_eq!([asked_with(""), asked_with("{}")], [Value::Null, Value::Null]);
    assert_eq!(asked_with(r#"{"fromStep":{"stepId":"s"}}"#), json!({"step": "s"}));
    assert_eq!(asked_with(r#"{"fromStep":{"stepId":"s","input":[1]}}"#), json!({"step": "s", "input": [1]}));
    for body in ["[]", r#"{"fromStep":{}}"#, r#"{"from_step":{"stepId":"s"}}"#, "{"] {
        assert_refused(&Desk::dev().at_once(post(body)), 400, "body_invalid");
    }
    let response = Desk::dev().answered(post(""), &Ok(json!(RUN)));
    assert_eq!(json(&response)["data"], json!({"run_id": RUN}));
}

#[test]
fn a_signal_needs_a_name_within_bounds() {
    let signal = |name: &str| request("POST", "/v1/signals", json!({"signal": name}).to_string());
    let longest = "s".repeat(SIGNAL_NAME_BYTES_MAX);
    assert_eq!(Desk::dev().answered(signal(&longest), &Ok(json!({"run_id": RUN}))).status, 200);
    for body in [signal(""), signal(&format!("{longest}s")), request("POST", "/v1/signals", "{}")] {
        assert_refused(&Desk::dev().at_once(body), 400, "body_invalid");
    }
}

#[test]
fn a_signal_brings_null_where_it_brings_nothing_and_not_too_much() {
    let data = |body: &Value| {
        let question = asked(Desk::dev().open(request("POST", "/v1/signals", body.to_string())).start());
        let asked: Value = serde_json::from_slice(&question.body).unwrap();
        asked["Signal"]["data"].clone()
    };
    assert_eq!(data(&json!({"signal": "s"})), Value::Null);
    assert_eq!(data(&json!({"signal": "s", "data": [1]})), json!([1]));
    let of = |bytes: usize| json!({"signal": "s", "data": "x".repeat(bytes - 2)});
    assert!(data(&of(STEP_OUTPUT_BYTES_MAX)).is_string());
    let large = of(STEP_OUTPUT_BYTES_MAX + 1).to_string();
    assert_refused(&Desk::dev().at_once(request("POST", "/v1/signals", large)), 413, "body_too_large");
}

#[test]
fn a_bulk_cancellation_says_everything_that_is_wrong_with_it() {
    let post = |body: &Value| request("POST", "/v1/cancellations", body.to_string());
    let refused = |body: &Value| {
        let response = Desk::dev().at_once(post(body));
        assert_eq!(response.status, 400, "{body}");
        json(&response)["error"].as_str().unwrap().to_owned()
    };
    assert_eq!(refused(&json!({})), "app_id is required\nfunction_id is required\nstarted_before is required");
    let whole = json!({"app_id": "app", "function_id": "a", "started_before": "2026-09-21T14:13:20Z"});
    let with = |field: &str, value: &str| {
        let mut body = whole.clone();
        body[field] = json!(value);
        body
    };
    assert_eq!(refused(&with("started_before", "2026-09-21T14:13:26Z")), "started_before must be in the past");
    let slack = Desk::dev().open(post(&with("started_before", "2026-09-21T14:13:25Z"))).start();
    assert!(matches!(slack, Progress::Ask { .. }), "clocks differ by a few seconds");
    assert_eq!(refused(&with("started_after", "2026-09-21T14:13:20Z")), "started_after must be before started_before");
    assert!(refused(&with("started_after", "soon")).starts_with("started_after must be a date"));
    assert!(refused(&with("if", "event.data ===")).starts_with("if is no expression"));
    assert_refused(&Desk::dev().at_once(post(&with("function_id", "nobody"))), 404, "function_unknown");

    let mut exchange = Desk::dev().open(post(&with("if", "event.data.x == 1")));
    let question = asked(exchange.start());
    let asked: Value = serde_json::from_slice(&question.body).unwrap();
    assert_eq!((question.to, &asked["Cancel"]["function"]), (Address::new(ActorKind::History, "0"), &json!("app-a")));
    let response = responded(exchange.resume(NOW, vec![told(&Ok::<_, Refusal>(&asked["Cancel"]))]));
    let data = json(&response)["data"].clone();
    assert_eq!(data["started_before"], "2026-09-21T14:13:20.000Z");
    assert_eq!((&data["if"], &data["started_after"]), (&json!("event.data.x == 1"), &json!(null)));
}

fn register(deploy_id: Option<&str>) -> Value {
    json!({"Register": {"body": {"appName": "a"}, "deploy_id": deploy_id}})
}

#[test]
fn answers_come_in_the_shape_of_their_api() {
    let data = |data: Value| json!({"data": data, "metadata": {"fetched_at": "2026-09-21T14:13:20.000Z"}});
    let cases = [
        ("POST", "/fn/register", json!({"ok": true}), 200, json!({"ok": true})),
        ("POST", "/fn/sync", json!({"apps": []}), 200, json!({"apps": []})),
        ("GET", "/v1/apps/a/functions", json!([1]), 200, json!([1])),
        ("GET", "/v0/runs/#/actions", json!({"a": 1}), 200, json!({"a": 1})),
        ("GET", "/v0/runs/#/batch", json!([1]), 200, json!([1])),
        ("GET", "/v1/runs/#", json!({"status": "Running"}), 200, data(json!({"status": "Running"}))),
        ("GET", "/v1/runs/#/journal", json!([1, 2]), 200, data(json!([1, 2]))),
        ("GET", "/v1/runs/#/timeline", json!({"journal_rows": 3}), 200, data(json!({"journal_rows": 3}))),
        ("DELETE", "/v1/runs/#", json!(null), 200, json!("")),
        ("DELETE", "/v0/runs/#", json!(null), 204, json!("")),
        ("POST", "/v1/checkpoint/#/async", json!(null), 200, json!("")),
    ];
    for (method, target, answer, status, expected) in cases {
        let body = if method == "POST" { "{}" } else { "" };
        let response = Desk::dev().answered(request(method, &target.replace('#', RUN), body), &Ok(answer));
        assert_eq!(response.status, status, "{target}");
        if expected == json!("") {
            assert_eq!(response.body, b"", "{method} {target}");
        } else {
            assert_eq!((json(&response), header(&response, "content-type")), (expected, Some("application/json")));
        }
        assert_eq!(header(&response, "x-inngest-server-kind"), Some("dev"));
    }
}

#[test]
fn a_refusal_of_an_actor_keeps_its_code_status_and_details() {
    let detail =
        json!({"code": "schedule_invalid", "subject": "app-f", "field": "triggers", "message": "not a schedule"});
    let details = serde_json::from_value(json!([detail])).unwrap();
    let refusal = Refusal { code: Code::ConfigInvalid, message: "one function is invalid".to_owned(), details };
    let response = Desk::dev().answered(request("POST", "/fn/register", "{}"), &Err(refusal));
    let expected = json!({
        "error": "one function is invalid", "data": null, "status": 400, "code": "config_invalid", "details": [detail]
    });
    assert_eq!((response.status, json(&response)), (400, expected));
}

#[test]
fn an_actor_that_gives_no_answer_is_told_of() {
    let cases = [
        (Err(AskFailure::Fault("rows".to_owned())), 500, "engine_fault"),
        (Err(AskFailure::TimedOut), 503, "overloaded"),
        (Err(AskFailure::Overloaded), 503, "overloaded"),
        (Ok(b"garbage".to_vec()), 500, "engine_fault"),
        (told(&json!({"Ok": {"not": "ids"}})), 500, "engine_fault"),
    ];
    for (answer, status, code) in cases {
        for request in [request("POST", "/e/key", r#"{"name":"a"}"#), get(&format!("/v1/events/{RUN}"))] {
            let mut exchange = Desk::dev().open(request);
            asked(exchange.start());
            assert_refused(&responded(exchange.resume(NOW, vec![answer.clone()])), status, code);
        }
    }
}

#[test]
fn a_shell_that_loses_count_is_told_so() {
    for answers in [vec![], vec![told(&json!({"Ok": null})), told(&json!({"Ok": null}))]] {
        for target in
            ["/dev", "/health", "/v1/runs/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/v1/events/01ARZ3NDEKTSV4RRFFQ69G5FAV/runs"]
        {
            let mut exchange = Desk::dev().open(get(target));
            exchange.start();
            assert_refused(&responded(exchange.resume(NOW, answers.clone())), 500, "engine_fault");
        }
    }
}

#[test]
fn what_is_not_there_is_said_so() {
    for target in ["/", "", "/nothing", "/v1", "/v1/runs/a/b", "/v2/health", "/e/a/b", "/invoke", "/fn", "/health/x"] {
        assert_refused(&Desk::dev().at_once(get(target)), 404, "route_unknown");
    }
}

#[test]
fn another_method_is_told_which_ones_there_are() {
    let cases = [
        ("POST", "/health", "GET, HEAD"),
        ("GET", "/fn/register", "POST, PUT"),
        ("GET", "/fn/remove", "DELETE"),
        ("GET", "/e/key", "POST, OPTIONS"),
        ("GET", "/v1/signals", "POST"),
        ("DELETE", "/v1/cancellations", "GET, HEAD, POST"),
        ("PATCH", "/v1/runs/01ARZ3NDEKTSV4RRFFQ69G5FAV", "GET, HEAD, DELETE"),
        ("OPTIONS", "/v1/runs", "GET, HEAD"),
        ("get", "/health", "GET, HEAD"),
        ("", "/dev", "GET, HEAD"),
    ];
    for (method, target, allowed) in cases {
        let response = Desk::dev().at_once(request(method, target, ""));
        assert_refused(&response, 405, "method_not_allowed");
        assert_eq!(header(&response, "allow"), Some(allowed), "{method} {target}");
    }
}

#[test]
fn malformed_parameters_are_refused() {
    let targets = [
        "/v1/runs/nope",
        "/v1/runs/%00",
        "/v1/runs/%ff",
        "/v0/runs/x/actions",
        "/v1/events/%F0%9F%A6%80/runs",
        "/v1/runs?limit=0",
        "/v1/runs?limit=101",
        "/v1/runs?limit=x",
        "/v1/runs?cursor=x",
        "/v1/events?limit=-1",
        "/v1/runs/01ARZ3NDEKTSV4RRFFQ69G5FAV?wait_ms=soon",
        "/v1/runs/01ARZ3NDEKTSV4RRFFQ69G5FAV/timeline?after=-1",
    ];
    for target in targets {
        assert_refused(&Desk::dev().at_once(get(target)), 400, "parameter_invalid");
    }
    assert_refused(&Desk::dev().at_once(request("DELETE", "/fn/remove", "")), 400, "parameter_invalid");
}

#[test]
fn malformed_bodies_are_refused() {
    let bodies: [&[u8]; 7] = [b"", b"{", b"[]", b"7", b"null", b"\0", b"\xff"];
    for body in bodies {
        assert_refused(&Desk::dev().at_once(request("POST", "/fn/register", body)), 400, "body_invalid");
    }
    for body in ["{", "7", r#"{"url":7}"#, r#"{"only":true}"#] {
        assert_refused(&Desk::dev().at_once(request("POST", "/fn/sync", body)), 400, "body_invalid");
    }
    let target = format!("/v1/checkpoint/{RUN}/async");
    for body in ["", "{", "\u{0}"] {
        assert_refused(&Desk::dev().at_once(request("POST", &target, body)), 400, "body_invalid");
    }
}

#[test]
fn an_app_of_the_other_kind_is_not_registered() {
    for (cloud, expected, taken) in
        [(false, "dev", true), (false, "cloud", false), (true, "cloud", true), (true, "dev", false), (true, "", true)]
    {
        let mut desk = Desk::dev();
        desk.settings.cloud = cloud;
        let request = with(request("POST", "/fn/register", "{}"), "x-inngest-expected-server-kind", expected);
        match desk.open(request).start() {
            Progress::Respond(response) => {
                assert_refused(&response, 400, "server_kind_mismatch");
                assert_eq!(header(&response, "x-inngest-server-kind"), Some(if cloud { "cloud" } else { "dev" }));
                assert!(!taken);
            }
            _ => assert!(taken, "{cloud} {expected}"),
        }
    }
}

#[test]
fn dev_tells_the_catalog_and_the_server() {
    let overview = json!({"apps": [{"id": "app"}], "functions": [], "version": "not the server's"});
    let body = json(&Desk::dev().answered(get("/dev"), &Ok(overview)));
    assert_eq!(
        (&body["apps"][0]["id"], &body["version"], &body["authed"]),
        (&json!("app"), &json!("1.2.3"), &json!(false))
    );
    assert!(body["startOpts"].is_object() && body["features"].is_object() && body["functions"].is_array());
}

#[test]
fn health_needs_nothing() {
    let response = Desk::dev().at_once(get("/health"));
    assert_eq!((response.status, json(&response)), (200, json!({"status": 200, "message": "OK"})));
}

#[test]
fn a_shell_refuses_with_the_codes_of_its_contract() {
    let cases = [
        ("body_too_large", 413),
        ("body_timeout", 408),
        ("body_unreadable", 400),
        ("engine_fault", 500),
        ("overloaded", 503),
    ];
    for (code, status) in cases {
        let response = refuse(code).from_kind(true);
        assert_refused(&response, status, code);
        assert_eq!(header(&response, "x-inngest-server-kind"), Some("cloud"));
    }
    assert_refused(&refuse("what is this"), 500, "engine_fault");
}
