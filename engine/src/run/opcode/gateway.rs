//! `Gateway`: `step.fetch`, which the server performs (PROTOCOL §7.7).

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
    method: Option<String>,
    #[serde(default)]
    headers: Option<BTreeMap<String, String>>,
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
}

pub(super) fn read(op: &Op<'_>) -> Result<Reading, Rejection> {
    let unreadable = |cause: String| Rejection::Attempt(Problem::found(Code::AnswerInvalid, cause));
    let opts = op.opts.ok_or_else(|| unreadable("A fetch says nothing of what to fetch.".to_owned()))?;
    let opts: Opts<'_> =
        serde_json::from_str(opts.get()).map_err(|error| unreadable(format!("A fetch cannot be read: {error}.")))?;
    // A text is sent as it is, anything else as its JSON.
    let text = |body: &RawValue| serde_json::from_str::<String>(body.get()).unwrap_or_else(|_| body.get().to_owned());
    let errand = Errand {
        kind: Kind::Fetch,
        method: opts.method.filter(|method| !method.is_empty()).unwrap_or_else(|| "POST".to_owned()),
        url: opts.url.unwrap_or_default(),
        headers: opts.headers.unwrap_or_default(),
        body: opts.body.map(text).unwrap_or_default(),
    };
    op.record(errand.news()).map(Reading::Step)
}
