//! The functions: which there are, and what each does (SERVER §1.10).

use super::evaluate::{Evaluated, Evaluator, Failure};
use super::moments::{self, Part};
use super::value::Value;
use super::{convert, dates, decode, json, pattern};

/// A function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    Matches,
    Lowercase,
    Uppercase,
    Base64Decode,
    JsonParse,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Bool,
    Timestamp,
    Duration,
    Type,
    Dyn,
    Date,
    Now,
    NowPlus,
    NowMinus,
    Part(Part),
}

/// Names that stand for types.
pub(super) const TYPES: &[&str] =
    &["bool", "bytes", "double", "int", "uint", "string", "list", "map", "null_type", "type"];

/// `name(…)` with the fewest and the most arguments.
const GLOBALS: &[(&str, usize, usize, Function)] = &[
    ("size", 1, 1, Function::Size),
    ("matches", 2, 2, Function::Matches),
    ("lowercase", 1, 1, Function::Lowercase),
    ("uppercase", 1, 1, Function::Uppercase),
    ("b64decode", 1, 1, Function::Base64Decode),
    ("json_parse", 1, 1, Function::JsonParse),
    ("int", 1, 1, Function::Int),
    ("uint", 1, 1, Function::Uint),
    ("double", 1, 1, Function::Double),
    ("string", 1, 1, Function::String),
    ("bytes", 1, 1, Function::Bytes),
    ("bool", 1, 1, Function::Bool),
    ("timestamp", 1, 1, Function::Timestamp),
    ("duration", 1, 1, Function::Duration),
    ("type", 1, 1, Function::Type),
    ("dyn", 1, 1, Function::Dyn),
    ("date", 1, 1, Function::Date),
    ("now", 0, 0, Function::Now),
    ("now_plus", 1, 1, Function::NowPlus),
    ("now_minus", 1, 1, Function::NowMinus),
];

/// `x.name(…)`, `x` not counted.
const METHODS: &[(&str, usize, usize, Function)] = &[
    ("size", 0, 0, Function::Size),
    ("contains", 1, 1, Function::Contains),
    ("startsWith", 1, 1, Function::StartsWith),
    ("endsWith", 1, 1, Function::EndsWith),
    ("matches", 1, 1, Function::Matches),
    ("getFullYear", 0, 1, Function::Part(Part::FullYear)),
    ("getMonth", 0, 1, Function::Part(Part::Month)),
    ("getDate", 0, 1, Function::Part(Part::Date)),
    ("getDayOfMonth", 0, 1, Function::Part(Part::DayOfMonth)),
    ("getDayOfWeek", 0, 1, Function::Part(Part::DayOfWeek)),
    ("getDayOfYear", 0, 1, Function::Part(Part::DayOfYear)),
    ("getHours", 0, 1, Function::Part(Part::Hours)),
    ("getMinutes", 0, 1, Function::Part(Part::Minutes)),
    ("getSeconds", 0, 1, Function::Part(Part::Seconds)),
    ("getMilliseconds", 0, 1, Function::Part(Part::Milliseconds)),
];

/// What a call's name leads to.
pub(super) enum Call {
    /// This function.
    Known(Function),
    /// A function that takes another number of arguments.
    WrongCount,
    /// Nothing.
    Unknown,
}

/// The function `name(…)`.
pub(super) fn global(name: &str, arguments: usize) -> Call {
    find(GLOBALS, name, arguments)
}

/// The function `x.name(…)`.
pub(super) fn method(name: &str, arguments: usize) -> Call {
    find(METHODS, name, arguments)
}

fn find(table: &[(&str, usize, usize, Function)], name: &str, arguments: usize) -> Call {
    match table.iter().find(|(known, ..)| *known == name) {
        Some((_, fewest, most, function)) if (*fewest..=*most).contains(&arguments) => Call::Known(*function),
        Some(_) => Call::WrongCount,
        None => Call::Unknown,
    }
}

