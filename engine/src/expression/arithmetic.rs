//! `+ - * / %`. Types do not mix, and what has no result is false (SERVER §1.10).

use super::evaluate::{Evaluated, Evaluator};
use super::format;
use super::tree::Operator;
use super::value::Value;

/// `left operator right`
pub(super) fn combine<'a>(
    evaluator: &mut Evaluator<'a>,
    operator: Operator,
    left: Value<'a>,
    right: Value<'a>,
) -> Evaluated<'a> {
    if operator == Operator::Add {
        return add(evaluator, left, right);
    }
    Ok(match (left, right) {
        (Value::Int(a), Value::Int(b)) => integers(operator, a, b).map(Value::Int),
        (Value::Uint(a), Value::Uint(b)) => unsigned(operator, a, b).map(Value::Uint),
        (Value::Double(a), Value::Double(b)) => doubles(operator, a, b).map(Value::Double),
        (Value::Timestamp(a), Value::Timestamp(b)) if operator == Operator::Subtract => {
            Some(Value::Duration(a.signed_duration_since(b)))
        }
        (Value::Timestamp(a), Value::Duration(b)) if operator == Operator::Subtract => {
            a.checked_sub_signed(b).map(Value::Timestamp)
        }
        (Value::Duration(a), Value::Duration(b)) if operator == Operator::Subtract => {
            a.checked_sub(&b).map(Value::Duration)
        }
        _ => None,
    }
    .unwrap_or(Value::Bool(false)))
}

/// `-x`
pub(super) fn negate<'a>(operand: &Value<'a>) -> Value<'a> {
    match operand {
        Value::Int(value) => value.checked_neg().map(Value::Int),
        Value::Double(value) => Some(Value::Double(-value)),
        Value::Duration(value) => chrono::TimeDelta::zero().checked_sub(value).map(Value::Duration),
        _ => None,
    }
    .unwrap_or(Value::Bool(false))
}

/// What is missing adds nothing; what is null spoils the sum.
fn add<'a>(evaluator: &mut Evaluator<'a>, left: Value<'a>, right: Value<'a>) -> Evaluated<'a> {
    let sum = match (left, right) {
        (Value::Missing, Value::Missing) | (Value::Null, _) | (_, Value::Null) => None,
        (Value::Missing, other) | (other, Value::Missing) => Some(other),
        (Value::Int(a), Value::Int(b)) => a.checked_add(b).map(Value::Int),
        (Value::Uint(a), Value::Uint(b)) => a.checked_add(b).map(Value::Uint),
        (Value::Double(a), Value::Double(b)) => Some(Value::Double(a + b)),
        (Value::Timestamp(at), Value::Duration(span)) | (Value::Duration(span), Value::Timestamp(at)) => {
            at.checked_add_signed(span).map(Value::Timestamp)
        }
        (Value::Duration(a), Value::Duration(b)) => a.checked_add(&b).map(Value::Duration),
        (Value::Bytes(a), Value::Bytes(b)) => {
            evaluator.charge_bytes(a.len().saturating_add(b.len()))?;
            Some(Value::Bytes([&*a, &*b].concat().into()))
        }
        (left, right) if matches!(left, Value::String(_)) || matches!(right, Value::String(_)) => {
            let mut text = format::text(evaluator, &left)?;
            text.push_str(&format::text(evaluator, &right)?);
            Some(Value::made(text))
        }
        (left, right) if left.kind() == "list" && right.kind() == "list" => {
            let (a, b) = (super::access::elements(evaluator, &left)?, super::access::elements(evaluator, &right)?);
            a.zip(b).map(|(a, b)| Value::list(a.iter().chain(b.iter()).cloned().collect()))
        }
        _ => None,
    };
    Ok(sum.unwrap_or(Value::Bool(false)))
}

fn integers(operator: Operator, a: i64, b: i64) -> Option<i64> {
    match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        Operator::Divide => a.checked_div(b),
        Operator::Modulo => a.checked_rem(b),
    }
}

fn unsigned(operator: Operator, a: u64, b: u64) -> Option<u64> {
    match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        Operator::Divide => a.checked_div(b),
        Operator::Modulo => a.checked_rem(b),
    }
}

/// CEL has no `%` for doubles.
fn doubles(operator: Operator, a: f64, b: f64) -> Option<f64> {
    match operator {
        Operator::Add => Some(a + b),
        Operator::Subtract => Some(a - b),
        Operator::Multiply => Some(a * b),
        Operator::Divide => Some(a / b),
        Operator::Modulo => None,
    }
}
