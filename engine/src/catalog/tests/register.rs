//! What a register call changes (PROTOCOL §1.6, SERVER §3.8).

use super::driver::{Driver, app, function, function_with};
use crate::catalog::Pause;
use crate::catalog::message::Ask;
use crate::error::Code;
use crate::turn::{Effect, Message};
use serde_json::{Value, json};

fn version(driver: &Driver, id: &str) -> (u32, bool) {
    let function = &driver.catalog().functions[&id.into()];
    (function.version, function.archived)
}

fn remove(driver: &mut Driver, url: &str) -> Result<Value, Code> {
    driver.answer(&Ask::RemoveUrl { url: url.to_owned() }).0.map_err(|refusal| refusal.code)
}

fn names(driver: &mut Driver) -> Vec<String> {
    let overview = driver.answer(&Ask::Overview).0.unwrap();
    overview["apps"].as_array().unwrap().iter().map(|app| app["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_same_payload_again_changes_nothing() {
    let mut driver = Driver::default();
    let first = driver.register(&app("a", &[function("a-f")])).unwrap();
    let rows = driver.rows();
    let again = driver.register(&app("a", &[function("a-f")])).unwrap();
    assert_eq!((&first["modified"], &again["modified"]), (&json!(true), &json!(false)));
    assert_eq!(first["sync_id"], again["sync_id"]);
    assert_eq!(first["sync_id"].as_str().unwrap().len(), 36);
    assert_eq!(driver.rows(), rows);

    let mut observed = app("a", &[function("a-f")]);
    observed["featureObservations"] = json!({"x": 1});
    assert_eq!(driver.register(&observed).unwrap()["modified"], false);
}

#[test]
fn a_changed_payload_counts_the_functions_that_changed_and_archives_those_that_vanished() {
    let mut driver = Driver::default();
    let first = driver.register(&app("a", &[function("a-same"), function("a-changed"), function("a-gone")])).unwrap();
    let changed = function_with("a-changed", json!({"name": "another"}));
    let second = driver.register(&app("a", &[function("a-same"), changed, function("a-new")])).unwrap();
    assert_eq!(second["modified"], true);
    assert_ne!(first["sync_id"], second["sync_id"]);
    assert_eq!(version(&driver, "a-same"), (1, false));
    assert_eq!(version(&driver, "a-changed"), (2, false));
    assert_eq!(version(&driver, "a-new"), (1, false));
    assert_eq!(version(&driver, "a-gone"), (1, true));
    assert_eq!(driver.catalog().triggered_by("a/b").len(), 3);

    driver.register(&app("a", &[function("a-gone")])).unwrap();
    assert_eq!(version(&driver, "a-gone"), (2, false));
    assert_eq!(driver.catalog().triggered_by("a/b"), [("a-gone".into(), 0)]);
}

#[test]
fn a_pause_outlives_syncs() {
    let mut driver = Driver::default();
    let set = |driver: &mut Driver, id: &str, paused: Option<Pause>| {
        driver.answer(&Ask::Pause { function: id.into(), paused }).0.map_err(|refusal| refusal.code)
    };
    let paused = |driver: &Driver| driver.catalog().functions[&"a-f".into()].paused;
    driver.register(&app("a", &[function("a-f")])).unwrap();
    assert!(set(&mut driver, "a-f", Some(Pause::Skip)).is_ok());
    assert_eq!(
        (paused(&driver), version(&driver, "a-f")),
        (Some(Pause::Skip), (1, false)),
        "it is no change of the app's"
    );
    assert_eq!(driver.register(&app("a", &[function("a-f")])).unwrap()["modified"], false);
    assert_eq!(paused(&driver), Some(Pause::Skip));
    driver.register(&app("a", &[function_with("a-f", json!({"name": "another"}))])).unwrap();
    assert_eq!((paused(&driver), version(&driver, "a-f")), (Some(Pause::Skip), (2, false)));
    driver.register(&app("a", &[])).unwrap();
    assert_eq!(set(&mut driver, "a-f", None), Err(Code::FunctionUnknown), "it is archived");
    driver.register(&app("a", &[function("a-f")])).unwrap();
    assert_eq!(paused(&driver), Some(Pause::Skip), "it is back as it was");
    assert!(set(&mut driver, "a-f", None).is_ok());
    assert_eq!(paused(&driver), None);
    assert_eq!(set(&mut driver, "a-none", None), Err(Code::FunctionUnknown));
}

#[test]
fn an_app_without_functions_archives_them_all() {
    let mut driver = Driver::default();
    driver.register(&app("a", &[function("a-f")])).unwrap();
    driver.register(&app("a", &[])).unwrap();
    assert_eq!(version(&driver, "a-f"), (1, true));
}

#[test]
fn an_app_may_move() {
    let mut driver = Driver::default();
    driver.register(&app("a", &[])).unwrap();
    let mut moved = app("a", &[]);
    moved["url"] = json!("http://127.0.0.1:4000/x");
    assert_eq!(driver.register(&moved).unwrap()["modified"], true);
    assert_eq!(driver.catalog().apps.len(), 1);
    assert_eq!(driver.catalog().apps[&"a".into()].url, "http://127.0.0.1:4000/x");
}

#[test]
fn two_names_at_one_address_are_two_apps() {
    let mut driver = Driver::default();
    driver.register(&app("a", &[function("a-f")])).unwrap();
    driver.register(&app("b", &[function("b-f")])).unwrap();
    assert_eq!(names(&mut driver), ["a", "b"]);
    assert_eq!((version(&driver, "a-f"), version(&driver, "b-f")), ((1, false), (1, false)));
    assert_eq!(remove(&mut driver, "http://localhost:3000/api/inngest").unwrap()["apps"], json!(["a", "b"]));
}

#[test]
fn a_function_of_another_app_cannot_be_taken_while_that_app_is_there() {
    let mut driver = Driver::default();
    driver.register(&app("a", &[function("a-b-c")])).unwrap();
    let refusal = driver.register(&app("a-b", &[function("a-b-c")])).unwrap_err();
    assert_eq!(refusal.details[0].code, "function_id_taken");
    remove(&mut driver, "http://127.0.0.1:3000/api/inngest").unwrap();
    driver.register(&app("a-b", &[function("a-b-c")])).unwrap();
    assert_eq!(driver.catalog().functions[&"a-b-c".into()].app, "a-b".into());
}

#[test]
fn a_removed_app_comes_back_with_its_next_sync() {
    let mut driver = Driver::default();
    driver.register(&app("a", &[function("a-f")])).unwrap();
    let removed = remove(&mut driver, "http://0.0.0.0:3000/api/inngest?fnId=x").unwrap();
    assert_eq!(removed, json!({"ok": true, "apps": ["a"]}));
    assert!(names(&mut driver).is_empty());
    assert_eq!(version(&driver, "a-f"), (1, true));
    assert_eq!(driver.answer(&Ask::Functions { app: "a".into() }).0.unwrap_err().code, Code::AppUnknown);
    assert_eq!(remove(&mut driver, "http://0.0.0.0:3000/api/inngest"), Err(Code::AppUnknown));

    let revived = driver.register(&app("a", &[function("a-f")])).unwrap();
    assert_eq!(revived["modified"], true);
    assert_eq!(names(&mut driver), ["a"]);
    assert_eq!(version(&driver, "a-f"), (2, false));
}

#[test]
fn archived_functions_are_kept_but_not_without_end() {
    let mut driver = Driver::default();
    for round in 0..3 {
        let functions: Vec<_> = (0..1_000).map(|number| function(&format!("a-{round}-{number}"))).collect();
        driver.register(&app("a", &functions)).unwrap();
    }
    driver.register(&app("a", &[function("a-last")])).unwrap();
    let archived = driver.catalog().functions.values().filter(|function| function.archived).count();
    assert!((1_000..=2_000).contains(&archived), "{archived}");
    assert_eq!(version(&driver, "a-last"), (1, false));
    assert!(driver.catalog().function(&"a-2-999".into()).is_some(), "what has just been archived is kept");
}

#[test]
fn keys_are_matched_without_case() {
    let mut driver = Driver::default();
    let function = json!({"ID": "a-f", "Name": "f", "TRIGGERS": [{"Event": "x"}],
        "Steps": {"step": {"Runtime": {"URL": "http://a.test"}, "RETRIES": {"Attempts": 2}}}});
    driver.register(&json!({"APPNAME": "a", "URL": "http://a.test", "Functions": [function]})).unwrap();
    assert_eq!(driver.catalog().functions[&"a-f".into()].retries, 2);
    assert_eq!(driver.catalog().triggered_by("x").len(), 1);
}

#[test]
fn the_overview_shows_what_is_there() {
    let mut driver = Driver::default();
    let cron = function_with("a-c", json!({"triggers": [{"cron": "* * * * *", "jitter": "5s"}]}));
    let filtered = function_with("a-f", json!({"triggers": [{"event": "x", "expression": "event.data.y"}]}));
    driver.register(&app("a", &[cron, filtered])).unwrap();
    let synced_at = driver.now.0;
    let overview = driver.answer(&Ask::Overview).0.unwrap();
    let expected = json!([{"id": crate::ids::uuid_of("a"), "name": "a", "url": "http://127.0.0.1:3000/api/inngest",
        "sdk": "js:v4.24.0", "framework": "express", "synced_at_ms": synced_at, "error": null, "function_count": 2}]);
    assert_eq!(overview["apps"], expected);
    let functions = driver.answer(&Ask::Functions { app: "a".into() }).0.unwrap();
    assert_eq!(overview["functions"], functions);
    let expected = json!({"id": crate::ids::uuid_of("a-c"), "slug": "a-c", "name": "a-c", "app": "a",
        "url": "http://127.0.0.1:3000/api/inngest?fnId=a-c&stepId=step", "version": 1, "retries": 4,
        "triggers": [{"cron": "* * * * *", "jitter": "5s"}]});
    assert_eq!(functions[0], expected);
    assert_eq!(functions[1]["triggers"], json!([{"event": "x", "expression": "event.data.y"}]));
}

#[test]
fn a_deploy_is_remembered() {
    let mut driver = Driver::default();
    let body = serde_json::value::to_raw_value(&app("a", &[])).unwrap();
    driver.answer(&Ask::Register { body, deploy_id: Some("d1".into()) }).0.unwrap();
    assert_eq!(driver.catalog().apps[&"a".into()].deploy_id.as_deref(), Some("d1"));
}

#[test]
fn a_resumed_catalog_is_installed_even_where_it_is_empty() {
    let mut driver = Driver::default();
    let installs = |driver: &mut Driver| {
        let done = driver.turn(Message::Resume);
        assert!(done.writes.is_empty());
        done.effects
            .iter()
            .map(|effect| match effect {
                Effect::Install { version, .. } => *version,
                other => panic!("{other:?}"),
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(installs(&mut driver), [0]);
    driver.register(&app("a", &[])).unwrap();
    assert_eq!(installs(&mut driver), [1]);
}
