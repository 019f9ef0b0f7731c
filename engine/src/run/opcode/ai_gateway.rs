//! `AIGateway`: `step.ai.infer`, which the server performs (PROTOCOL §7.8).

use super::{Op, Reading, Rejection};
use crate::error::Code;
use crate::run::errand::{Errand, Kind};
use crate::run::problem::Problem;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Opts<'a> {
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    auth_key: Option<String>,
    #[serde(default)]
    format: Option<String>,
    #[serde(default)]
    headers: Option<BTreeMap<String, String>>,
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
}

pub(super) fn read(op: &Op<'_>) -> Result<Reading, Rejection> {
    let unreadable = |cause: String| Rejection::Attempt(Problem::found(Code::AnswerInvalid, cause));
    let opts = op.opts.ok_or_else(|| unreadable("An inference says nothing of what to ask.".to_owned()))?;
    let opts: Opts<'_> = serde_json::from_str(opts.get())
        .map_err(|error| unreadable(format!("An inference cannot be read: {error}.")))?;
    let mut url = opts.url.unwrap_or_default();
    let mut headers = BTreeMap::from([("content-type".to_owned(), "application/json".to_owned())]);
    if let Some(key) = opts.auth_key.filter(|key| !key.is_empty()) {
        match opts.format.as_deref() {
            Some("gemini") => url = with_key(&url, &key),
            Some("anthropic") => drop(headers.insert("x-api-key".to_owned(), key)),
            Some("bedrock") => drop(headers.insert("authorization".to_owned(), key)),
            _ => drop(headers.insert("authorization".to_owned(), format!("Bearer {key}"))),
        }
    }
    let more = opts.headers.unwrap_or_default().into_iter();
    headers.extend(more.map(|(name, value)| (name.to_ascii_lowercase(), value)));
    let body = opts.body.map_or("{}", RawValue::get).to_owned();
    let errand = Errand { kind: Kind::Infer, method: "POST".to_owned(), url, headers, body };
    op.record(errand.news()).map(Reading::Step)
}

fn with_key(text: &str, key: &str) -> String {
    let Ok(mut url) = url::Url::parse(text) else { return text.to_owned() };
    url.query_pairs_mut().append_pair("key", key);
    url.into()
}
