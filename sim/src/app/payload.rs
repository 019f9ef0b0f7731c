//! Payloads that would not survive being read and written again: the server must carry them as they came (law 6).

/// What the `number`-th execution of a step returns. Each time that code runs it returns something else, so that a result
/// that is recorded can be told from one that is not.
#[must_use]
pub fn of_step(id: &str, number: u32) -> String {
    let odd = odd(u64::from(number).wrapping_add(u64::try_from(id.len()).unwrap_or(0)));
    format!("{{ \"step\":\"{id}\",\"execution\" : {number}, \"odd\":{odd}}}")
}

/// The data of a user's event.
#[must_use]
pub fn of_event(id: &str, number: u64) -> String {
    format!("{{\"of\":\"{id}\", \"odd\": {}}}", odd(number))
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
