//! The errors that a user can meet: a stable code, the HTTP status, a sentence. Each has a page in docs/errors/.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// An answer of "no" to a request, from whichever actor or endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}: {message}", .code.as_str())]
pub struct Refusal {
    /// What went wrong.
    pub code: Code,
    /// What happened and what to do, for a person.
    pub message: String,
    /// The single faults where there are several (a sync with three invalid functions, say).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Detail>,
}

/// One fault among several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// A stable code.
    pub code: Cow<'static, str>,
    /// What it is about: a function's slug, or an event's position.
    pub subject: String,
    /// The field at fault, as the sender spelt it.
    pub field: String,
    /// The sentence.
    pub message: String,
}

impl Refusal {
    /// A refusal without details.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Vec::new() }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal;)*) => {
        /// A stable error code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $code)] $name,)*
        }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as users see it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The HTTP status that goes with it where it answers a request.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }
        }
    };
}

codes! {
    // Requests, whatever they ask for.
    /// No such path.
    RouteUnknown = "route_unknown", 404;
    /// A part of the protocol that is not built here yet.
    FeatureUnsupported = "feature_unsupported", 501;
    /// The path exists, the method does not.
    MethodNotAllowed = "method_not_allowed", 405;
    /// The body is larger than the limit.
    BodyTooLarge = "body_too_large", 413;
    /// The body did not arrive in time.
    BodyTimeout = "body_timeout", 408;
    /// The connection broke, or the transfer was malformed.
    BodyUnreadable = "body_unreadable", 400;
    /// The body is not JSON, or not the shape that the endpoint takes.
    BodyInvalid = "body_invalid", 400;
    /// A query or path parameter is malformed.
    ParameterInvalid = "parameter_invalid", 400;
    /// A signing key is needed and was missing or wrong.
    AuthenticationFailed = "authentication_failed", 401;
    /// A decision could not be made: a defect in the server. Nothing was changed.
    EngineFault = "engine_fault", 500;
    /// The server has more work waiting than it may hold.
    Overloaded = "overloaded", 503;
    /// A shell was deployed without its keys (Cloudflare, Spin): it serves nothing.
    SettingsMissing = "settings_missing", 500;
    /// A shell was given a store that cannot keep what is promised (Spin): it serves nothing.
    StoreUnusable = "store_unusable", 500;
    /// A shell was started with another number of partitions than its data was made for (the host): it does not start.
    PartitionsChanged = "partitions_changed", 500;

    // Events.
    /// The event has no name.
    EventNameMissing = "event_name_missing", 400;
    /// The name is longer than allowed.
    EventNameTooLong = "event_name_too_long", 400;
    /// Names beginning with `inngest/` belong to the server.
    EventNameReserved = "event_name_reserved", 400;
    /// A field of the event has the wrong type or value.
    EventInvalid = "event_invalid", 400;
    /// `ts` is outside 1980 to 2100.
    EventTimeInvalid = "event_time_invalid", 400;
    /// One event is larger than allowed.
    EventTooLarge = "event_too_large", 400;
    /// More events in one request than allowed.
    TooManyEvents = "too_many_events", 400;
    /// The event key is not one of the server's.
    EventKeyUnknown = "event_key_unknown", 401;
    /// No event with this id.
    EventUnknown = "event_unknown", 404;

    // Sync.
    /// The sync has no app name.
    AppNameMissing = "app_name_missing", 400;
    /// No app with this name or URL.
    AppUnknown = "app_unknown", 404;
    /// One or more functions of the sync are invalid; the details name each fault.
    ConfigInvalid = "config_invalid", 400;
    /// The SDK expects a server of the other kind.
    ServerKindMismatch = "server_kind_mismatch", 400;
    /// This SDK version has a known vulnerability.
    SdkVersionDenied = "sdk_version_denied", 400;
    /// No function with this id.
    FunctionUnknown = "function_unknown", 404;

    // Runs.
    /// No run with this id.
    RunUnknown = "run_unknown", 404;
    /// The run has no such step.
    StepUnknown = "step_unknown", 404;
    /// Several steps of the run have this name.
    StepAmbiguous = "step_ambiguous", 409;
    /// The checkpoint belongs to an attempt that is no longer current.
    CheckpointStale = "checkpoint_stale", 409;
    /// A checkpoint may not carry this opcode.
    CheckpointOpcode = "checkpoint_opcode", 400;
    /// No bulk cancellation with this id.
    CancellationUnknown = "cancellation_unknown", 404;
    /// Nobody waits for this signal.
    SignalUnknown = "signal_unknown", 404;
    /// A step or the run's state is larger than allowed.
    StateTooLarge = "state_too_large", 413;

    // What a run or an attempt can fail of, seen in the run's error and timeline.
    /// The app could not be reached.
    HttpUnreachable = "http_unreachable", 502;
    /// The answer did not come from an SDK.
    NotSdk = "not_sdk", 502;
    /// The app answered with an error status before the SDK could.
    HttpNotOk = "http_not_ok", 502;
    /// The answer or a step's output is larger than allowed.
    OutputTooLarge = "output_too_large", 502;
    /// The app took longer than two hours.
    RequestTooLong = "request_duration_too_long", 504;
    /// The answer could not be understood.
    AnswerInvalid = "answer_invalid", 502;
    /// The answer asked for nothing, and nothing else is under way.
    AnswerEmpty = "answer_empty", 502;
    /// The opcode is known to the protocol and not yet built here.
    OpcodeUnsupported = "opcode_unsupported", 501;
    /// The opcode is not known to the protocol.
    OpcodeUnknown = "opcode_unknown", 502;
    /// More steps than a run may have.
    StepLimitExceeded = "step_limit_exceeded", 422;
    /// More state than a run may have.
    StateLimitExceeded = "state_limit_exceeded", 422;
    /// A sleep or wait longer than a year.
    SleepTooLong = "sleep_too_long", 422;
    /// A sleep's duration or date cannot be read.
    SleepInvalid = "sleep_invalid", 422;
    /// A wait's event, signal or timeout cannot be read.
    WaitInvalid = "wait_invalid", 422;
    /// A wait's expression does not compile.
    ExpressionInvalid = "expression_invalid", 422;
    /// The waits on one event name compare more different fields of it than allowed.
    WaitRoutesExceeded = "wait_routes_exceeded", 422;
    /// Another run waits for the signal already.
    SignalConflict = "signal_conflict", 409;
    /// Functions invoke each other deeper than allowed.
    InvokeTooDeep = "invoke_too_deep", 422;
    /// The invoked run was cancelled.
    InvokeCancelled = "invoke_cancelled", 409;
    /// The invoked function did not start: its rate limit, or its idempotency key.
    RateLimited = "rate_limited", 429;
    /// The invoked function did not start: a newer event took the place of the invocation.
    Debounced = "debounced", 409;
    /// The invoked run was recorded and never begun.
    RunSkipped = "run_skipped", 409;
    /// A request that the server was to make for a step cannot be sent.
    GatewayInvalid = "gateway_invalid", 422;
    /// A request that the server made for a step came to nothing.
    GatewayFailed = "gateway_failed", 502;
    /// A request that the server was to make for a step would go to an address that is not public.
    AddressNotPublic = "address_not_public", 403;
    /// The function is no longer registered.
    FunctionGone = "function_gone", 410;
}

/// An actor cannot read its rows or its message: a defect, never a user's mistake. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {cause}")]
pub struct Fault {
    /// What was being read.
    pub what: &'static str,
    /// Why it could not be.
    pub cause: String,
}

impl Fault {
    /// A fault while reading `what`.
    pub fn new(what: &'static str, cause: impl ToString) -> Self {
        Self { what, cause: cause.to_string() }
    }
}
