//! Values as text, the way Go's `%v` writes them: that is what concatenation and keys are made of (SERVER §1.10).

use super::access;
use super::evaluate::{Evaluator, Failure};
use super::json;
use super::value::Value;
use crate::limits::EXPRESSION_DEPTH_MAX;
use chrono::SecondsFormat;

/// The text of a value.
pub(super) fn text<'a>(evaluator: &mut Evaluator<'a>, value: &Value<'a>) -> Result<String, Failure> {
    let mut out = String::new();
    write(evaluator, value, &mut out, EXPRESSION_DEPTH_MAX)?;
    evaluator.charge_bytes(out.len())?;
    Ok(out)
}

/// The beginning of a value, for error messages.
pub(super) fn excerpt(value: &Value<'_>) -> String {
    const CHARACTERS_MAX: usize = 64;
    let text = match value {
        Value::Json(text) => (*text).to_owned(),
        Value::List(_) | Value::Map(_) => "…".to_owned(),
        other => scalar(other),
    };
    text.chars().take(CHARACTERS_MAX).collect()
}

fn write<'a>(evaluator: &mut Evaluator<'a>, value: &Value<'a>, out: &mut String, depth: usize) -> Result<(), Failure> {
    evaluator.charge(1)?;
    let Some(depth) = depth.checked_sub(1) else { return Err(Failure::TooCostly) };
    let entries = match value {
        Value::Map(entries) => entries.clone(),
        Value::Json(text) if text.starts_with('{') => {
            evaluator.charge_bytes(text.len())?;
            json::entries(text).into()
        }
        Value::List(_) | Value::Json(_) => {
            let elements = access::elements(evaluator, value)?.unwrap_or_default();
            out.push('[');
            for (place, element) in elements.iter().enumerate() {
                if place > 0 {
                    out.push(' ');
                }
                write(evaluator, element, out, depth)?;
            }
            out.push(']');
            return Ok(());
        }
        other => {
            out.push_str(&scalar(other));
            return Ok(());
        }
    };
    let mut written = Vec::with_capacity(entries.len());
    for (key, value) in entries.iter() {
        let mut pair = scalar(key);
        pair.push(':');
        write(evaluator, value, &mut pair, depth)?;
        written.push(pair);
    }
    written.sort();
    out.push_str("map[");
    out.push_str(&written.join(" "));
    out.push(']');
    Ok(())
}

fn scalar(value: &Value<'_>) -> String {
    match value {
        Value::Missing => String::new(),
        Value::Null => "<nil>".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => value.to_string(),
        Value::Double(value) => double(*value),
        Value::String(text) => (**text).to_owned(),
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Timestamp(at) => at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        Value::Duration(span) => format!("{}s", double(span.as_seconds_f64())),
        Value::Type(name) => (*name).to_owned(),
        Value::Json(_) | Value::List(_) | Value::Map(_) => String::new(),
    }
}

/// The shortest digits that read back the same, with an exponent below 1e-4 and from 1e21 on, as JSON is written: ids of seven digits are to be told
/// as they are.
fn double(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    if value == 0.0 || (value.abs() >= 1e-4 && value.abs() < 1e21) {
        return value.to_string();
    }
    // 1e+21 and 1e-07, where Rust writes 1e21 and 1e-7.
    let text = format!("{value:e}");
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}
