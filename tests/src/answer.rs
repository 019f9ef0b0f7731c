//! An HTTP answer, read whole.

use serde_json::Value;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status line's number.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub text: String,
}

impl Answer {
    /// The body as JSON; `null` where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Asserts that this is a refusal in the server's form: `{"error":…,"status":…,"code":…}` with the status line's number.
    pub fn assert_refused(&self, status: u16, code: &str) {
        let body = self.json();
        assert_eq!((self.status, body["status"].as_u64()), (status, Some(status.into())), "{self:?}");
        assert_eq!(body["code"], code, "{self:?}");
        assert!(body["error"].as_str().is_some_and(|sentence| !sentence.is_empty()), "no sentence: {self:?}");
    }
}
