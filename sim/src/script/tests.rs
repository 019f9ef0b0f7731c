use super::*;
use serde_json::{Value, json};
use stepwell_engine::http::{Question, Response};
use stepwell_engine::ids::{Entropy, Millis};
use stepwell_engine::turn::{
    ActorKind, AppAnswer, AppCall, CallFailure, CallKind, CallOutcome, Done, Effect, Supplied, Write,
};

fn recording() -> Script {
    let mut script = Script::default();
    script.keep(&Settings { version: "sim".to_owned(), ..Settings::default() });
    script
}

/// The last step, as a driver reads it.
fn last(script: &Script) -> Value {
    serde_json::from_str(script.lines.as_ref().unwrap().last().unwrap()).unwrap()
}

fn gives(outcome: Result<Outcome, Fault>) -> Value {
    let mut script = recording();
    let (supplied, catalog, settings) = (Supplied::default(), Catalog::default(), Settings::default());
    let turn =
        Turn { now: Millis(0), entropy: Entropy(0), catalog: &catalog, settings: &settings, supplied: &supplied };
    let step = script.turn(ONLY_SEAT, &Address::new(ActorKind::Stream, "0"), &turn, &Message::Wake);
    script.turned(step, &outcome);
    last(&script)["gives"].clone()
}

#[test]
fn a_script_begins_with_its_format_and_its_settings_and_ends_with_the_hash_of_what_was_given() {
    let mut script = recording();
    script.open(1, (0, 0), &Catalog::default(), &Request::default());
    let lines = script.into_lines();
    let settings = r#"{"kind":"dev","signingKeys":[],"eventKeys":[],"cronCatchUp":"last","shards":1,"privateAddresses":false,"version":"sim"}"#;
    assert_eq!(lines[0], format!(r#"{{"script":"stepwell","version":1,"settings":{settings}}}"#));
    // SHA-256 of "null\n".
    let hash = "38e0b9de817f645c4bec37c0d4a3e58baecccb040f5718dc069a72c7385a0bed";
    assert_eq!(lines[2], format!(r#"{{"steps":1,"sha256":"{hash}"}}"#));
}

#[test]
fn a_turn_is_written_as_the_interface_has_it() {
    let mut script = recording();
    let range = Range { start: "a".to_owned(), end: "b".to_owned(), limit: 7, descending: true };
    let rows = vec![(range, vec![Row { key: "a1".to_owned(), value: vec![0, 255] }])];
    let address = Address::new(ActorKind::Run, "01");
    script.loaded(ONLY_SEAT, &address, &rows);
    let (catalog, settings) = (Catalog { version: 3, ..Catalog::default() }, Settings::default());
    let supplied = Supplied(rows);
    let turn = Turn {
        now: Millis(u64::MAX),
        entropy: Entropy((5 << 64) | 6),
        catalog: &catalog,
        settings: &settings,
        supplied: &supplied,
    };
    let step = script.turn(ONLY_SEAT, &address, &turn, &Message::Ask { token: 9, body: b"?".to_vec() });
    script.turned(step, &Ok(Outcome::Done(Done::default())));
    let lines = script.into_lines();
    let rows = r#"[{"range":{"start":"a","end":"b","limit":7,"descending":true},"rows":[{"key":"a1","value":{"base64":"AP8="}}]}]"#;
    assert_eq!(
        lines[1],
        r#"{"do":"preload","part":"executor","args":[{"kind":"run","key":"01"}],"gives":[{"start":"a","end":"b","limit":7,"descending":true}]}"#
    );
    assert_eq!(
        lines[2],
        format!(
            r#"{{"do":"make","part":"executor","on":"run/01","args":[{{"kind":"run","key":"01"}},{rows}],"gives":null}}"#
        )
    );
    let input = format!(
        r#"{{"now":{{"u64":"18446744073709551615"}},"entropy":[{{"u64":"5"}},{{"u64":"6"}}],"catalog":{{"u64":"3"}},"message":{{"tag":"ask","val":[{{"u64":"9"}},{{"base64":"Pw=="}}]}},"supplied":{rows}}}"#
    );
    let gives = r#"{"tag":"ok","val":{"tag":"done","val":{"writes":[],"effects":[],"owing":false}}}"#;
    assert_eq!(
        lines[3],
        format!(r#"{{"do":"turn","part":"executor","on":"run/01","args":[{input}],"gives":{gives}}}"#)
    );
}

#[test]
fn every_effect_and_every_write_is_written_in_full() {
    let call = AppCall {
        id: "i".to_owned(),
        kind: CallKind::App,
        method: "POST".into(),
        url: "u".to_owned(),
        headers: vec![("a".into(), "b".to_owned())],
        body: vec![1],
        time_max: Millis(2),
        answer_bytes_max: 3,
        redirects_max: 4,
    };
    let done = Done {
        writes: vec![
            Write { key: "k".to_owned(), value: Some(vec![1]) },
            Write { key: "gone".to_owned(), value: None },
        ],
        effects: vec![
            Effect::Reply { token: 1, body: vec![1] },
            Effect::Send { to: Address::catalog(), body: vec![1] },
            Effect::Call(call),
            Effect::Publish { channel: "c".to_owned(), data: vec![1] },
            Effect::Install { version: 2, snapshot: vec![1] },
        ],
        wake_at: Some(Millis(8)),
        owing: true,
    };
    let (one, u64) = (json!({"base64": "AQ=="}), |n: u64| json!({"u64": n.to_string()}));
    let effects = json!([
        {"tag": "reply", "val": {"token": u64(1), "body": one}},
        {"tag": "send", "val": {"to": {"kind": "catalog", "key": "0"}, "body": one}},
        {"tag": "call", "val": {"id": "i", "kind": "app", "method": "POST", "url": "u", "headers": [["a", "b"]], "body": one,
            "timeMsMax": u64(2), "answerBytesMax": u64(3), "redirectsMax": 4}},
        {"tag": "publish", "val": {"channel": "c", "data": one}},
        {"tag": "install", "val": {"version": u64(2), "snapshot": one}},
    ]);
    let done = gives(Ok(Outcome::Done(done)));
    let writes = json!([{"key": "k", "value": one}, {"key": "gone"}]);
    let due = json!({"writes": writes, "effects": effects, "wakeAt": u64(8), "owing": true});
    assert_eq!(done, json!({"tag": "ok", "val": {"tag": "done", "val": due}}));
}

#[test]
fn rows_that_are_needed_and_faults_are_given_too() {
    let needs = gives(Ok(Outcome::Needs(vec![Range::one("k")])));
    let range = json!({"start": "k", "end": "k\0", "limit": 1, "descending": false});
    assert_eq!(needs, json!({"tag": "ok", "val": {"tag": "needs", "val": [range]}}));
    let fault = gives(Err(Fault::new("what", "why")));
    assert_eq!(fault["tag"], "err");
    assert_eq!(fault["val"]["code"], "engine_fault");
}

#[test]
fn answers_and_failures_of_calls_are_told_apart() {
    let asked = |answer: Result<AppAnswer, CallFailure>| {
        let mut script = recording();
        let (supplied, catalog, settings) = (Supplied::default(), Catalog::default(), Settings::default());
        let turn =
            Turn { now: Millis(0), entropy: Entropy(0), catalog: &catalog, settings: &settings, supplied: &supplied };
        let message = Message::Answered(CallOutcome { id: "c".to_owned(), answer });
        let step = script.turn(ONLY_SEAT, &Address::new(ActorKind::Stream, "0"), &turn, &message);
        script.turned(step, &Ok(Outcome::Done(Done::default())));
        last(&script)["args"][0]["message"].clone()
    };
    let said = AppAnswer { status: 206, headers: vec![("a".to_owned(), "b".to_owned())], body: vec![1] };
    let said = asked(Ok(said));
    let answer = json!({"status": 206, "headers": [["a", "b"]], "body": {"base64": "AQ=="}});
    let answered = |answer: Value| json!({"tag": "answered", "val": {"id": "c", "answer": answer}});
    assert_eq!(said, answered(json!({"tag": "ok", "val": answer})));
    let failed = asked(Err(CallFailure::TimedOut("late".to_owned())));
    assert_eq!(failed, answered(json!({"tag": "err", "val": {"tag": "timed-out", "val": "late"}})));
}

#[test]
fn an_exchange_is_opened_started_and_gone_on_with() {
    let mut script = recording();
    let request = Request { method: "POST".to_owned(), path: "/e/k".to_owned(), ..Request::default() };
    script.open(4, (1, 2), &Catalog::default(), &request);
    let request = json!({"method": "POST", "path": "/e/k", "query": "", "headers": [], "body": {"base64": ""}});
    let u64 = |n: u64| json!({"u64": n.to_string()});
    let args = json!([u64(1), [u64(0), u64(2)], u64(0), request]);
    assert_eq!(
        last(&script),
        json!({"do": "open", "part": "event-api", "on": "exchange/4", "args": args, "gives": null})
    );

    let step = script.start(4);
    let question = Question { to: Address::new(ActorKind::Stream, "0"), body: vec![1] };
    script.proceeded(step, &Progress::Ask { channels: vec!["c".to_owned()], questions: vec![question] });
    let question = json!({"to": {"kind": "stream", "key": "0"}, "body": {"base64": "AQ=="}});
    let ask = json!({"tag": "ask", "val": {"channels": ["c"], "questions": [question]}});
    assert_eq!(
        last(&script),
        json!({"do": "start", "part": "event-api", "on": "exchange/4", "args": [], "gives": ask})
    );

    let answers = [Ok(vec![1]), Err(AskFailure::Fault("f".to_owned())), Err(AskFailure::TimedOut)];
    let step = script.resume(4, 5, &answers);
    script.proceeded(step, &Progress::Respond(Response { status: 200, ..Response::default() }));
    let answers = json!([
        {"tag": "ok", "val": {"base64": "AQ=="}},
        {"tag": "err", "val": {"tag": "fault", "val": "f"}},
        {"tag": "err", "val": {"tag": "timed-out"}},
    ]);
    let response = json!({"tag": "respond", "val": {"status": 200, "headers": [], "body": {"base64": ""}}});
    assert_eq!(last(&script)["args"], json!([u64(5), answers]));
    assert_eq!(last(&script)["gives"], response);
}

#[test]
fn a_catalog_is_installed_once_before_what_decides_by_it() {
    let mut script = recording();
    let catalog = Arc::new(Catalog { version: 2, ..Catalog::default() });
    script.decides_by(&catalog);
    script.decides_by(&catalog);
    assert_eq!(script.steps, 1);
    let step = last(&script);
    assert_eq!((&step["do"], &step["gives"]), (&json!("install"), &json!({"tag": "ok"})));
    assert_eq!(step["args"][0], json!({"u64": "2"}));
    // Another catalog of the same version, as there is after a transaction that came to nothing.
    script.decides_by(&Arc::new(Catalog { version: 2, ..Catalog::default() }));
    assert_eq!(script.steps, 2);
}

#[test]
fn the_hash_does_not_depend_on_whether_lines_are_kept() {
    let hash = |mut script: Script| {
        script.decides_by(&Arc::default());
        script.fingerprint()
    };
    assert_eq!(hash(Script::default()), hash(recording()));
}