/// Calls a function; `x` of `x.f(…)` is the first argument. Of what is missing, `size` makes 0 and all others false.
pub(super) fn call<'a>(evaluator: &mut Evaluator<'a>, function: Function, args: Vec<Value<'a>>) -> Evaluated<'a> {
    if args.iter().any(|arg| matches!(arg, Value::Missing)) {
        return Ok(if function == Function::Size { Value::Int(0) } else { Value::Bool(false) });
    }
    for arg in &args {
        evaluator.charge_bytes(arg.bytes())?;
    }
    let mut args = args.into_iter();
    let result = match (args.next(), args.next()) {
        (None, _) => {
            (function == Function::Now).then(|| dates::moment(evaluator.now())).flatten().map(Value::Timestamp)
        }
        (Some(only), None) => unary(evaluator, function, only)?,
        (Some(first), Some(second)) => binary(evaluator, function, &first, &second)?,
    };
    Ok(result.unwrap_or(Value::Bool(false)))
}

fn unary<'a>(
    evaluator: &mut Evaluator<'a>,
    function: Function,
    value: Value<'a>,
) -> Result<Option<Value<'a>>, Failure> {
    Ok(match (function, value) {
        (Function::Size, value) => size(&value).and_then(|size| i64::try_from(size).ok()).map(Value::Int),
        (Function::Lowercase, Value::String(text)) => Some(Value::made(text.to_lowercase())),
        (Function::Uppercase, Value::String(text)) => Some(Value::made(text.to_uppercase())),
        (Function::Base64Decode, Value::String(text)) => Some(Value::made(decode::base64(&text))),
        (Function::JsonParse, Value::String(text)) => Some(decode::json(evaluator, &text)?),
        (Function::Int, value) => convert::int(&value).map(Value::Int),
        (Function::Uint, value) => convert::uint(&value).map(Value::Uint),
        (Function::Double, value) => convert::double(&value).map(Value::Double),
        (Function::Bool, value) => convert::bool(&value).map(Value::Bool),
        (Function::String, value) => convert::string(evaluator, value)?,
        (Function::Bytes, Value::String(text)) => Some(Value::Bytes(text.as_bytes().into())),
        (Function::Bytes, Value::Bytes(bytes)) => Some(Value::Bytes(bytes)),
        (Function::Timestamp, value) => convert::timestamp(&value),
        (Function::Duration, value) => convert::duration(&value),
        (Function::Type, value) => Some(Value::Type(value.kind())),
        (Function::Dyn, value) => Some(value),
        (Function::Date, value) => moments::date(&value).map(Value::Timestamp),
        (Function::NowPlus, value) => moments::shifted(evaluator.now(), &value, false),
        (Function::NowMinus, value) => moments::shifted(evaluator.now(), &value, true),
        (Function::Part(part), value) => moments::part_of(part, &value, None).map(Value::Int),
        _ => None,
    })
}

fn binary<'a>(
    evaluator: &mut Evaluator<'a>,
    function: Function,
    first: &Value<'a>,
    second: &Value<'a>,
) -> Result<Option<Value<'a>>, Failure> {
    let (first, second) = match (function, first, second) {
        (Function::Part(part), value, Value::String(zone)) => {
            return Ok(moments::part_of(part, value, Some(zone)).map(Value::Int));
        }
        (_, Value::String(first), Value::String(second)) => (first, second),
        _ => return Ok(None),
    };
    Ok(match function {
        Function::Contains => Some(Value::Bool(first.contains(&**second))),
        Function::StartsWith => Some(Value::Bool(first.starts_with(&**second))),
        Function::EndsWith => Some(Value::Bool(first.ends_with(&**second))),
        Function::Matches => {
            // Compiling is the costly part, whatever the text.
            evaluator.charge(1_000)?;
            match pattern::compile(second) {
                Ok(compiled) => Some(pattern::matches(evaluator, &Value::String(first.clone()), &compiled)?),
                Err(_) => None,
            }
        }
        _ => None,
    })
}

fn size(value: &Value<'_>) -> Option<usize> {
    match value {
        Value::String(text) => Some(text.chars().count()),
        Value::Bytes(bytes) => Some(bytes.len()),
        Value::List(elements) => Some(elements.len()),
        Value::Map(entries) => Some(entries.len()),
        Value::Json(text) => Some(json::size(text)),
        _ => None,
    }
}
