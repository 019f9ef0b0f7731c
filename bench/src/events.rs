//! Events as an SDK sends them (PROTOCOL §8.1).

use crate::client::{Connection, text};
use hyper::StatusCode;
use hyper::body::Bytes;
use serde::Serialize;
use std::time::{SystemTime, UNIX_EPOCH};

/// What the app reads of an event: what its function shall do.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Data {
    /// Names the run for whoever waits for it.
    pub key: u64,
    /// The steps that the run shall have.
    pub steps: usize,
    /// When the sleep shall end, as a date.
    pub until: Option<String>,
    /// The call whose body shall be kept, by the number of steps before it.
    pub keep: Option<usize>,
    /// How long the call shall take, in milliseconds.
    pub work_ms: u64,
}

#[derive(Serialize)]
struct Event<'a> {
    name: &'a str,
    data: &'a Data,
    ts: u128,
}

/// The body of a request with one event for each of `data`.
///
/// # Errors
/// None that occur: the data is ours.
pub fn body(name: &str, data: &[Data]) -> anyhow::Result<Bytes> {
    let ts = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let events: Vec<Event> = data.iter().map(|data| Event { name, data, ts }).collect();
    Ok(serde_json::to_vec(&events)?.into())
}

/// Sends events in one request; they are durable when this returns.
///
/// # Errors
/// The connection broke, or the server refused them.
pub async fn send(connection: &mut Connection, name: &str, data: &[Data]) -> anyhow::Result<()> {
    // SDKs seed the ids, so that the server must remember them; each seed is used once.
    let seed = seed(data.first().map_or(0, |data| data.key))?;
    let (status, answer) =
        connection.post("/e/bench", &[("x-inngest-event-id-seed", &seed)], body(name, data)?).await?;
    anyhow::ensure!(status == StatusCode::OK, "the server answered {status} to an event: {}", text(&answer));
    Ok(())
}

/// A seed as of PROTOCOL §8.5: a time, and ten bytes of which the last four are counted up for each event.
fn seed(key: u64) -> anyhow::Result<String> {
    let ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    // 48 bits of the key in the first six bytes are eight characters of base64; the last four bytes are zero.
    let characters: String = (0..8u32).rev().map(|place| base64_digit(key >> place.saturating_mul(6))).collect();
    Ok(format!("{ms},{characters}AAAAAA=="))
}

fn base64_digit(bits: u64) -> char {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = usize::try_from(bits & 63).ok().and_then(|bits| DIGITS.get(bits));
    digit.map_or('A', |digit| char::from(*digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_ten_bytes_in_base64_and_differs_by_key() {
        let (one, two) = (seed(1).unwrap(), seed(64).unwrap());
        assert!(one.ends_with(",AAAAAAABAAAAAA=="), "{one}");
        assert!(two.ends_with(",AAAAAABAAAAAAA=="), "{two}");
    }

    #[test]
    fn events_are_an_array_with_name_data_and_time() {
        let body = body("bench/steps", &[Data { key: 7, steps: 2, ..Data::default() }]).unwrap();
        let read: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(read[0]["name"], "bench/steps");
        assert_eq!(read[0]["data"]["steps"], 2);
        assert!(read[0]["ts"].as_u64().unwrap() > 1_600_000_000_000);
    }
}
