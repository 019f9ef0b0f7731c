//! Requests that must be refused, and must change nothing.

/// Method, path and body. Events in them would start functions, were they taken in.
const REQUESTS: &[(&str, &str, &str)] = &[
    ("POST", "/e/key", "{"),
    ("POST", "/e/key", "\"sim/all\""),
    ("POST", "/e/key", r#"{"id":"bad1","data":{"of":"bad"}}"#),
    ("POST", "/e/key", r#"{"name":"","data":{"of":"bad"}}"#),
    ("POST", "/e/key", r#"{"name":7,"data":{"of":"bad"}}"#),
    ("POST", "/e/key", r#"{"name":"sim/all","data":[]}"#),
    ("POST", "/e/key", r#"{"name":"sim/all","data":{"of":"bad"},"ts":"soon"}"#),
    ("POST", "/e/key", r#"{"name":"inngest/function.finished","data":{"of":"bad"}}"#),
    // All of a request or none of it.
    ("POST", "/e/key", r#"[{"name":"sim/all","data":{"of":"bad"}},{"name":"sim/all","data":7}]"#),
    ("POST", "/e/key", r#"[{"name":"sim/all","data":{"of":"bad"}},8]"#),
    ("GET", "/e/key", ""),
    ("POST", "/fn/register", "[]"),
    ("POST", "/fn/register", "{"),
    ("POST", "/fn/register", r#"{"url":"http://app.test/0/api/inngest","appName":"app","functions":[{"id":7}]}"#),
    ("GET", "/nowhere", ""),
    ("PATCH", "/v1/runs", ""),
    ("GET", "/v1/runs/nonsense", ""),
    ("GET", "/v1/runs?limit=many", ""),
    ("GET", "/v1/runs?cursor=nonsense", ""),
    ("DELETE", "/v1/runs/7ZZZZZZZZZZZZZZZZZZZZZZZZZ", ""),
    ("POST", "/v1/checkpoint/7ZZZZZZZZZZZZZZZZZZZZZZZZZ/async", "{\"steps\":[]}"),
    ("POST", "/v1/checkpoint/nonsense/async", "{}"),
    ("POST", "/invoke/app-nobody", "{}"),
    ("GET", "/v1/events/7ZZZZZZZZZZZZZZZZZZZZZZZZZ", ""),
    ("POST", "/v1/signals", r#"{"signal":"","data":{"of":"bad"}}"#),
    ("POST", "/v1/signals", r#"{"data":{"of":"bad"}}"#),
    ("POST", "/v1/signals", r#"{"signal":"nobody-waits-for-this","data":{"of":"bad"}}"#),
    ("POST", "/v1/cancellations", r#"{"app_id":"app","function_id":"f0"}"#),
    ("POST", "/v1/cancellations", r#"{"app_id":"app","function_id":"f0","started_before":"2999-01-01T00:00:00Z"}"#),
    (
        "POST",
        "/v1/cancellations",
        r#"{"app_id":"app","function_id":"f0","started_before":"2027-01-01T00:00:00Z","if":"("}"#,
    ),
    ("DELETE", "/v1/cancellations/7ZZZZZZZZZZZZZZZZZZZZZZZZZ", ""),
    ("GET", "/v0/runs/7ZZZZZZZZZZZZZZZZZZZZZZZZZ/actions", ""),
];

/// What would be taken in, had it the key that a server with keys asks for.
const OF_STRANGERS: &[(&str, &str, &str)] = &[
    ("POST", "/e/other", r#"{"name":"sim/all","data":{"of":"bad"}}"#),
    ("POST", "/v1/signals", r#"{"signal":"s0","data":{"of":"bad"}}"#),
    ("POST", "/v1/cancellations", r#"{"app_id":"app","function_id":"f0","started_before":"2027-01-01T00:00:00Z"}"#),
    ("POST", "/fn/register", r#"{"url":"http://app.test/9/api/inngest","appName":"app","functions":[]}"#),
    ("GET", "/v1/runs", ""),
];

/// How many there are.
pub(super) const COUNT: u64 = 32;

/// One of them.
pub(super) fn request(which: usize) -> (&'static str, String, Vec<u8>) {
    let (method, path, body) = REQUESTS.get(which).copied().unwrap_or(("GET", "/nowhere", ""));
    (method, path.to_owned(), body.as_bytes().to_vec())
}

/// How many there are of strangers.
pub(super) const STRANGERS: u64 = 5;

/// One of them.
pub(super) fn of_stranger(which: usize) -> (&'static str, String, Vec<u8>) {
    let (method, path, body) = OF_STRANGERS.get(which).copied().unwrap_or(("GET", "/v1/runs", ""));
    (method, path.to_owned(), body.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_asked_for() {
        assert_eq!(u64::try_from(REQUESTS.len()), Ok(COUNT));
        assert_eq!(u64::try_from(OF_STRANGERS.len()), Ok(STRANGERS));
    }
}
