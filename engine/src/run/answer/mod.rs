//! What an app's answer says, whatever way it was sent (PROTOCOL §3.4, §6).

mod envelope;

use super::problem::Problem;
use super::retry::Advice;
use crate::duration::parse_retry_after;
use crate::error::Code;
use crate::ids::Millis;
use crate::limits::{ANSWER_BYTES_MAX, FOREIGN_BODY_BYTES_KEPT, STEP_OUTPUT_BYTES_MAX};
use crate::turn::{AppAnswer, CallFailure};
use serde_json::value::RawValue;

/// An answer, read.
#[derive(Debug)]
pub struct Answer {
    /// The SDK's execution version, where it said one (PROTOCOL §3.7).
    pub version: Option<i32>,
    /// What it says about trying again.
    pub advice: Advice,
    /// What it says.
    pub says: Says,
}

/// What an answer says.
#[derive(Debug)]
pub enum Says {
    /// The function returned this.
    Returned(Box<RawValue>),
    /// Ops, as a JSON array or one object.
    Ops(Box<RawValue>),
    /// The attempt failed.
    Failed(Problem),
}

/// Reads what came of a call.
#[must_use]
pub fn read(outcome: Result<AppAnswer, CallFailure>, now: Millis) -> Answer {
    match outcome {
        Ok(answer) if answer.status == 201 && !answer.body.trim_ascii().is_empty() => match envelope::open(answer) {
            Ok(inner) => read_direct(&inner, now),
            Err(problem) => failed(Advice::default(), problem),
        },
        Ok(answer) => read_direct(&answer, now),
        Err(failure) => failed(Advice::default(), problem_of(failure)),
    }
}

fn failed(advice: Advice, problem: Problem) -> Answer {
    Answer { version: None, advice, says: Says::Failed(problem) }
}

