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
use stepwell_engine::catalog::{Catalog, Function, Trigger};
use stepwell_engine::expression::{self, Bindings, Expression, Scope};
use stepwell_engine::ids::Millis;
use stepwell_engine::trigger;

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

proptest! {
    #[test]
    fn any_text_is_an_expression_or_is_refused(source in "\\PC{0,120}") {
        let _ = expression::check(&source);
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
        prop_assert_eq!(expression::check(&source).is_ok(), Expression::compile(&source, Scope::Trigger).is_ok());
    }

    #[test]
    fn any_name_is_heard_by_itself_and_by_what_is_above_it(name in "\\PC{0,20}", tail in "[ab./]{0,8}") {
        let name = name + &tail;
        let patterns: Vec<_> = trigger::patterns(&name).collect();
        prop_assert_eq!(patterns.len(), 1 + name.matches(['/', '.']).count());
        for pattern in patterns {
            prop_assert!(pattern == name || name.starts_with(pattern.trim_end_matches('*')), "{} {}", pattern, &name);
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
                let _ = expression::check(&repeated(open, middle, close, n));
            }
        }
    };
    std::thread::Builder::new().stack_size(STACK_BYTES).spawn(run).expect("a thread").join().expect("no overflow");
}
