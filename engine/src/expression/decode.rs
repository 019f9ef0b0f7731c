//! `b64decode` and `json_parse`: encoded text inside of payloads. Bad text is not an error.

use super::evaluate::{Evaluated, Evaluator};
use super::value::Value;
use base64::Engine as _;

/// What decoded before the first fault (SERVER §1.10).
pub(super) fn base64(text: &str) -> String {
    let standard = base64::engine::general_purpose::STANDARD;
    let bytes = standard.decode(text).unwrap_or_else(|_| {
        let alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        let valid = text.bytes().take_while(alphabet).count();
        let whole = text.as_bytes().get(..valid.saturating_sub(valid.checked_rem(4).unwrap_or(0))).unwrap_or_default();
        standard.decode(whole).unwrap_or_default()
    });
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An object; anything else is an empty map (SERVER §1.10).
pub(super) fn json<'a>(evaluator: &mut Evaluator<'a>, text: &str) -> Evaluated<'a> {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(parsed @ serde_json::Value::Object(_)) => made(evaluator, parsed),
        _ => Ok(Value::Map(Vec::new().into())),
    }
}

/// Depth is bounded by the JSON parser.
fn made<'a>(evaluator: &mut Evaluator<'a>, parsed: serde_json::Value) -> Evaluated<'a> {
    evaluator.charge(1)?;
    Ok(match parsed {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(value),
        serde_json::Value::Number(number) => number.as_f64().map_or(Value::Missing, Value::Double),
        serde_json::Value::String(text) => Value::made(text),
        serde_json::Value::Array(elements) => {
            Value::list(elements.into_iter().map(|element| made(evaluator, element)).collect::<Result<_, _>>()?)
        }
        serde_json::Value::Object(fields) => {
            let mut entries = Vec::with_capacity(fields.len());
            for (name, value) in fields {
                entries.push((Value::made(name), made(evaluator, value)?));
            }
            Value::Map(entries.into())
        }
    })
}