/// The last value of a header, by its lower-case name.
fn header<'a>(answer: &'a AppAnswer, name: &str) -> Option<&'a str> {
    answer.headers.iter().rev().find(|(held, _)| held.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

fn read_direct(answer: &AppAnswer, now: Millis) -> Answer {
    let advice = Advice {
        no_retry: header(answer, "x-inngest-no-retry").is_some_and(|value| value == "true"),
        retry_after: header(answer, "retry-after").and_then(|value| parse_retry_after(value, now)),
    };
    if header(answer, "x-inngest-sdk").is_none() {
        return failed(advice, foreign(answer));
    }
    let version = header(answer, "x-inngest-req-version").and_then(|value| value.parse().ok());
    let says = match answer.status {
        200 | 204 => match json_of(&answer.body) {
            Ok(output) if output.get().len() > STEP_OUTPUT_BYTES_MAX => Says::Failed(too_large(output.get().len())),
            Ok(output) => Says::Returned(output),
            Err(problem) => Says::Failed(problem),
        },
        206 => json_of(&answer.body).map_or_else(Says::Failed, Says::Ops),
        status if status < 400 => Says::Failed(Problem::found(
            Code::AnswerInvalid,
            format!("The app answered with status {status}, which means nothing in this protocol."),
        )),
        status => Says::Failed(thrown(status, &answer.body)),
    };
    Answer { version, advice, says }
}

fn json_of(body: &[u8]) -> Result<Box<RawValue>, Problem> {
    let body = if body.trim_ascii().is_empty() { b"null".as_slice() } else { body };
    serde_json::from_slice(body)
        .map_err(|error| Problem::found(Code::AnswerInvalid, format!("The app's answer is not JSON: {error}.")))
}

/// A function-level error (PROTOCOL §4.1).
fn thrown(status: u16, body: &[u8]) -> Problem {
    serde_json::from_slice::<Box<RawValue>>(body).map_or_else(
        |_| Problem {
            stack: Some(excerpt(body)),
            ..Problem::found(Code::AnswerInvalid, format!("The app answered with status {status} and no JSON."))
        },
        |error| Problem::read(&error),
    )
}

/// An answer that no SDK gave (PROTOCOL §6.4).
fn foreign(answer: &AppAnswer) -> Problem {
    let status = answer.status;
    let handled = header(answer, "x-inngest-sdk-handled").is_some();
    let (code, message) = match status {
        401 if handled => (
            Code::HttpNotOk,
            "The SDK refused the request's signature (401): server and app must share a signing key.".to_owned(),
        ),
        status if status < 300 => (
            Code::NotSdk,
            format!("The URL answered with status {status}, but no Inngest SDK did: check the path of the app's URL."),
        ),
        status => (Code::HttpNotOk, format!("Your server returned HTTP {status} before the SDK responded.")),
    };
    Problem { stack: Some(excerpt(&answer.body)), ..Problem::found(code, message) }
}

/// The beginning of a foreign body, for people.
fn excerpt(body: &[u8]) -> String {
    let kept = body.get(..FOREIGN_BODY_BYTES_KEPT).unwrap_or(body);
    String::from_utf8_lossy(kept).into_owned()
}

/// The problem of an output beyond its limit.
#[must_use]
pub fn too_large(bytes: usize) -> Problem {
    let message = format!("An output of {bytes} bytes is larger than the limit of {STEP_OUTPUT_BYTES_MAX} bytes.");
    Problem::found(Code::OutputTooLarge, message)
}

fn problem_of(failure: CallFailure) -> Problem {
    match failure {
        CallFailure::Unreachable(text) => {
            Problem::found(Code::HttpUnreachable, format!("Unable to reach the app: {text}."))
        }
        CallFailure::TimedOut(text) => {
            Problem::found(Code::RequestTooLong, format!("The app did not answer in time: {text}."))
        }
        CallFailure::TooLarge(text) => Problem::found(
            Code::OutputTooLarge,
            format!("The app's answer is larger than the limit of {ANSWER_BYTES_MAX} bytes: {text}."),
        ),
        CallFailure::Unreadable(text) => {
            Problem::found(Code::AnswerInvalid, format!("The app's answer cannot be read: {text}."))
        }
        CallFailure::Refused(text) => Problem::found(Code::AddressNotPublic, format!("The call was refused: {text}.")),
        CallFailure::EngineFault(text) => {
            Problem::found(Code::EngineFault, format!("The server could not take the answer in: {text}."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        read(Ok(AppAnswer { status, headers, body: body.as_bytes().to_vec() }), Millis(1_700_000_000_000))
    }

    fn code(answer: &Answer) -> Option<Code> {
        match &answer.says {
            Says::Failed(problem) => problem.code,
            other => panic!("not a failure: {other:?}"),
        }
    }

    const SDK: (&str, &str) = ("x-inngest-sdk", "inngest-js:v4.24.0");

    #[test]
    fn two_hundred_is_the_function_s_value() {
        for (body, value) in [("{\"a\":1}", "{\"a\":1}"), ("null", "null"), ("", "null"), (" 7 ", "7")] {
            let Says::Returned(output) = answer(200, &[SDK], body).says else { panic!("{body}") };
            assert_eq!(output.get(), value);
        }
    }

    #[test]
    fn a_login_page_does_not_complete_a_run() {
        assert_eq!(code(&answer(200, &[], "<html>")), Some(Code::NotSdk));
        assert_eq!(code(&answer(502, &[], "bad gateway")), Some(Code::HttpNotOk));
        assert_eq!(code(&answer(401, &[("x-inngest-sdk-handled", "true")], "{}")), Some(Code::HttpNotOk));
        assert_eq!(code(&answer(200, &[SDK], "<html>")), Some(Code::AnswerInvalid));
        assert_eq!(code(&answer(302, &[SDK], "")), Some(Code::AnswerInvalid));
    }

    #[test]
    fn the_header_decides_about_retries_not_the_status() {
        let error = r#"{"name":"Error","message":"m"}"#;
        assert!(answer(500, &[SDK, ("x-inngest-no-retry", "true")], error).advice.no_retry);
        assert!(!answer(400, &[SDK, ("x-inngest-no-retry", "false")], error).advice.no_retry);
        assert!(!answer(400, &[SDK], error).advice.no_retry);
        let advice = answer(500, &[SDK, ("retry-after", "2")], error).advice;
        assert_eq!(advice.retry_after, Some(Millis(2_000)));
    }

    #[test]
    fn an_envelope_replaces_status_and_headers() {
        let body = r#"   {"status":206,"headers":{"X-Inngest-SDK":"js","x-inngest-req-version":"2"},"body":"[{\"op\":\"None\"}]"}"#;
        let read = answer(201, &[SDK], body);
        assert_eq!(read.version, Some(2));
        let Says::Ops(ops) = read.says else { panic!("{:?}", read.says) };
        assert_eq!(ops.get(), r#"[{"op":"None"}]"#);
    }

    #[test]
    fn a_broken_envelope_is_a_failed_attempt() {
        assert_eq!(code(&answer(201, &[SDK], "{")), Some(Code::AnswerInvalid));
        assert_eq!(code(&answer(201, &[SDK], "")), Some(Code::AnswerInvalid));
        let Says::Failed(problem) = answer(201, &[SDK], r#"{"error":"stream broke"}"#).says else {
            panic!("no failure")
        };
        assert_eq!(problem.message, "stream broke");
    }

    #[test]
    fn an_output_may_be_as_large_as_the_limit_and_no_larger() {
        let fits = format!("\"{}\"", "x".repeat(STEP_OUTPUT_BYTES_MAX - 2));
        assert!(matches!(answer(200, &[SDK], &fits).says, Says::Returned(_)));
        let too_large = format!("\"{}\"", "x".repeat(STEP_OUTPUT_BYTES_MAX - 1));
        assert_eq!(code(&answer(200, &[SDK], &too_large)), Some(Code::OutputTooLarge));
    }

    fn problem(answer: Answer) -> Problem {
        match answer.says {
            Says::Failed(problem) => problem,
            other => panic!("not a failure: {other:?}"),
        }
    }

    #[test]
    fn what_answered_in_the_sdks_place_is_told_with_the_beginning_of_what_it_said() {
        let sdk_handled: &[(&str, &str)] = &[("X-Inngest-Sdk-Handled", "true")];
        let refused = "The SDK refused the request's signature (401): server and app must share a signing key.";
        let no_sdk = |status| {
            format!("The URL answered with status {status}, but no Inngest SDK did: check the path of the app's URL.")
        };
        let before = |status| format!("Your server returned HTTP {status} before the SDK responded.");
        for (status, headers, code, message) in [
            (299, &[][..], Code::NotSdk, no_sdk(299)),
            (300, &[], Code::HttpNotOk, before(300)),
            (401, &[], Code::HttpNotOk, before(401)),
            (401, sdk_handled, Code::HttpNotOk, refused.to_owned()),
            (403, sdk_handled, Code::HttpNotOk, before(403)),
        ] {
            let problem = problem(answer(status, headers, "<html>"));
            assert_eq!((problem.code, problem.message), (Some(code), message));
            assert_eq!(problem.stack.as_deref(), Some("<html>"));
        }
        for bytes in [FOREIGN_BODY_BYTES_KEPT, FOREIGN_BODY_BYTES_KEPT + 1] {
            let stack = problem(answer(502, &[], &"x".repeat(bytes))).stack.unwrap();
            assert_eq!(stack.len(), FOREIGN_BODY_BYTES_KEPT);
        }
    }

    #[test]
    fn an_error_of_the_function_is_what_it_says_or_else_its_status() {
        for status in [400, 401, 500] {
            assert_eq!(problem(answer(status, &[SDK], r#"{"name":"E","message":"m"}"#)).message, "m");
        }
        let told = problem(answer(500, &[SDK], "plain"));
        assert_eq!(told.message, "The app answered with status 500 and no JSON.");
        assert_eq!((told.code, told.stack.as_deref()), (Some(Code::AnswerInvalid), Some("plain")));
        let told = problem(answer(399, &[SDK], r#"{"message":"m"}"#));
        assert_eq!(told.message, "The app answered with status 399, which means nothing in this protocol.");
        assert_eq!(code(&answer(206, &[SDK], "<html>")), Some(Code::AnswerInvalid));
    }

    #[test]
    fn the_last_of_two_headers_counts_and_a_version_is_a_number() {
        let twice = answer(500, &[SDK, ("retry-after", "2"), ("Retry-After", "3")], "{}");
        assert_eq!(twice.advice.retry_after, Some(Millis(3_000)));
        for (version, read) in [("2", Some(2)), ("-1", Some(-1)), ("two", None)] {
            assert_eq!(answer(206, &[SDK, ("x-inngest-req-version", version)], "[]").version, read);
        }
        assert_eq!(answer(204, &[SDK], "").version, None);
    }

    #[test]
    fn what_hid_an_answer_is_told_by_its_code() {
        let text = || "why".to_owned();
        for (failure, code) in [
            (CallFailure::Unreachable(text()), Code::HttpUnreachable),
            (CallFailure::TimedOut(text()), Code::RequestTooLong),
            (CallFailure::TooLarge(text()), Code::OutputTooLarge),
            (CallFailure::Unreadable(text()), Code::AnswerInvalid),
            (CallFailure::EngineFault(text()), Code::EngineFault),
        ] {
            let problem = problem(read(Err(failure), Millis(1)));
            assert_eq!(problem.code, Some(code));
            assert!(problem.message.contains(": why."), "{}", problem.message);
        }
        assert_eq!(
            too_large(7).message,
            format!("An output of 7 bytes is larger than the limit of {STEP_OUTPUT_BYTES_MAX} bytes.")
        );
    }

    #[test]
    fn an_envelope_may_hold_its_body_as_text_or_as_json_and_headers_of_any_kind() {
        for (body, value) in
            [(r#""{\"a\":1}""#, r#"{"a":1}"#), (r#"{"a":1}"#, r#"{"a":1}"#), ("null", "null"), ("7", "7")]
        {
            let envelope = format!(r#"{{"status":200,"headers":{{"X-Inngest-SDK":1}},"body":{body}}}"#);
            let Says::Returned(output) = answer(201, &[], &envelope).says else { panic!("{body}") };
            assert_eq!(output.get(), value);
        }
        let Says::Returned(output) = answer(201, &[SDK], r#"{"status":200}"#).says else { panic!("no body is null") };
        assert_eq!(output.get(), "null");
        let no_status = problem(answer(201, &[SDK], r#"{"body":"1"}"#));
        assert_eq!(no_status.message, "The streamed answer is broken: it has no status.");
    }
}
