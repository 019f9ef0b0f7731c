//! A "no" from the server, as people read it.

use serde::Deserialize;
use std::fmt;

/// Details beyond these are counted, not shown.
const DETAILS_SHOWN_MAX: usize = 20;

/// The body of an error answer (PROTOCOL §10.1, §8.1), as far as it is there.
#[derive(Debug, Deserialize)]
pub struct Refusal {
    /// Stable.
    pub code: Option<String>,
    /// What happened.
    pub error: String,
    /// More about it, which the event API says here.
    #[serde(default)]
    pub message: String,
    /// The single faults where there are several.
    #[serde(default)]
    pub details: Vec<Detail>,
}

/// One fault among several.
#[derive(Debug, Deserialize)]
pub struct Detail {
    /// What it is about.
    #[serde(default)]
    pub subject: String,
    /// The field at fault.
    #[serde(default)]
    pub field: String,
    /// The sentence.
    pub message: String,
}

impl Refusal {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let code = self.code.as_deref()?;
        Some(match code {
            "authentication_failed" => {
                "give the server's signing key with --signing-key or STEPWELL_SIGNING_KEY".to_owned()
            }
            "event_key_unknown" => {
                "give one of the server's event keys with --event-key or STEPWELL_EVENT_KEY".to_owned()
            }
            "run_unknown" => "`stepwell runs` lists the runs that there are".to_owned(),
            "app_unknown" => "`stepwell sync <url>` makes an app known".to_owned(),
            "route_unknown" => "is --server the address of a Stepwell server of this version?".to_owned(),
            "overloaded" => "try again in a moment".to_owned(),
            _ => format!("docs/errors/{code}.md says more"),
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(code) = &self.code {
            write!(out, "{code}: ")?;
        }
        out.write_str(&self.error)?;
        if !self.message.is_empty() {
            write!(out, ": {}", self.message)?;
        }
        // A single fault is the sentence itself.
        let details: Vec<&Detail> = self.details.iter().filter(|detail| detail.message != self.error).collect();
        for detail in details.iter().take(DETAILS_SHOWN_MAX) {
            write!(out, "\n  - ")?;
            match (detail.subject.as_str(), detail.field.as_str()) {
                ("", "") => {}
                (about, "") | ("", about) => write!(out, "{about}: ")?,
                (subject, field) => write!(out, "{subject}, {field}: ")?,
            }
            out.write_str(&detail.message)?;
        }
        match details.len().saturating_sub(DETAILS_SHOWN_MAX) {
            0 => Ok(()),
            more => write!(out, "\n  … and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_shows_code_sentence_details_and_the_next_step() {
        let body = r#"{"error":"two faults","data":null,"status":400,"code":"config_invalid","details":[
            {"code":"x","subject":"shop-order","field":"retries","message":"at most 20"},
            {"code":"y","subject":"shop-mail","field":"","message":"no trigger"}]}"#;
        let refusal: Refusal = serde_json::from_str(body).unwrap();
        assert_eq!(
            refusal.to_string(),
            "config_invalid: two faults\n  - shop-order, retries: at most 20\n  - shop-mail: no trigger"
        );
        assert_eq!(refusal.hint().unwrap(), "docs/errors/config_invalid.md says more");
    }

    #[test]
    fn nothing_is_said_twice() {
        let body = r#"{"error":"the name is reserved","code":"event_name_reserved","details":[
            {"code":"event_name_reserved","subject":"0","field":"name","message":"the name is reserved"}]}"#;
        let refusal: Refusal = serde_json::from_str(body).unwrap();
        assert_eq!(refusal.to_string(), "event_name_reserved: the name is reserved");
    }

    #[test]
    fn an_unknown_event_key_names_the_flag() {
        let body = r#"{"status":401,"message":"post to /e/<event key>","error":"Event key not found","code":"event_key_unknown"}"#;
        let refusal: Refusal = serde_json::from_str(body).unwrap();
        assert_eq!(refusal.to_string(), "event_key_unknown: Event key not found: post to /e/<event key>");
        assert!(refusal.hint().unwrap().contains("--event-key"));
    }
}
