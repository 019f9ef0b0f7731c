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
];

/// How many there are.
pub(super) const COUNT: u64 = 24;

/// One of them.
pub(super) fn request(which: usize) -> (&'static str, String, Vec<u8>) {
    let (method, path, body) = REQUESTS.get(which).copied().unwrap_or(("GET", "/nowhere", ""));
    (method, path.to_owned(), body.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_asked_for() {
        assert_eq!(u64::try_from(REQUESTS.len()), Ok(COUNT));
    }
}
