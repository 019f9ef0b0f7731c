//! `all`, `exists`, `exists_one`, `map`, `filter`. Over what is neither list nor map they are false (SERVER §1.10).

use super::access;
use super::evaluate::{Evaluated, Evaluator};
use super::tree::{Action, Each};
use super::value::Value;

/// Runs a macro.
pub(super) fn each<'a>(evaluator: &mut Evaluator<'a>, each: &'a Each) -> Evaluated<'a> {
    let range = evaluator.value(&each.range)?;
    let Some(elements) = access::elements(evaluator, &range)? else { return Ok(Value::Bool(false)) };
    match &each.action {
        Action::All(predicate) => {
            for element in elements.iter() {
                if !evaluator.with_local(element.clone(), |evaluator| evaluator.truth(predicate))? {
                    return Ok(Value::Bool(false));
                }
            }
            Ok(Value::Bool(true))
        }
        Action::Exists(predicate) => {
            for element in elements.iter() {
                if evaluator.with_local(element.clone(), |evaluator| evaluator.truth(predicate))? {
                    return Ok(Value::Bool(true));
                }
            }
            Ok(Value::Bool(false))
        }
        Action::ExistsOne(predicate) => {
            let mut holds = 0_usize;
            for element in elements.iter() {
                let one = evaluator.with_local(element.clone(), |evaluator| evaluator.truth(predicate))?;
                holds = holds.saturating_add(usize::from(one));
            }
            Ok(Value::Bool(holds == 1))
        }
        Action::Collect { condition, value } => {
            let mut collected = Vec::new();
            for element in elements.iter() {
                let kept = evaluator.with_local(element.clone(), |evaluator| match condition {
                    Some(condition) if !evaluator.truth(condition)? => Ok(None),
                    _ => evaluator.value(value).map(Some),
                })?;
                collected.extend(kept);
            }
            Ok(Value::list(collected))
        }
    }
}
