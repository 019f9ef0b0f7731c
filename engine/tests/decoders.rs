//! Whatever comes in, decoders answer: no panic, no unbounded work. `PROPTEST_CASES=100000` looks longer.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::string_slice,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use proptest::prelude::*;
use serde_json::value::RawValue;
use stepwell_engine::actor::{EventApi, Executor, Part, Scheduler};
use stepwell_engine::catalog::{Catalog, Function, Trigger};
use stepwell_engine::expression::{self, Bindings, Expression, Scope};
use stepwell_engine::ids::{Entropy, EventId, Millis, RunId};
use stepwell_engine::turn::{
    ActorKind, Address, AppAnswer, CallFailure, CallOutcome, Message, Outcome, Row, Settings, Supplied, Turn,
};
use stepwell_engine::{signing, trigger};

/// JSON as users send it.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let number = prop_oneof![any::<i64>().prop_map(Into::into), any::<f64>().prop_map(Into::into)];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        number,
        ".{0,8}".prop_map(Into::into),
        r#"[a-z"\\\n]{0,8}"#.prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map("[a-c]{1,2}", inner, 0..6)
                .prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Text out of which expressions are made, in no good order.
fn scraps() -> impl Strategy<Value = String> {
    let scrap = prop::sample::select(vec![
        "event",
        ".data",
        ".a",
        ".b",
        "[0]",
        "['a']",
        "async",
        "x",
        "1",
        "2u",
        "1.5",
        "-",
        "!",
        "'t'",
        "\"\\w\"",
        "r'\\d'",
        "b'b'",
        "null",
        "true",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ":",
        "?",
        ",",
        " in ",
        " == ",
        " != ",
        " < ",
        " >= ",
        " && ",
        " || ",
        " + ",
        " * ",
        " % ",
        ".exists(x, ",
        ".map(x, ",
        ".filter(x, ",
        "has(",
        "size(",
        "int(",
        "string(",
        ".contains(",
        ".matches(",
        ".size()",
        "date(",
        "json_parse(",
        "now()",
        "// c\n",
        "é",
        "'''",
        "\\",
    ]);
    prop::collection::vec(scrap, 1..24).prop_map(|scraps| scraps.concat())
}

/// Expressions that compile, nested some levels.
fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "event.data",
        "event.data.a",
        "event.data.b.a",
        "event.data.c[0]",
        "event.none",
        "async.a",
        "1",
        "2u",
        "0.5",
        "'text'",
        "b'b'",
        "null",
        "true",
        "[1, 'a', null]",
        "{'a': 1}",
        "now()",
        "duration('1h')",
        "event.ts",
        "-9223372036854775808",
        "9223372036854775807",
        "1e308",
    ])
    .prop_map(ToOwned::to_owned);
    leaf.prop_recursive(5, 48, 3, |inner| {
        let operators = ["==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "&&", "||", "in"];
        let binary = (inner.clone(), prop::sample::select(operators.to_vec()), inner.clone());
        let functions = [
            "!",
            "-",
            "size",
            "int",
            "uint",
            "double",
            "string",
            "bool",
            "bytes",
            "type",
            "timestamp",
            "duration",
            "date",
            "lowercase",
            "b64decode",
            "json_parse",
            "now_plus",
            "now_minus",
        ];
        let macros = ["exists", "all", "exists_one", "map", "filter"];
        prop_oneof![
            3 => binary.prop_map(|(left, operator, right)| format!("({left} {operator} {right})")),
            2 => (prop::sample::select(functions.to_vec()), inner.clone()).prop_map(|(f, x)| format!("{f}({x})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(x, i)| format!("({x})[{i}]")),
            1 => (inner.clone(), inner.clone()).prop_map(|(x, y)| format!("string({x}).matches(string({y}))")),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(c, x, y)| format!("({c} ? {x} : {y})")),
            1 => (inner.clone(), prop::sample::select(macros.to_vec()), inner)
                .prop_map(|(range, name, body)| format!("({range}).{name}(x, x == {body})")),
        ]
    })
}

fn raw(value: &serde_json::Value) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("JSON")
}

fn evaluate(expression: &Expression, event: &RawValue, incoming: &RawValue) {
    let bindings = Bindings { event, incoming: Some(incoming), now: Millis(1_700_000_000_000) };
    let first = expression.evaluate(&bindings).map(|value| format!("{value:?}"));
    let second = expression.evaluate(&bindings).map(|value| format!("{value:?}"));
    assert_eq!(first, second, "the same twice");
    // Whether it holds is an answer or an error; never anything else.
    let _ = expression.holds(&bindings);
}

