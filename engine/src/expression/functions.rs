//! The functions: which there are, and what each does (SERVER §1.10).

use super::evaluate::{Evaluated, Evaluator, Failure};
use super::value::{Text, Value};
use super::{convert, dates, json, pattern};
use base64::Engine as _;
use chrono::{DateTime, Datelike, FixedOffset, Timelike, Utc};

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

/// A part of a moment or of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    FullYear,
    Month,
    Date,
    DayOfMonth,
    DayOfWeek,
    DayOfYear,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
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
        (None, _) => (function == Function::Now).then(|| moment(evaluator)).flatten().map(Value::Timestamp),
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
        (Function::Base64Decode, Value::String(text)) => Some(Value::made(base64_decode(&text))),
        (Function::JsonParse, Value::String(text)) => Some(json_parse(evaluator, &text)?),
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
        (Function::Date, value) => date(&value).map(Value::Timestamp),
        (Function::NowPlus, value) => shifted(evaluator, &value, false),
        (Function::NowMinus, value) => shifted(evaluator, &value, true),
        (Function::Part(part), value) => part_of(part, &value, None).map(Value::Int),
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
            return Ok(part_of(part, value, Some(zone)).map(Value::Int));
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

/// What decoded before the first fault (SERVER §1.10).
fn base64_decode(text: &str) -> String {
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
fn json_parse<'a>(evaluator: &mut Evaluator<'a>, text: &str) -> Evaluated<'a> {
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

fn moment(evaluator: &Evaluator<'_>) -> Option<DateTime<Utc>> {
    i64::try_from(evaluator.now().0).ok().and_then(DateTime::from_timestamp_millis)
}

fn date(value: &Value<'_>) -> Option<DateTime<Utc>> {
    match value {
        Value::String(text) => dates::date(text),
        Value::Timestamp(at) => Some(*at),
        number => convert::int(number).and_then(dates::date_of_number),
    }
}

fn shifted<'a>(evaluator: &Evaluator<'a>, span: &Value<'_>, back: bool) -> Option<Value<'a>> {
    let now = moment(evaluator)?;
    let Some(Value::Duration(span)) = convert::duration(span) else { return None };
    if back { now.checked_sub_signed(span) } else { now.checked_add_signed(span) }.map(Value::Timestamp)
}

fn part_of(part: Part, value: &Value<'_>, zone: Option<&Text<'_>>) -> Option<i64> {
    match value {
        Value::Timestamp(at) => {
            let offset = zone.map_or(Some(FixedOffset::east_opt(0)?), |zone| offset(zone))?;
            Some(part_of_moment(part, at.with_timezone(&offset)))
        }
        Value::Duration(span) if zone.is_none() => match part {
            Part::Hours => Some(span.num_hours()),
            Part::Minutes => Some(span.num_minutes()),
            Part::Seconds => Some(span.num_seconds()),
            Part::Milliseconds => Some(i64::from(span.subsec_millis())),
            _ => None,
        },
        _ => None,
    }
}

fn part_of_moment(part: Part, at: DateTime<FixedOffset>) -> i64 {
    match part {
        Part::FullYear => i64::from(at.year()),
        Part::Month => i64::from(at.month0()),
        Part::Date => i64::from(at.day()),
        Part::DayOfMonth => i64::from(at.day0()),
        Part::DayOfWeek => i64::from(at.weekday().num_days_from_sunday()),
        Part::DayOfYear => i64::from(at.ordinal0()),
        Part::Hours => i64::from(at.hour()),
        Part::Minutes => i64::from(at.minute()),
        Part::Seconds => i64::from(at.second()),
        Part::Milliseconds => i64::from(at.timestamp_subsec_millis()),
    }
}

/// `UTC`, `+02:00` or `02:00`. Named zones need the zone tables, which come with cron.
fn offset(zone: &str) -> Option<FixedOffset> {
    if zone == "UTC" {
        return FixedOffset::east_opt(0);
    }
    let (east, rest) = match zone.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, zone.strip_prefix('+').unwrap_or(zone)),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes) = (hours.parse::<u8>().ok()?, minutes.parse::<u8>().ok()?);
    let seconds = i32::from(hours).checked_mul(3_600)?.checked_add(i32::from(minutes).checked_mul(60)?)?;
    FixedOffset::east_opt(seconds.checked_mul(east)?)
}
