//! `==`, `<` and their kin, and `in` (the table of SERVER §1.10).

use super::evaluate::{Evaluator, Failure};
use super::tree::Comparison;
use super::value::Value;
use super::{access, json};
use crate::limits::EXPRESSION_DEPTH_MAX;
use std::cmp::Ordering;

/// Whether the comparison holds.
pub(super) fn compare<'a>(
    evaluator: &mut Evaluator<'a>,
    comparison: Comparison,
    left: &Value<'a>,
    right: &Value<'a>,
) -> Result<bool, Failure> {
    let left_is_missing = matches!(left, Value::Missing);
    let one_is_missing = left_is_missing || matches!(right, Value::Missing);
    Ok(match comparison {
        Comparison::Equal => equal(evaluator, left, right)?,
        Comparison::NotEqual => !equal(evaluator, left, right)?,
        Comparison::Less | Comparison::LessOrEqual if one_is_missing => left_is_missing,
        Comparison::Greater | Comparison::GreaterOrEqual if one_is_missing => !left_is_missing,
        Comparison::Less => ordered(evaluator, left, right)?.is_some_and(Ordering::is_lt),
        Comparison::LessOrEqual => ordered(evaluator, left, right)?.is_some_and(Ordering::is_le),
        Comparison::Greater => ordered(evaluator, left, right)?.is_some_and(Ordering::is_gt),
        Comparison::GreaterOrEqual => ordered(evaluator, left, right)?.is_some_and(Ordering::is_ge),
    })
}

/// Whether two values are the same. Missing is the same as null and as nothing else, itself included.
pub(super) fn equal<'a>(evaluator: &mut Evaluator<'a>, left: &Value<'a>, right: &Value<'a>) -> Result<bool, Failure> {
    equal_within(evaluator, left, right, EXPRESSION_DEPTH_MAX)
}

