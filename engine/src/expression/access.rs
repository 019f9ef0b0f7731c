//! Fields and elements. What is not there is missing, below whatever it was looked for (SERVER §1.10).

use super::compare;
use super::evaluate::{Evaluated, Evaluator, Failure};
use super::json;
use super::value::Value;

/// `container.name`
pub(super) fn field<'a>(evaluator: &mut Evaluator<'a>, container: &Value<'a>, name: &str) -> Evaluated<'a> {
    match container {
        Value::Json(text) => {
            evaluator.charge_bytes(text.len())?;
            Ok(json::field(text, name))
        }
        Value::Map(entries) => {
            evaluator.charge_bytes(container.bytes())?;
            let is_it = |key: &Value<'_>| matches!(key, Value::String(text) if **text == *name);
            let found = entries.iter().rev().find(|(key, _)| is_it(key));
            Ok(found.map_or(Value::Missing, |(_, value)| value.clone()))
        }
        _ => Ok(Value::Missing),
    }
}

/// `container[key]`
pub(super) fn index<'a>(evaluator: &mut Evaluator<'a>, container: &Value<'a>, key: &Value<'a>) -> Evaluated<'a> {
    match (container, key) {
        (Value::Json(_) | Value::Map(_), Value::String(name)) => field(evaluator, container, name),
        (Value::Json(text), _) => {
            evaluator.charge_bytes(text.len())?;
            Ok(place(key).map_or(Value::Missing, |place| json::element(text, place)))
        }
        (Value::List(elements), _) => {
            Ok(place(key).and_then(|place| elements.get(place).cloned()).unwrap_or(Value::Missing))
        }
        (Value::Map(entries), _) => {
            for (known, value) in entries.iter().rev() {
                if compare::equal(evaluator, known, key)? {
                    return Ok(value.clone());
                }
            }
            Ok(Value::Missing)
        }
        _ => Ok(Value::Missing),
    }
}

/// The elements of a list, the keys of a map; `None` for anything else.
pub(super) fn elements<'a>(
    evaluator: &mut Evaluator<'a>,
    container: &Value<'a>,
) -> Result<Option<std::rc::Rc<Vec<Value<'a>>>>, Failure> {
    evaluator.charge_bytes(container.bytes())?;
    Ok(match container {
        Value::List(elements) => Some(elements.clone()),
        Value::Json(text) if text.starts_with('[') => Some(json::elements(text).into()),
        Value::Json(text) => Some(json::entries(text).into_iter().map(|(key, _)| key).collect::<Vec<_>>().into()),
        Value::Map(entries) => Some(entries.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>().into()),
        _ => None,
    })
}

/// A number as a place in a list, where it is whole and not negative.
fn place(key: &Value<'_>) -> Option<usize> {
    match key {
        Value::Int(place) => usize::try_from(*place).ok(),
        Value::Uint(place) => usize::try_from(*place).ok(),
        Value::Double(place) => super::convert::whole(*place).and_then(|place| usize::try_from(place).ok()),
        _ => None,
    }
}