/// What actors are sent, and what is like it.
fn message() -> impl Strategy<Value = Message> {
    let names = [
        "Start",
        "Summary",
        "Timeline",
        "Journal",
        "Actions",
        "Cancel",
        "Checkpoint",
        "Accept",
        "System",
        "Event",
        "List",
        "Started",
        "Ended",
        "Runs",
        "Register",
        "RemoveUrl",
        "Sync",
        "Overview",
        "Remove",
        "Arrived",
    ];
    let name = prop::sample::select(names.to_vec());
    let body = prop_oneof![
        (name.clone(), json()).prop_map(|(name, body)| serde_json::json!({ name: body }).to_string().into_bytes()),
        name.prop_map(|name| format!("{name:?}").into_bytes()),
        json().prop_map(|body| body.to_string().into_bytes()),
        prop::collection::vec(any::<u8>(), 0..24),
    ];
    let answer = prop_oneof![
        (any::<u16>(), json()).prop_map(|(status, body)| Ok(AppAnswer {
            status,
            headers: vec![("x-inngest-sdk".to_owned(), "js:v4".to_owned())],
            body: body.to_string().into_bytes(),
        })),
        ".{0,8}".prop_map(|text| Err(CallFailure::Unreachable(text))),
    ];
    prop_oneof![
        4 => body.clone().prop_map(Message::Tell),
        4 => body.prop_map(|body| Message::Ask { token: 1, body }),
        2 => (".{0,8}", answer).prop_map(|(id, answer)| Message::Answered(CallOutcome { id, answer })),
        1 => Just(Message::Wake),
        1 => Just(Message::Resume),
        1 => prop::collection::vec(".{0,8}", 0..3).prop_map(Message::Lost),
    ]
}

/// Rows that no actor wrote.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = ("[a-z0-9/]{0,8}", json()).prop_map(|(key, value)| Row { key, value: value.to_string().into_bytes() });
    prop::collection::vec(row, 0..3)
}

/// Makes the actor, and gives it the messages, with `rows` for whatever it asks to read.
fn drive<P: Part>(address: &Address, rows: &[Row], messages: &[Message]) {
    let (catalog, settings) = (Catalog::default(), Settings::default());
    let preloaded: Vec<_> = P::preload(address).into_iter().map(|range| (range, rows.to_vec())).collect();
    let Ok(mut actor) = P::load(address, &preloaded) else { return };
    for message in messages {
        let mut supplied = Supplied::default();
        // An actor that asks again and again has not understood the answer.
        for _ in 0..8 {
            let turn = Turn {
                now: Millis(1_700_000_000_000),
                entropy: Entropy(7),
                catalog: &catalog,
                settings: &settings,
                supplied: &supplied,
            };
            match actor.turn(&turn, message.clone()) {
                Ok(Outcome::Needs(ranges)) => supplied.0.extend(ranges.into_iter().map(|range| (range, rows.to_vec()))),
                Ok(Outcome::Done(_)) | Err(_) => break,
            }
        }
    }
}

