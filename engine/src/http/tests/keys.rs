//! Who may ask.

use super::{Desk, RUN, assert_refused, header, json, request, with};
use crate::http::{Progress, Request};
use serde_json::json;

const KEY: &str = "signkey-test-abcdef0123456789abcdef0123456789";
const OLD: &str = "signkey-test-00ff";
const HASH: &str = "signkey-test-3e4ca04a7a69cf22ada1ccc20cdec2f6d8c098e94e5776f47407b289c9e38a5c";

fn cloud() -> Desk {
    let mut desk = Desk::dev();
    desk.settings.cloud = true;
    desk.settings.signing_keys = vec![KEY.to_owned(), OLD.to_owned()];
    desk.settings.event_keys = vec!["first".to_owned(), "second".to_owned()];
    desk
}

fn api() -> Vec<Request> {
    let body = |method, target: &str| request(method, &target.replace('#', RUN), "{}");
    vec![
        body("GET", "/dev"),
        body("POST", "/fn/register"),
        body("DELETE", "/fn/remove?url=x"),
        body("POST", "/fn/sync"),
        body("POST", "/invoke/app-a"),
        body("GET", "/v1/events"),
        body("GET", "/v1/events/#"),
        body("GET", "/v1/events/#/runs"),
        body("GET", "/v1/runs"),
        body("GET", "/v1/runs/#?wait_ms=1"),
        body("DELETE", "/v1/runs/#"),
        body("POST", "/v1/runs/#/rerun"),
        body("GET", "/v1/functions/app-a/flow"),
        body("POST", "/v1/functions/app-a/pause"),
        body("POST", "/v1/functions/app-a/resume"),
        body("PUT", "/fn/register"),
        body("GET", "/v1/runs/#/timeline"),
        body("GET", "/v1/runs/#/journal"),
        body("DELETE", "/v0/runs/#"),
        body("GET", "/v0/runs/#/actions"),
        body("GET", "/v0/runs/#/batch"),
        body("POST", "/v1/checkpoint/#/async"),
        body("GET", "/v1/apps/a/functions"),
        request("POST", "/v1/signals", r#"{"signal":"s"}"#),
        body("GET", "/v1/cancellations"),
        request(
            "POST",
            "/v1/cancellations",
            r#"{"app_id":"app","function_id":"a","started_before":"2020-01-01T00:00:00Z"}"#,
        ),
        body("DELETE", "/v1/cancellations/#"),
    ]
}

#[test]
fn the_api_of_a_cloud_server_opens_to_its_keys_alone() {
    for request in api() {
        for good in [KEY, HASH, OLD] {
            let request = with(request.clone(), "authorization", &format!("Bearer {good}"));
            assert!(matches!(cloud().open(request).start(), Progress::Ask { .. }));
        }
        for bad in ["Bearer undefined", "Bearer", "Bearer ", "Basic xyz", "Bearer signkey-test-01", ""] {
            let response = cloud().at_once(with(request.clone(), "authorization", bad));
            assert_refused(&response, 401, "authentication_failed");
        }
        assert_refused(&cloud().at_once(request), 401, "authentication_failed");
    }
}

#[test]
fn the_api_of_a_dev_server_is_open() {
    let mut keyed = cloud();
    keyed.settings.cloud = false;
    let mut keyless = cloud();
    keyless.settings.signing_keys.clear();
    for desk in [Desk::dev(), keyed, keyless] {
        for request in api() {
            assert!(matches!(desk.open(request).start(), Progress::Ask { .. }));
        }
    }
}

#[test]
fn health_is_open() {
    assert_eq!(cloud().at_once(super::get("/health")).status, 200);
}

#[test]
fn events_need_one_of_the_event_keys() {
    let post = |key: &str| request("POST", &format!("/e/{key}"), r#"{"name":"a"}"#);
    for good in ["first", "second"] {
        assert!(matches!(cloud().open(post(good)).start(), Progress::Ask { .. }), "{good}");
    }
    for bad in ["", "third", "firs", "first1", "FIRST"] {
        let response = cloud().at_once(post(bad));
        assert_refused(&response, 401, "event_key_unknown");
        assert_eq!(json(&response)["error"], json!("Event key not found"));
        assert_eq!(header(&response, "access-control-allow-origin"), Some("*"));
    }
    // Without event keys any will do, but for none.
    assert!(matches!(Desk::dev().open(post("NO_EVENT_KEY_SET")).start(), Progress::Ask { .. }));
    assert_refused(&Desk::dev().at_once(post("")), 401, "event_key_unknown");
}
