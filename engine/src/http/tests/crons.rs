//! What is told of schedules.

use super::{Desk, NOW, assert_refused, get, json, told, with};
use crate::catalog::Trigger;
use crate::error::Refusal;
use crate::http::Progress;
use crate::ids::uuid_of;
use crate::stream::driver::catalog;
use crate::turn::{Address, CatchUp};
use serde_json::{Value, json};

/// Three functions by the clock, one by an event, and an archived one.
fn desk() -> Desk {
    let mut desk = Desk::dev();
    desk.catalog = catalog(&[("app-a", &[]), ("app-b", &[]), ("app-c", &[]), ("app-event", &["x"]), ("app-gone", &[])]);
    for slug in ["app-a", "app-b", "app-c", "app-gone"] {
        let function = desk.catalog.functions.get_mut(&slug.into()).unwrap();
        function.triggers = vec![Trigger::Cron { schedule: "* * * * *".to_owned(), jitter: None }];
        function.archived = slug == "app-gone";
    }
    desk
}

/// Whom the request asks, and what is responded when each of them answers with one schedule.
fn listed(desk: &Desk, target: &str) -> (Vec<Address>, Value) {
    let mut exchange = desk.open(get(target));
    let Progress::Ask { questions, .. } = exchange.start() else { panic!("{target} asks somebody") };
    let planned =
        json!([{"cron": "* * * * *", "jitter_ms": 5_000, "next": [{"tick": 60_000, "fire": 61_500}], "last": null}]);
    let answers = questions.iter().map(|_| told(&Ok::<_, Refusal>(&planned))).collect();
    let response = super::responded(exchange.resume(NOW, answers));
    assert_eq!(response.status, 200);
    (questions.into_iter().map(|question| question.to).collect(), json(&response))
}

#[test]
fn each_function_with_schedules_is_asked() {
    let mut desk = desk();
    desk.settings.cron_catch_up = CatchUp::All;
    let (asked, response) = listed(&desk, "/v1/crons");
    assert_eq!(asked, ["app-a", "app-b", "app-c"].map(|slug| Address::cron(&slug.into())));
    let expected = json!({
        "function_id": uuid_of("app-a"), "function_slug": "app-a", "app": "app", "cron": "* * * * *", "jitter_ms": 5_000, "catch_up": "all",
        "next": [{"scheduled_at": "1970-01-01T00:01:00.000Z", "fire_at": "1970-01-01T00:01:01.500Z"}], "last_scheduled_at": null
    });
    assert_eq!(response["data"][0], expected);
    assert_eq!(response["data"].as_array().map(Vec::len), Some(3));
}

#[test]
fn they_come_in_pages_or_one_alone() {
    let (asked, response) = listed(&desk(), "/v1/crons?limit=2");
    assert_eq!((asked.len(), &response["metadata"]["next_cursor"]), (2, &json!("app-b")));
    let (asked, response) = listed(&desk(), "/v1/crons?limit=2&cursor=app-b");
    assert_eq!((asked, response["metadata"].get("next_cursor")), (vec![Address::cron(&"app-c".into())], None));
    let (asked, response) = listed(&desk(), "/v1/crons?function=app-b");
    assert_eq!((asked, response["metadata"].get("next_cursor")), (vec![Address::cron(&"app-b".into())], None));
}

#[test]
fn a_cloud_server_tells_those_who_have_its_key() {
    let mut desk = desk();
    desk.settings.cloud = true;
    desk.settings.signing_keys = vec!["signkey-test-abcdef01".to_owned()];
    assert_refused(&desk.at_once(get("/v1/crons")), 401, "authentication_failed");
    let keyed = with(get("/v1/crons"), "authorization", "Bearer signkey-test-abcdef01");
    assert!(matches!(desk.open(keyed).start(), Progress::Ask { .. }));
}

#[test]
fn who_has_no_schedule_is_not_asked() {
    let response = desk().at_once(get("/v1/crons?function=app-event"));
    assert_eq!((response.status, &json(&response)["data"]), (200, &json!([])));
    for slug in ["app-none", "app-gone"] {
        assert_refused(&desk().at_once(get(&format!("/v1/crons?function={slug}"))), 404, "function_unknown");
    }
    for times in ["0", "101", "many"] {
        assert_refused(&desk().at_once(get(&format!("/v1/crons?times={times}"))), 400, "parameter_invalid");
    }
}
