//! Payloads that would not survive being read and written again: the server must carry them as they came (law 6).

use std::borrow::Cow;

/// Different numbers that conditions compare.
const KEYS: u64 = 3;
/// What a bulky step returns, about.
const BULK_BYTES: usize = 2_200_000;
/// Memos from this size on are only told of.
const TOLD_BYTES_MAX: usize = 500_000;

/// What the `number`-th execution of a step returns. Each time that code runs it returns something else, so that a result
/// that is recorded can be told from one that is not; with it, the arguments that it was given from outside.
#[must_use]
pub fn of_step(id: &str, number: u32, input: Option<&str>) -> String {
    let input = input.map_or_else(String::new, |input| format!(", \"input\":{input}"));
    let odd = odd(u64::from(number).wrapping_add(u64::try_from(id.len()).unwrap_or(0)));
    format!("{{ \"step\":\"{id}\",\"execution\" : {number}, \"odd\":{odd}{input}}}")
}

/// What a bulky step returns: two of these do not fit into a call.
#[must_use]
pub fn bulky(id: &str, number: u32) -> String {
    let filling = "0123456789abcdef".repeat(BULK_BYTES.div_ceil(16));
    format!("{{ \"step\":\"{id}\",\"execution\" : {number}, \"bulk\":\"{filling}\"}}")
}

/// A memo as a function tells of it in what it returns: a large one by its size, since outputs are bounded too.
#[must_use]
pub fn told(memo: &str) -> Cow<'_, str> {
    if memo.len() < TOLD_BYTES_MAX { Cow::Borrowed(memo) } else { Cow::Owned(format!("\"{} bytes\"", memo.len())) }
}

/// The data of an event: `k` is what conditions compare.
#[must_use]
pub fn of_event(id: &str, k: u64, number: u64) -> String {
    format!("{{\"of\":\"{id}\", \"k\":{k}, \"odd\": {}}}", odd(number))
}

/// The data that a step invokes a function with: in the form in which the server writes its own members behind it.
#[must_use]
pub fn of_invocation(run: &str, step: &str) -> String {
    let number = step.bytes().chain(run.bytes()).fold(0_u64, |sum, byte| sum.wrapping_add(u64::from(byte)));
    format!("{{\"of\":\"{run}/{step}\",\"k\":{},\"odd\":{}}}", k_of(number), odd(number))
}

/// What comes with a signal; the mark tells who sent it.
#[must_use]
pub fn of_signal(mark: &str, number: u64) -> String {
    format!("{{\"of\":\"{mark}\", \"odd\": {}}}", odd(number))
}

/// The number that conditions compare, for the `number`-th event.
#[must_use]
pub fn k_of(number: u64) -> u64 {
    number.checked_rem(KEYS).unwrap_or(0)
}

/// JSON in a form that no library writes: spaces, escapes that are not needed, numbers that a double cannot hold.
fn odd(number: u64) -> &'static str {
    match number.checked_rem(6).unwrap_or(0) {
        0 => "[1.0, 1e2,-0.0 ]",
        1 => "\"\\u0041\\/caf\\u00e9\"",
        2 => "12345678901234567890123",
        3 => "{\"b\":1,\"a\":2 , \"b\":3}",
        4 => "[ ]",
        _ => "0.30000000000000004441",
    }
}