proptest! {
    // A failing case belongs into a test of its own, not into a file beside this one.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_rows_and_messages_are_taken_in_or_are_faults(
        rows in prop_oneof![Just(Vec::new()), rows()],
        messages in prop::collection::vec(message(), 1..4),
    ) {
        use ActorKind as K;
        let run = RunId::parse("01HF8Z5D00000000000000000A").expect("a ULID").to_string();
        for (kind, key) in [(K::Catalog, "0"), (K::Stream, "0"), (K::History, "0")] {
            drive::<EventApi>(&Address::new(kind, key), &rows, &messages);
        }
        for key in [run.as_str(), "not a run"] {
            drive::<Executor>(&Address::new(K::Run, key), &rows, &messages);
        }
        drive::<Scheduler>(&Address::new(K::Waits, "a/b"), &rows, &messages);
        drive::<Scheduler>(&Address::new(K::Cron, "app-f"), &rows, &messages);
    }

    #[test]
    fn any_catalog_is_read_or_is_a_fault(snapshot in json()) {
        let _ = Catalog::decode(snapshot.to_string().as_bytes());
    }

    #[test]
    fn any_text_is_an_id_or_is_none(text in "\\PC{0,30}|[0-9A-Z]{24,28}") {
        if let Some(id) = RunId::parse(&text) {
            prop_assert_eq!(RunId::parse(&id.to_string()), Some(id));
        }
        prop_assert_eq!(RunId::parse(&text).is_some(), EventId::parse(&text).is_some());
    }

    #[test]
    fn no_made_up_signature_is_accepted(header in "(t=(170000000[0-9]|[0-9]{0,20}))?(&s=[0-9a-f]{0,70})?\\PC{0,8}", body in json()) {
        let keys = ["signkey-test-12345678".to_owned()];
        prop_assert!(!signing::signature_matches(&keys, &header, body.to_string().as_bytes(), Millis(1_700_000_000_000)));
        prop_assert!(!signing::bearer_matches(&keys, Some(&header)));
    }

    #[test]
    fn any_text_is_an_expression_or_is_refused(source in "\\PC{0,120}") {
        let _ = expression::check(&source, Scope::Trigger);
    }

    #[test]
    fn any_scraps_are_an_expression_or_are_refused(source in scraps(), data in json()) {
        let event = raw(&serde_json::json!({ "data": data, "ts": 1 }));
        if let Ok(expression) = Expression::compile(&source, Scope::Wait) {
            evaluate(&expression, &event, &event);
        }
    }

    #[test]
    fn any_expression_over_any_data_has_an_answer(source in expressions(), data in json(), incoming in json()) {
        let expression = Expression::compile(&source, Scope::Wait).map_err(|e| TestCaseError::fail(format!("{source}: {e}")))?;
        evaluate(&expression, &raw(&serde_json::json!({ "data": data, "ts": 1e12 })), &raw(&incoming));
    }

    #[test]
    fn what_passes_the_check_compiles_for_a_trigger(source in scraps()) {
        prop_assert_eq!(expression::check(&source, Scope::Trigger).is_ok(), Expression::compile(&source, Scope::Trigger).is_ok());
    }

    #[test]
    fn any_name_is_heard_by_itself_and_by_what_is_above_it(name in "\\PC{0,20}", tail in "[ab./]{0,8}") {
        let name = name + &tail;
        let patterns = trigger::patterns_of(&name);
        prop_assert_eq!(patterns.len(), 1 + name.matches(['/', '.']).count());
        for pattern in &patterns {
            prop_assert!(*pattern == name || name.starts_with(pattern.trim_end_matches('*')), "{} {}", pattern, &name);
        }
    }

    #[test]
    fn any_event_starts_or_fails_a_function_but_not_both(source in scraps(), data in json()) {
        let on = |expression| Trigger::Event { name: "a/*".to_owned(), expression };
        let function = Function {
            id: "app-f".into(),
            app: "app".into(),
            name: "f".to_owned(),
            url: "http://app.test/".to_owned(),
            retries: 0,
            triggers: vec![on(Some(source))],
            version: 1,
            flow: Default::default(),
            archived: false,
            paused: None,
            app_calls_max: None,
            callee: Default::default(),
        };
        let catalog = Catalog { functions: [(function.id.clone(), function)].into(), ..Catalog::default() };
        let event = raw(&serde_json::json!({ "data": data }));
        let matches = trigger::started_by(&catalog, "a/b", &event, Millis(1));
        prop_assert!(matches.started.len() + matches.failed.len() <= 1);
    }
}

/// Less than the 512 KiB that wasmtime gives, and a debug build needs more than a release build.
const STACK_BYTES: usize = 384 << 10;

#[test]
fn the_deepest_expressions_fit_a_small_stack() {
    let repeated =
        |open: &str, middle: &str, close: &str, n: usize| format!("{}{middle}{}", open.repeat(n), close.repeat(n));
    let shapes = [
        ("(1 + ", "1", ")"),
        ("size([", "1", "])"),
        ("[", "1", "]"),
        ("{1: ", "1", "}"),
        ("!-", "true", ""),
        ("[1].map(x, ", "x", ")"),
        ("true ? 1 : ", "1", ""),
        ("", "event", ".a"),
        ("", "[1]", "[0]"),
        ("", "1", " + 1"),
        ("", "[1]", ".filter(x, true)"),
        ("has(event.a[", "0", "].b)"),
    ];
    let run = move || {
        let event = raw(&serde_json::json!({}));
        for (open, middle, close) in shapes {
            let compiled = |n| Expression::compile(&repeated(open, middle, close, n), Scope::Wait).ok();
            let deepest = (1..200).rev().find_map(compiled).expect("one of them compiles");
            evaluate(&deepest, &event, &event);
            // What is refused must not need more stack either.
            for n in [200, 1_000, 4_000] {
                let _ = expression::check(&repeated(open, middle, close, n), Scope::Wait);
            }
        }
    };
    std::thread::Builder::new().stack_size(STACK_BYTES).spawn(run).expect("a thread").join().expect("no overflow");
}
