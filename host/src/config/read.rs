//! Single values, read from how they were written: the same rules for each source. Every one fails with [`Error::Invalid`].

use super::CatchUp;
use super::error::Error;
use super::layer::{Given, Value};
use crate::limits::{CALLS_IN_FLIGHT_MAX, PARTITIONS_MAX};
use crate::logging;
use std::time::Duration;
use url::Url;

/// From one poll to the next.
pub const POLL_INTERVAL_DEFAULT: Duration = Duration::from_secs(5);
/// More often would keep apps busy with nothing.
const POLL_INTERVAL_MIN: Duration = Duration::from_millis(100);
/// A day: as long as an app may ask to wait.
const INTERVAL_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// Below this the engine cannot hold what one request may bring.
const ENGINE_MEMORY_MB_MIN: u64 = 128;
/// 1 TiB: more is a slip of the finger.
const ENGINE_MEMORY_MB_MAX: u64 = 1 << 20;
/// Keys and URLs that one server may be given.
const LIST_ITEMS_MAX: usize = 1_000;

fn invalid(given: &Given, expected: impl Into<String>) -> Error {
    let value = match &given.value {
        Value::Switch(switch) => switch.to_string(),
        Value::Text(text) => format!("`{text}`"),
        Value::List(items) => format!("`{}`", items.join(",")),
    };
    Error::Invalid { origin: given.origin.clone(), value, expected: expected.into() }
}

/// A text.
pub fn text(given: &Given) -> Result<String, Error> {
    match &given.value {
        Value::Text(text) => Ok(text.trim().to_owned()),
        _ => Err(invalid(given, "a text is wanted")),
    }
}

/// At least one text, none of them empty.
pub fn items(given: &Given) -> Result<Vec<String>, Error> {
    let items = match &given.value {
        Value::List(items) => items.iter().map(|item| item.trim().to_owned()).collect(),
        Value::Text(text) => vec![text.trim().to_owned()],
        Value::Switch(_) => return Err(invalid(given, "a text, or a list of texts, is wanted")),
    };
    if items.iter().any(String::is_empty) {
        return Err(invalid(given, "none of the items may be empty"));
    }
    if items.len() > LIST_ITEMS_MAX {
        return Err(invalid(given, format!("at most {LIST_ITEMS_MAX} items may be given")));
    }
    Ok(items)
}

/// On or off.
pub fn switch(given: &Given) -> Result<bool, Error> {
    match &given.value {
        Value::Switch(switch) => Ok(*switch),
        Value::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err(invalid(given, "true or false is wanted")),
        },
        Value::List(_) => Err(invalid(given, "true or false is wanted")),
    }
}

/// A port; 0 is any free one.
pub fn port(given: &Given) -> Result<u16, Error> {
    text(given)?.parse().map_err(|_| invalid(given, "a port is wanted, from 0 (any free one) to 65535"))
}

/// Mebibytes.
pub fn memory_mb(given: &Given) -> Result<u64, Error> {
    let expected =
        || invalid(given, format!("mebibytes are wanted, from {ENGINE_MEMORY_MB_MIN} to {ENGINE_MEMORY_MB_MAX}"));
    let mebibytes = text(given)?.parse().map_err(|_| expected())?;
    if (ENGINE_MEMORY_MB_MIN..=ENGINE_MEMORY_MB_MAX).contains(&mebibytes) { Ok(mebibytes) } else { Err(expected()) }
}

/// A number of partitions.
pub fn partitions(given: &Given) -> Result<u32, Error> {
    let expected = || invalid(given, format!("a number of partitions is wanted, from 1 to {PARTITIONS_MAX}"));
    let count = text(given)?.parse().map_err(|_| expected())?;
    if (1..=PARTITIONS_MAX).contains(&count) { Ok(count) } else { Err(expected()) }
}

/// Calls under way.
pub fn calls_per_app(given: &Given) -> Result<usize, Error> {
    let expected = || invalid(given, format!("a number of calls is wanted, from 1 to {CALLS_IN_FLIGHT_MAX}"));
    let count = text(given)?.parse().map_err(|_| expected())?;
    if (1..=CALLS_IN_FLIGHT_MAX).contains(&count) { Ok(count) } else { Err(expected()) }
}

/// Runs that may wait to begin; 0 for any number.
pub fn backlog(given: &Given) -> Result<u32, Error> {
    text(given)?.parse().map_err(|_| invalid(given, "a number of runs is wanted, or 0 for no limit"))
}

/// The time from one poll to the next.
pub fn poll_interval(given: &Given) -> Result<Duration, Error> {
    let span = interval(given)?;
    // 0 means the default, as it does for Inngest's server (SERVER §5.2).
    if span.is_zero() {
        return Ok(POLL_INTERVAL_DEFAULT);
    }
    if span < POLL_INTERVAL_MIN { Err(invalid(given, "at least 100ms is wanted")) } else { Ok(span) }
}

/// Seconds, or a duration with its unit.
pub fn interval(given: &Given) -> Result<Duration, Error> {
    let expected =
        || invalid(given, "seconds are wanted (`5`), or a duration with its unit (`100ms`, `2s`), at most a day");
    let text = text(given)?;
    let span = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).map_err(|_| expected())?,
        Err(_) => humantime::parse_duration(&text).map_err(|_| expected())?,
    };
    if span <= INTERVAL_MAX { Ok(span) } else { Err(expected()) }
}

/// Which of the times that were missed are made up for.
pub fn catch_up(given: &Given) -> Result<CatchUp, Error> {
    match text(given)?.to_ascii_lowercase().as_str() {
        "none" => Ok(CatchUp::None),
        "last" => Ok(CatchUp::Last),
        "all" => Ok(CatchUp::All),
        _ => Err(invalid(given, "one of none, last, all is wanted")),
    }
}

/// What is worth a log line.
pub fn level(given: &Given) -> Result<logging::Level, Error> {
    text(given)?.parse().map_err(|_| invalid(given, "one of trace, debug, info, warn, error is wanted"))
}

/// Hex, of even length, with or without `signkey-<word>-` before it (PROTOCOL §2.1). The key itself is in no message.
pub fn signing_key(given: &Given) -> Result<String, Error> {
    let key = text(given)?;
    let after_prefix = key.strip_prefix("signkey-").and_then(|rest| rest.split_once('-'));
    let hex = after_prefix.map_or(key.as_str(), |(_, hex)| hex);
    if !hex.is_empty() && hex.len().is_multiple_of(2) && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(key);
    }
    Err(Error::Invalid {
        origin: given.origin.clone(),
        value: "no signing key".to_owned(),
        expected: "an even number of hexadecimal digits is wanted, with or without `signkey-<name>-` before them (make one with \
                   `openssl rand -hex 32`)"
            .to_owned(),
    })
}

/// Serve URLs.
pub fn sdk_urls(given: &Given) -> Result<Vec<String>, Error> {
    items(given)?.iter().map(|text| http_url(&given.origin, text)).collect()
}

/// An http or https URL; `http://` may be left away.
pub fn http_url(origin: &str, text: &str) -> Result<String, Error> {
    let text = text.trim();
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    match Url::parse(&whole) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(whole),
        _ => Err(Error::Invalid {
            origin: origin.to_owned(),
            value: format!("`{text}`"),
            expected: "an http or https URL is wanted, such as http://localhost:3000/api/inngest".to_owned(),
        }),
    }
}
