//! Streamed answers: a 201 whose body is an envelope around the real answer (PROTOCOL §6.1).

use crate::error::Code;
use crate::run::problem::Problem;
use crate::turn::AppAnswer;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Envelope<'a> {
    status: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, serde_json::Value>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// The answer inside: its status and headers replace the outer ones, its body is decoded once where it is a string.
pub(super) fn open(outer: AppAnswer) -> Result<AppAnswer, Problem> {
    let broken =
        |cause: String| Problem::found(Code::AnswerInvalid, format!("The streamed answer is broken: {cause}."));
    let envelope: Envelope<'_> = serde_json::from_slice(&outer.body).map_err(|error| broken(error.to_string()))?;
    if let Some(error) = envelope.error {
        return Err(Problem::read(error));
    }
    let status = envelope.status.ok_or_else(|| broken("it has no status".to_owned()))?;
    let body = envelope.body.map_or_else(Vec::new, |body| {
        serde_json::from_str::<String>(body.get()).map_or_else(|_| body.get().as_bytes().to_vec(), String::into_bytes)
    });
    let mut headers = outer.headers;
    for (name, value) in envelope.headers {
        let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        headers.push((name.to_ascii_lowercase(), value));
    }
    Ok(AppAnswer { status, headers, body })
}
