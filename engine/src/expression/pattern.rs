//! Regular expressions: RE2's dialect, in linear time.

use super::evaluate::{Evaluated, Evaluator};
use super::value::Value;
use crate::limits::EXPRESSION_REGEX_BYTES_MAX;
use regex_lite::{Regex, RegexBuilder};

/// A compiled pattern may have about so many states.
const STATES_MAX: u64 = 4_096;
/// A state looked at for so many bytes costs one step.
const BYTES_TIMES_STATES_PER_STEP: u64 = 64;

/// Compiles a pattern; with it comes an estimate of its states.
pub(super) fn compile(pattern: &str) -> Result<(Regex, u64), String> {
    // In CEL `\b` is a backspace, which nobody looks for; in a regular expression it is a word's edge.
    let pattern = pattern.replace('\u{8}', r"\b");
    let regex = RegexBuilder::new(&pattern)
        .size_limit(EXPRESSION_REGEX_BYTES_MAX)
        .nest_limit(32)
        .build()
        .map_err(|error| format!("`{pattern}` is not a regular expression: {error}"))?;
    Ok((regex, states(&pattern)))
}

/// `subject.matches(pattern)`
pub(super) fn matches<'a>(evaluator: &mut Evaluator<'a>, subject: &Value<'a>, pattern: &(Regex, u64)) -> Evaluated<'a> {
    let Value::String(subject) = subject else { return Ok(Value::Bool(false)) };
    let (regex, states) = pattern;
    let bytes = u64::try_from(subject.len()).unwrap_or(u64::MAX);
    evaluator.charge(bytes.saturating_mul(*states).div_ceil(BYTES_TIMES_STATES_PER_STEP))?;
    Ok(Value::Bool(regex.is_match(subject)))
}

/// About the length of the pattern, times what it repeats by count.
fn states(pattern: &str) -> u64 {
    let length = u64::try_from(pattern.len()).unwrap_or(u64::MAX).saturating_add(1);
    let counts = pattern.split('{').skip(1).filter_map(|after| {
        let (numbers, _) = after.split_once('}')?;
        numbers.split(',').filter_map(|number| number.trim().parse::<u64>().ok()).max()
    });
    counts.fold(length, |states, count| states.saturating_mul(count.max(1))).min(STATES_MAX)
}