/// `element in container`
pub(super) fn contains<'a>(
    evaluator: &mut Evaluator<'a>,
    element: &Value<'a>,
    container: &Value<'a>,
) -> Result<bool, Failure> {
    if matches!(element, Value::Missing) {
        return Ok(false);
    }
    let Some(elements) = access::elements(evaluator, container)? else { return Ok(false) };
    for candidate in elements.iter() {
        evaluator.charge(1)?;
        if equal(evaluator, element, candidate)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equal_within<'a>(
    evaluator: &mut Evaluator<'a>,
    left: &Value<'a>,
    right: &Value<'a>,
    depth: usize,
) -> Result<bool, Failure> {
    evaluator.charge(1)?;
    let Some(depth) = depth.checked_sub(1) else { return Err(Failure::TooCostly) };
    Ok(match (left, right) {
        (Value::Missing, Value::Null) | (Value::Null, Value::Missing | Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Type(a), Value::Type(b)) => a == b,
        (Value::String(_) | Value::Bytes(_) | Value::Timestamp(_) | Value::Duration(_), _) => {
            scalars(evaluator, left, right)?.is_some_and(Ordering::is_eq)
        }
        (Value::Int(_) | Value::Uint(_) | Value::Double(_), _) => numbers(left, right).is_some_and(Ordering::is_eq),
        (Value::Json(_) | Value::List(_) | Value::Map(_), Value::Json(_) | Value::List(_) | Value::Map(_)) => {
            match (entries(evaluator, left)?, entries(evaluator, right)?) {
                (Some(a), Some(b)) => maps_equal(evaluator, &a, &b, depth)?,
                (None, None) => {
                    let (Some(a), Some(b)) = (access::elements(evaluator, left)?, access::elements(evaluator, right)?)
                    else {
                        return Ok(false);
                    };
                    lists_equal(evaluator, &a, &b, depth)?
                }
                _ => false,
            }
        }
        _ => false,
    })
}

fn lists_equal<'a>(
    evaluator: &mut Evaluator<'a>,
    left: &[Value<'a>],
    right: &[Value<'a>],
    depth: usize,
) -> Result<bool, Failure> {
    if left.len() != right.len() {
        return Ok(false);
    }
    for (a, b) in left.iter().zip(right) {
        if !equal_within(evaluator, a, b, depth)? {
            return Ok(false);
        }
    }
    Ok(true)
}

type Entry<'a> = (Value<'a>, Value<'a>);

fn maps_equal<'a>(
    evaluator: &mut Evaluator<'a>,
    left: &[Entry<'a>],
    right: &[Entry<'a>],
    depth: usize,
) -> Result<bool, Failure> {
    if left.len() != right.len() {
        return Ok(false);
    }
    for (key, a) in left {
        let mut found = false;
        for (candidate, b) in right {
            if equal_within(evaluator, key, candidate, depth)? {
                found = equal_within(evaluator, a, b, depth)?;
                break;
            }
        }
        if !found {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The entries of a map; `None` for a list.
fn entries<'a>(
    evaluator: &mut Evaluator<'a>,
    value: &Value<'a>,
) -> Result<Option<std::rc::Rc<Vec<Entry<'a>>>>, Failure> {
    Ok(match value {
        Value::Map(entries) => Some(entries.clone()),
        Value::Json(text) if text.starts_with('{') => {
            evaluator.charge_bytes(text.len())?;
            Some(json::entries(text).into())
        }
        _ => None,
    })
}

/// Which of two values comes first; `None` where they have no order. Null stands for the other type's zero.
fn ordered<'a>(
    evaluator: &mut Evaluator<'a>,
    left: &Value<'a>,
    right: &Value<'a>,
) -> Result<Option<Ordering>, Failure> {
    Ok(match (left, right) {
        (Value::Null, _) => zero_of(right).and_then(|zero| plain(&zero, right)),
        (_, Value::Null) => zero_of(left).and_then(|zero| plain(left, &zero)),
        _ => scalars(evaluator, left, right)?,
    })
}

fn zero_of(value: &Value<'_>) -> Option<Value<'static>> {
    match value {
        Value::Int(_) => Some(Value::Int(0)),
        Value::Uint(_) => Some(Value::Uint(0)),
        Value::Double(_) => Some(Value::Double(0.0)),
        Value::String(_) => Some(Value::made("")),
        _ => None,
    }
}

/// As [`plain`], paid for.
fn scalars<'a>(
    evaluator: &mut Evaluator<'a>,
    left: &Value<'a>,
    right: &Value<'a>,
) -> Result<Option<Ordering>, Failure> {
    evaluator.charge_bytes(left.bytes().min(right.bytes()))?;
    Ok(plain(left, right))
}

fn plain(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::String(a), Value::String(b)) => Some((**a).cmp(&**b)),
        (Value::Bytes(a), Value::Bytes(b)) => Some(a.cmp(b)),
        (Value::Timestamp(a), Value::Timestamp(b)) => Some(a.cmp(b)),
        (Value::Duration(a), Value::Duration(b)) => Some(a.cmp(b)),
        _ => numbers(left, right),
    }
}

/// Numbers compare by value, whatever their types.
fn numbers(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(b),
        (Value::Double(a), _) => integer(right).and_then(|b| against(*a, b)),
        (_, Value::Double(b)) => integer(left).and_then(|a| against(*b, a)).map(Ordering::reverse),
        _ => Some(integer(left)?.cmp(&integer(right)?)),
    }
}

fn integer(value: &Value<'_>) -> Option<i128> {
    match value {
        Value::Int(value) => Some(i128::from(*value)),
        Value::Uint(value) => Some(i128::from(*value)),
        _ => None,
    }
}

/// A double against a 64-bit integer, exactly: 2^53 + 1 is not 2^53.
fn against(double: f64, integer: i128) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    let Some(floor) = super::convert::floor(double) else {
        return Some(if double > 0.0 { Ordering::Greater } else { Ordering::Less });
    };
    let order = floor.cmp(&integer);
    Some(if order.is_eq() && double.fract() != 0.0 { Ordering::Greater } else { order })
}
