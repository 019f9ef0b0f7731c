//! Expressions and events that the dice make up. A few names only, so that what is asked for is often there.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

const FIELDS: [&str; 6] = ["a", "b", "list", "map", "at", "text"];
const TEXTS: [&str; 8] = ["", "a", "abc", "7", "2023-11-14T12:00:00Z", "[1,{\"a\":2}]", "aGk=", "\u{e9}\u{1f980}"];
const NUMBERS: [&str; 9] = ["0", "1", "7", "-3", "9.5", "1e300", "-0.0", "9223372036854775807", "0.1"];
const BINARY: [&str; 14] = ["==", "!=", "<", "<=", ">", ">=", "&&", "||", "+", "-", "*", "/", "%", "in"];
const UNARY: [&str; 18] = [
    "size",
    "lowercase",
    "uppercase",
    "b64decode",
    "json_parse",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "bool",
    "timestamp",
    "duration",
    "type",
    "dyn",
    "date",
    "now_plus",
    "now_minus",
];
const METHODS: [&str; 8] = [
    "size()",
    "getHours()",
    "getFullYear('UTC')",
    "contains('a')",
    "startsWith('a')",
    "endsWith('c')",
    "matches('a.*c')",
    "matches('(')",
];
const MACROS: [&str; 5] = ["all", "exists", "exists_one", "filter", "map"];

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A JSON value.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        select(&TEXTS[..]).prop_map(quoted),
        select(&NUMBERS[..]).prop_map(str::to_owned),
        select(&["true", "false", "null"][..]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|elements| format!("[{}]", elements.join(", "))),
            vec((select(&FIELDS[..]), inner), 0..4).prop_map(|entries| object(&entries)),
        ]
    })
}

fn object(entries: &[(&str, String)]) -> String {
    let entries: Vec<String> = entries.iter().map(|(name, value)| format!("{} : {value}", quoted(name))).collect();
    format!("{{{}}}", entries.join(","))
}

/// An event.
pub fn document() -> impl Strategy<Value = String> {
    vec((select(&FIELDS[..]), json()), 0..6)
        .prop_map(|entries| format!("{{\"name\":\"e\",\"ts\":1700000000000,\"data\":{}}}", object(&entries)))
}

/// Something that has a value by itself.
fn leaf() -> impl Strategy<Value = String> {
    let path =
        (select(&["event", "async"][..]), select(&FIELDS[..])).prop_map(|(root, field)| format!("{root}.data.{field}"));
    prop_oneof![
        6 => path,
        2 => select(&TEXTS[..]).prop_map(quoted),
        2 => select(&NUMBERS[..]).prop_map(str::to_owned),
        1 => select(&["true", "false", "null", "3u", "b\"x\"", "now()", "int", "event", "event.name"][..]).prop_map(str::to_owned),
    ]
}

/// An expression of the dialect.
pub fn expression() -> impl Strategy<Value = String> {
    leaf().prop_recursive(5, 40, 3, |inner| {
        let two = || (inner.clone(), inner.clone());
        prop_oneof![
            // What waits are made of comes most often.
            4 => (select(&["event", "async"][..]), select(&FIELDS[..]), inner.clone())
                .prop_map(|(root, field, other)| format!("{root}.data.{field} == {other}")),
            4 => (two(), select(&BINARY[..])).prop_map(|((left, right), between)| format!("({left} {between} {right})")),
            3 => two().prop_map(|(left, right)| format!("{left} && {right}")),
            1 => (inner.clone(), two()).prop_map(|(holds, (yes, no))| format!("({holds} ? {yes} : {no})")),
            1 => inner.clone().prop_map(|operand| format!("!({operand})")),
            1 => inner.clone().prop_map(|operand| format!("-({operand})")),
            2 => (select(&UNARY[..]), inner.clone()).prop_map(|(name, operand)| format!("{name}({operand})")),
            1 => (inner.clone(), select(&METHODS[..])).prop_filter("a pattern that is none is refused", |(_, method)| *method != "matches('(')")
                .prop_map(|(operand, method)| format!("({operand}).{method}")),
            1 => two().prop_map(|(subject, pattern)| format!("({subject}).matches(string({pattern}))")),
            1 => two().prop_map(|(container, key)| format!("({container})[{key}]")),
            1 => (inner.clone(), select(&FIELDS[..])).prop_map(|(operand, field)| format!("({operand}).{field}")),
            1 => (select(&["event", "async"][..]), select(&FIELDS[..]), select(&FIELDS[..]))
                .prop_map(|(root, first, second)| format!("has({root}.data.{first}.{second})")),
            1 => vec(inner.clone(), 0..3).prop_map(|elements| format!("[{}]", elements.join(", "))),
            1 => (select(&FIELDS[..]), inner.clone()).prop_map(|(key, value)| format!("{{\"{key}\": {value}}}")),
            1 => (two(), select(&MACROS[..])).prop_map(|((range, body), name)| format!("({range}).{name}(x, {body} == x)")),
        ]
    })
}

/// An expression that somebody has mistyped.
pub fn garbled() -> impl Strategy<Value = String> {
    (expression(), any::<prop::sample::Index>(), any::<prop::sample::Index>(), "\\PC{0,3}").prop_map(
        |(source, from, to, typed)| {
            let characters: Vec<char> = source.chars().collect();
            let (from, to) = (from.index(characters.len()), to.index(characters.len()));
            let (from, to) = (from.min(to), from.max(to).min(from.saturating_add(4)));
            let before = characters.iter().take(from);
            let after = characters.iter().skip(to.max(from));
            before.copied().chain(typed.chars()).chain(after.copied()).collect()
        },
    )
}
