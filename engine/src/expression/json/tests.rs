//! What is found in the text is what a JSON parser finds.

use super::*;
use proptest::prelude::*;

/// JSON text with blanks, escapes, and keys that come twice.
fn text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i32>().prop_map(|value| value.to_string()),
        Just("-1.5e-3".to_owned()),
        r#"[a-c{}\[\],:"\\ é\n]{0,8}"#.prop_map(|text| serde_json::to_string(&text).expect("JSON")),
        Just(r#""\u0061\"\\""#.to_owned()),
    ];
    let blank = prop::sample::select(vec!["", " ", "\n\t"]);
    leaf.prop_recursive(4, 32, 5, move |inner| {
        let key = prop::sample::select(vec![r#""a""#, r#""b""#, r#""\u0061""#, r#""""#, r#""é\"}""#]);
        let field =
            (key, blank.clone(), inner.clone()).prop_map(|(key, b, value)| format!("{b}{key}{b}:{b}{value}{b}"));
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(|elements| format!("[{}]", elements.join(" ,\n"))),
            prop::collection::vec(field, 0..5).prop_map(|fields| format!("{{{}}}", fields.join(","))),
        ]
    })
}

/// Opens everything.
fn decoded(value: &Value<'_>) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Double(value) => (*value).into(),
        Value::String(text) => text.to_string().into(),
        Value::Json(text) if text.starts_with('[') => {
            assert_eq!(size(text), elements(text).len());
            elements(text).iter().map(decoded).collect()
        }
        Value::Json(text) => {
            assert_eq!(size(text), entries(text).len());
            let fields = entries(text).into_iter().map(|(name, value)| {
                let Value::String(name) = name else { panic!("{name:?}") };
                (name.to_string(), decoded(&value))
            });
            serde_json::Value::Object(fields.collect())
        }
        other => panic!("not JSON: {other:?}"),
    }
}

/// All numbers are doubles here.
fn as_doubles(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Number(number) => number.as_f64().into(),
        serde_json::Value::Array(elements) => elements.into_iter().map(as_doubles).collect(),
        serde_json::Value::Object(fields) => {
            serde_json::Value::Object(fields.into_iter().map(|(name, value)| (name, as_doubles(value))).collect())
        }
        other => other,
    }
}

fn decoded_or_null(value: &Value<'_>) -> serde_json::Value {
    if matches!(value, Value::Missing) { serde_json::Value::Null } else { decoded(value) }
}

proptest! {
    #[test]
    fn what_is_found_is_what_a_parser_finds(text in text(), index in 0_usize..5) {
        let parsed = as_doubles(serde_json::from_str(&text).expect("JSON"));
        prop_assert_eq!(&decoded(&value(&text)), &parsed);
        for name in ["a", "b", "", "é\"}", "none"] {
            let expected = parsed.get(name).cloned().unwrap_or_default();
            prop_assert_eq!(&decoded_or_null(&field(&text, name)), &expected);
            let event = format!(r#"{{"data":{text},"ts":1}}"#);
            let path = ["data".to_owned(), name.to_owned()];
            prop_assert_eq!(&decoded_or_null(&walk(&event, &path).0), &expected);
        }
        let expected = parsed.get(index).cloned().unwrap_or_default();
        prop_assert_eq!(&decoded_or_null(&element(&text, index)), &expected);
    }

    #[test]
    fn what_is_not_json_is_skimmed_all_the_same(text in r#"[\[\]{}",:\\ 1a-cé]{0,24}"#) {
        let _ = (value(&text), field(&text, "a"), element(&text, 1), elements(&text), entries(&text), size(&text));
        prop_assert!(walk(&text, &["a".to_owned(), "b".to_owned()]).1 <= text.len() * 3);
    }
}

#[test]
fn a_walk_looks_only_where_it_must() {
    let event = format!(r#"{{"data":{{"a":1,"b":{{"c":2}}}},"id":"{}"}}"#, "x".repeat(10_000));
    let looked_at = |fields: &[&str]| walk(&event, &fields.iter().map(ToString::to_string).collect::<Vec<_>>()).1;
    assert!(looked_at(&["data", "b", "c"]) < 60);
    assert!(looked_at(&["id"]) > 10_000);
}
