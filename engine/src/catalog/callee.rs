//! A function as calls name it.

use crate::ids::{FunctionId, uuid_of};
use url::form_urlencoded::byte_serialize;

/// The query's name for the step that a call is for (PROTOCOL §3.1).
const STEP_ID: &str = "stepId";

/// What every call of a function says alike.
#[derive(Debug)]
pub struct Callee {
    /// The function's UUID, which goes out as `ctx.fn_id`.
    pub uuid: String,
    /// The function's URL up to where the step's id follows; as it was registered where it is no URL.
    base: String,
    takes_step: bool,
}

impl Callee {
    pub(super) fn new(id: &FunctionId, url: &str) -> Self {
        let uuid = uuid_of(id.as_str());
        let Ok(mut parsed) = url::Url::parse(url) else {
            return Self { uuid, base: url.to_owned(), takes_step: false };
        };
        let kept: Vec<(String, String)> = parsed
            .query_pairs()
            .filter(|(name, _)| name != STEP_ID)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        parsed.query_pairs_mut().clear().extend_pairs(kept).append_pair(STEP_ID, "");
        // It would stand behind the query, and is never sent.
        parsed.set_fragment(None);
        Self { uuid, base: parsed.into(), takes_step: true }
    }

    /// The URL of a call for `step`.
    #[must_use]
    pub fn url_for(&self, step: &str) -> String {
        let mut url = self.base.clone();
        if self.takes_step {
            url.extend(byte_serialize(step.as_bytes()));
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url_for(url: &str, step: &str) -> String {
        Callee::new(&"a-b".into(), url).url_for(step)
    }

    #[test]
    fn the_steps_id_replaces_what_was_registered_and_nothing_else() {
        assert_eq!(url_for("http://a:3000/api?fnId=a-b&stepId=step", "abc"), "http://a:3000/api?fnId=a-b&stepId=abc");
        assert_eq!(url_for("http://a/api?stepId=step&x=1%202#top", "step"), "http://a/api?x=1+2&stepId=step");
        assert_eq!(url_for("http://a/api", "a b&c"), "http://a/api?stepId=a+b%26c");
    }

    #[test]
    fn what_is_no_url_goes_to_the_shell_as_it_is() {
        assert_eq!(url_for("not a url", "step"), "not a url");
    }
}
