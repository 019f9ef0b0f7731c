//! What an app's answer to a sync request means.

use crate::catalog::SyncError;
use crate::ids::Millis;
use crate::signing::{self, SIGNATURE_HEADER};
use crate::turn::{AppAnswer, CallFailure, Settings};
use serde_json::Value;

/// Of what the app says about a failure, so much is kept.
const MESSAGE_CHARACTERS_MAX: usize = 1_000;

/// What came of asking.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::catalog) enum Verdict {
    /// The app has registered by a request of its own.
    Registered {
        /// As the app relays it.
        modified: Option<bool>,
        /// The app's UUID, where the app relays it.
        app_uuid: Option<String>,
    },
    /// The answer's body is the app's account of itself.
    InBand,
    /// Neither.
    Failed(SyncError),
}

/// Judges an answer or the lack of one (PROTOCOL §1.9).
pub(in crate::catalog) fn judge(answer: &Result<AppAnswer, CallFailure>, settings: &Settings, now: Millis) -> Verdict {
    match answer {
        Ok(answer) => judge_answer(answer, settings, now),
        Err(failure) => Verdict::Failed(failure_error(failure)),
    }
}

fn failure_error(failure: &CallFailure) -> SyncError {
    match failure {
        CallFailure::Unreachable(text) => SyncError::new("unreachable", format!("the app cannot be reached: {text}")),
        CallFailure::TimedOut(text) => SyncError::new("unreachable", format!("the app did not answer in time: {text}")),
        CallFailure::TooLarge(text) | CallFailure::Unreadable(text) => {
            SyncError::new("not_sdk", format!("the app's answer cannot be read: {text}"))
        }
        CallFailure::Refused(text) => SyncError::new("unreachable", text.clone()),
        CallFailure::EngineFault(text) => SyncError::new("engine_fault", text.clone()),
    }
}

fn judge_answer(answer: &AppAnswer, settings: &Settings, now: Millis) -> Verdict {
    let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let is_sdk = header(answer, "x-inngest-sdk").is_some();
    if let Some(error) = status_error(answer.status, is_sdk, body.as_ref()) {
        return Verdict::Failed(error);
    }
    let Some(body) = body else {
        return Verdict::Failed(SyncError::new("not_sdk", "the app's answer is not JSON"));
    };
    if header(answer, "x-inngest-sync-kind") != Some("in_band") {
        let modified = body.get("modified").and_then(Value::as_bool);
        let app_uuid = body.get("app_id").and_then(Value::as_str).map(str::to_owned);
        return Verdict::Registered { modified, app_uuid };
    }
    if is_signed(answer, settings, now) {
        Verdict::InBand
    } else {
        let message = "the app's answer is not signed with this server's signing key within the last minutes: do the keys and the clocks agree?";
        Verdict::Failed(SyncError::new("sig_verification_failed", message))
    }
}

/// The answer becomes configuration, so in the cloud it must prove where it comes from. An app in development mode has no
/// key to sign with, and a development server takes its word.
fn is_signed(answer: &AppAnswer, settings: &Settings, now: Millis) -> bool {
    match header(answer, SIGNATURE_HEADER).filter(|signature| !signature.is_empty()) {
        Some(signature) => signing::signature_matches(&settings.signing_keys, signature, &answer.body, now),
        None => !settings.cloud,
    }
}

fn status_error(status: u16, is_sdk: bool, body: Option<&Value>) -> Option<SyncError> {
    let said = body.and_then(said);
    let or = |default: &str| said.clone().unwrap_or_else(|| default.to_owned());
    Some(match status {
        200..=299 if is_sdk => return None,
        401 => {
            SyncError::new("unauthorized", or("the app refused the request's signature: do the signing keys agree?"))
        }
        403 => SyncError::new("forbidden", or("the app, or something before it, forbids the request")),
        404 => SyncError::new("url_not_found", "there is nothing at this path: is it the app's serve endpoint?"),
        500..=599 => SyncError::new("internal_server_error", or(&format!("the app answered with status {status}"))),
        400 if said.is_some() => SyncError::new(code_of(&or("")), or("")),
        _ if is_sdk => SyncError::new("sync_failed", or(&format!("the app answered with status {status}"))),
        _ => SyncError::new("not_sdk", format!("status {status}, and not from an SDK: is this the serve endpoint?")),
    })
}

