//! Conversions: what cannot be converted is false (SERVER §1.10).

use super::dates;
use super::evaluate::{Evaluator, Failure};
use super::format;
use super::value::Value;

/// Beyond it a double is no 64-bit integer.
const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
/// Beyond it a double is no unsigned 64-bit integer.
const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;

/// `int(x)`
pub(super) fn int(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Int(value) => Some(*value),
        Value::Uint(value) => i64::try_from(*value).ok(),
        Value::Double(value) => truncated(*value).and_then(|value| i64::try_from(value).ok()),
        Value::String(text) => text.parse().ok(),
        Value::Timestamp(at) => Some(at.timestamp()),
        Value::Duration(span) => span.num_nanoseconds(),
        _ => None,
    }
}

/// `uint(x)`
pub(super) fn uint(value: &Value<'_>) -> Option<u64> {
    match value {
        Value::Int(value) => u64::try_from(*value).ok(),
        Value::Uint(value) => Some(*value),
        Value::Double(value) => truncated(*value).and_then(|value| u64::try_from(value).ok()),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// `double(x)`
#[allow(clippy::as_conversions, clippy::cast_precision_loss)] // CEL's double(int) rounds, as `as` does.
pub(super) fn double(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Int(value) => Some(*value as f64),
        Value::Uint(value) => Some(*value as f64),
        Value::Double(value) => Some(*value),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// `bool(x)`
pub(super) fn bool(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::String(text) => match &**text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// `string(x)`
pub(super) fn string<'a>(evaluator: &mut Evaluator<'a>, value: Value<'a>) -> Result<Option<Value<'a>>, Failure> {
    Ok(match value {
        Value::String(text) => Some(Value::String(text)),
        Value::Bytes(bytes) => std::str::from_utf8(&bytes).ok().map(Value::made),
        Value::Bool(_)
        | Value::Int(_)
        | Value::Uint(_)
        | Value::Double(_)
        | Value::Timestamp(_)
        | Value::Duration(_) => Some(Value::made(format::text(evaluator, &value)?)),
        _ => None,
    })
}

/// `timestamp(x)`
pub(super) fn timestamp<'a>(value: &Value<'_>) -> Option<Value<'a>> {
    match value {
        Value::Timestamp(at) => Some(Value::Timestamp(*at)),
        Value::Int(seconds) => chrono::DateTime::from_timestamp(*seconds, 0).map(Value::Timestamp),
        Value::String(text) => dates::rfc3339(text).map(Value::Timestamp),
        _ => None,
    }
}

/// `duration(x)`
pub(super) fn duration<'a>(value: &Value<'_>) -> Option<Value<'a>> {
    match value {
        Value::Duration(span) => Some(Value::Duration(*span)),
        Value::String(text) => dates::duration(text).map(Value::Duration),
        _ => None,
    }
}

/// The integer that a double is, where it is one.
pub(super) fn whole(value: f64) -> Option<i128> {
    if value.fract() == 0.0 { truncated(value) } else { None }
}

/// The largest integer that is not larger; `None` far outside of 64 bits.
pub(super) fn floor(value: f64) -> Option<i128> {
    truncated(value.floor())
}

/// Towards zero; `None` outside of what 64 bits, signed or not, can hold.
#[allow(clippy::as_conversions, clippy::cast_possible_truncation)] // Checked to be in range first.
fn truncated(value: f64) -> Option<i128> {
    (-TWO_TO_63..TWO_TO_64).contains(&value).then_some(value as i128)
}