/// What the app says about a failure: `message` from JavaScript, `message` or `error` from Python.
fn said(body: &Value) -> Option<String> {
    let text = body.get("message").or_else(|| body.get("error"))?.as_str()?;
    Some(text.chars().take(MESSAGE_CHARACTERS_MAX).collect::<String>()).filter(|text| !text.is_empty())
}

/// The code behind the sentence of a 400: the SDK relays the server's sentence without its code.
fn code_of(message: &str) -> &'static str {
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().all(|word| message.contains(word));
    match () {
        () if says(&["vulnerability"]) || says(&["sdk_version_denied"]) => "sdk_version_denied",
        () if says(&["signing key", "server"]) && says(&["missing"]) => "missing_server_signing_key",
        () if says(&["signing key", "missing"]) || says(&["no signing key"]) => "missing_signing_key",
        () if says(&["signing key"]) => "invalid_signing_key",
        () if says(&["no functions"]) => "no_functions",
        () if says(&["branch"]) => "missing_branch_env_name",
        () if says(&["function", "invalid"]) || says(&["configuration of app"]) => "invalid_function",
        () => "sync_failed",
    }
}

fn header<'a>(answer: &'a AppAnswer, name: &str) -> Option<&'a str> {
    answer.headers.iter().find(|(held, _)| held == name).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(verdict: Verdict) -> String {
        match verdict {
            Verdict::Failed(error) => error.code,
            other => panic!("{other:?} is no failure"),
        }
    }

    fn answer(status: u16, is_sdk: bool, body: &str) -> Result<AppAnswer, CallFailure> {
        let sdk = is_sdk.then(|| ("x-inngest-sdk".to_owned(), "inngest-js:v4.24.0".to_owned()));
        Ok(AppAnswer { status, headers: sdk.into_iter().collect(), body: body.as_bytes().to_vec() })
    }

    #[test]
    fn failures_have_the_codes_of_the_protocol() {
        let settings = Settings::default();
        let why = "why".to_owned();
        for (failure, expected) in [
            (CallFailure::Unreachable(why.clone()), "unreachable"),
            (CallFailure::TimedOut(why.clone()), "unreachable"),
            (CallFailure::TooLarge(why.clone()), "not_sdk"),
            (CallFailure::Unreadable(why.clone()), "not_sdk"),
            (CallFailure::EngineFault(why), "engine_fault"),
        ] {
            assert_eq!(code(judge(&Err(failure), &settings, Millis(0))), expected);
        }
        for (status, is_sdk, body, expected) in [
            (200, false, "<html>", "not_sdk"),
            (200, true, "<html>", "not_sdk"),
            (302, false, "", "not_sdk"),
            (400, false, "", "not_sdk"),
            (400, true, "", "sync_failed"),
            (401, false, r#"{"message":"Unauthorized"}"#, "unauthorized"),
            (403, false, "", "forbidden"),
            (404, false, "", "url_not_found"),
            (405, true, "", "sync_failed"),
            (500, true, r#"{"message":"Failed to register; x","modified":false}"#, "internal_server_error"),
            (502, false, "", "internal_server_error"),
            (400, true, r#"{"message":"At least one function is invalid"}"#, "invalid_function"),
            (400, true, r#"{"message":"No functions registered"}"#, "no_functions"),
            (400, true, r#"{"error":"Invalid signing key"}"#, "invalid_signing_key"),
            (400, true, r#"{"error":"Missing signing key"}"#, "missing_signing_key"),
            (400, true, r#"{"message":"something else"}"#, "sync_failed"),
        ] {
            assert_eq!(code(judge(&answer(status, is_sdk, body), &settings, Millis(0))), expected, "{status} {body}");
        }
    }

    #[test]
    fn an_app_that_registered_by_itself_relays_the_answer() {
        let javascript = answer(200, true, r#"{"message":"Successfully registered","modified":true}"#);
        let expected = Verdict::Registered { modified: Some(true), app_uuid: None };
        assert_eq!(judge(&javascript, &Settings::default(), Millis(0)), expected);
        let python = answer(200, true, r#"{"ok":true,"modified":false,"sync_id":"s","app_id":"a"}"#);
        let expected = Verdict::Registered { modified: Some(false), app_uuid: Some("a".to_owned()) };
        assert_eq!(judge(&python, &Settings::default(), Millis(0)), expected);
    }
}
