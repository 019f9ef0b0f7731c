//! Every bound, with its unit in its name (law 7). SERVER §3.3, PROTOCOL §6.5.

use crate::ids::Millis;

/// Shards of the streams and histories: every list asks all of them.
pub const SHARDS_MAX: u32 = 64;
/// A request's body, whatever the endpoint.
pub const REQUEST_BODY_BYTES_MAX: usize = 32 << 20;
/// How long a request's body may take to arrive.
pub const REQUEST_BODY_TIME_MAX: Millis = Millis(60_000);
/// Events in one request.
pub const EVENTS_PER_REQUEST_MAX: usize = 5_000;
/// One event, as it came.
pub const EVENT_BYTES_MAX: usize = 3 << 20;
/// An event's name.
pub const EVENT_NAME_CHARACTERS_MAX: usize = 512;
/// An event's `id`.
pub const EVENT_USER_ID_BYTES_MAX: usize = 1_024;
/// How long an event's own `id` is remembered.
pub const EVENT_IDEMPOTENCY_TIME: Millis = Millis(24 * 60 * 60 * 1_000);
/// `ts` of an event, from 1980-01-01 ...
pub const EVENT_TIME_MIN: Millis = Millis(315_532_800_000);
/// ... to 2100-01-01.
pub const EVENT_TIME_MAX: Millis = Millis(4_102_444_800_000);

/// How far a signature's time may be from ours, in either direction (PROTOCOL §2.2).
pub const SIGNATURE_SKEW_MAX: Millis = Millis(5 * 60 * 1_000);

/// Functions of one app.
pub const FUNCTIONS_PER_APP_MAX: usize = 1_000;
/// Apps of one server.
pub const APPS_MAX: usize = 1_000;
/// Triggers of one function.
pub const TRIGGERS_PER_FUNCTION_MAX: usize = 10;
/// A trigger's event name.
pub const TRIGGER_NAME_CHARACTERS_MAX: usize = 255;
/// An expression's source text.
pub const EXPRESSION_BYTES_MAX: usize = 16 << 10;
/// How deeply an expression, or what it compares, may be nested.
pub const EXPRESSION_DEPTH_MAX: usize = 128;
/// How deeply brackets may be nested in an expression.
pub const EXPRESSION_BRACKETS_MAX: u16 = 32;
/// `?:` in one expression.
pub const EXPRESSION_TERNARIES_MAX: usize = 32;
/// Opening parentheses in one expression.
pub const EXPRESSION_PARENTHESES_MAX: usize = 256;
/// Work of one evaluation: a step is a node visited, or 256 bytes looked at.
pub const EXPRESSION_STEPS_MAX: u64 = 200_000;
/// A compiled regular expression.
pub const EXPRESSION_REGEX_BYTES_MAX: usize = 64 << 10;
/// Compiled expressions that are kept, of triggers and again of waits.
pub const EXPRESSIONS_CACHED_MAX: usize = 2_048;
/// Retries that a function may ask for; more is clamped.
pub const RETRIES_MAX: u32 = 20;
/// Retries where a function says nothing.
pub const RETRIES_DEFAULT: u32 = 4;

/// An app's or a function's name or id.
pub const NAME_BYTES_MAX: usize = 512;
/// An app's address.
pub const APP_URL_BYTES_MAX: usize = 4 << 10;
/// A trigger's schedule.
pub const SCHEDULE_CHARACTERS_MAX: usize = 255;
/// From this moment on no schedule comes due: the end of the year 9999.
pub const SCHEDULE_TIME_MAX: Millis = Millis(253_402_300_799_999);
/// How late a run of a schedule may start and still be on time: less than that.
pub const CRON_LATE_MAX: Millis = Millis(60_000);
/// Runs of one schedule that one turn starts.
pub const CRON_STARTS_PER_TURN_MAX: usize = 100;
/// The next times of one schedule that the API tells.
pub const CRON_TIMES_TOLD_MAX: u32 = 100;
/// Of them, where the request says nothing.
pub const CRON_TIMES_TOLD_DEFAULT: u32 = 5;
/// The jitter of a schedule, from one second ...
pub const JITTER_MIN: Millis = Millis(1_000);
/// ... to five minutes.
pub const JITTER_MAX: Millis = Millis(5 * 60 * 1_000);
/// Concurrency limits of one function.
pub const CONCURRENCY_LIMITS_PER_FUNCTION_MAX: usize = 2;
/// Events that cancel a run of one function.
pub const CANCELS_PER_FUNCTION_MAX: usize = 5;
/// A throttle's period, from one second ...
pub const THROTTLE_PERIOD_MIN: Millis = Millis(1_000);
/// ... to a week.
pub const THROTTLE_PERIOD_MAX: Millis = Millis(7 * 24 * 60 * 60 * 1_000);
/// A rate limit's period, from a millisecond ...
pub const RATE_LIMIT_PERIOD_MIN: Millis = Millis(1);
/// ... to a day.
pub const RATE_LIMIT_PERIOD_MAX: Millis = Millis(24 * 60 * 60 * 1_000);
/// A debounce's period, from one second ...
pub const DEBOUNCE_PERIOD_MIN: Millis = Millis(1_000);
/// ... to a week.
pub const DEBOUNCE_PERIOD_MAX: Millis = Millis(7 * 24 * 60 * 60 * 1_000);
/// Events in a full batch, from two ...
pub const BATCH_EVENTS_MIN: u32 = 2;
/// ... to five hundred.
pub const BATCH_EVENTS_MAX: u32 = 500;
/// How long a batch may gather, from one second ...
pub const BATCH_TIMEOUT_MIN: Millis = Millis(1_000);
/// ... to five minutes.
pub const BATCH_TIMEOUT_MAX: Millis = Millis(5 * 60 * 1_000);
/// How long an app may take to answer when it is asked to sync.
pub const SYNC_TIME_MAX: Millis = Millis(10_000);
/// Redirects that such a request follows.
pub const SYNC_REDIRECTS_MAX: u32 = 10;
/// Requests for a sync that may wait for apps at once.
pub const SYNCS_WAITING_MAX: usize = 100;

/// The body of a call; beyond it the SDK is told to fetch the state (PROTOCOL §3.8).
pub const CALL_BODY_BYTES_MAX: usize = 4 << 20;
/// The state that a call carries; beyond it the SDK is told to fetch it.
pub const CALL_STATE_BYTES_MAX: usize = (4 << 20) - (1 << 10);
/// How long one call may take.
pub const CALL_TIME_MAX: Millis = Millis(2 * 60 * 60 * 1_000);
/// Redirects that a call follows.
pub const CALL_REDIRECTS_MAX: u32 = 60;
/// How long a request may take that the server makes for a step.
pub const ERRAND_TIME_MAX: Millis = Millis(15 * 60 * 1_000);
/// Redirects that it follows.
pub const ERRAND_REDIRECTS_MAX: u32 = 10;
/// Its URL.
pub const ERRAND_URL_BYTES_MAX: usize = 8 << 10;
/// Its headers, names and values together.
pub const ERRAND_HEADERS_BYTES_MAX: usize = 64 << 10;
/// The body of an app's answer.
pub const ANSWER_BYTES_MAX: usize = 8 << 20;
/// The output of one step.
pub const STEP_OUTPUT_BYTES_MAX: usize = 4 << 20;
/// A hashed step id. SHA-1 in hex is 40; SDKs may choose longer ones.
pub const STEP_ID_BYTES_MAX: usize = 256;
/// Rows in one run's journal: beyond it an app asks without end.
pub const JOURNAL_ROWS_MAX: u32 = 50_000;
/// Steps of one run.
pub const STEPS_PER_RUN_MAX: usize = 1_000;
/// Ops in one answer.
pub const OPS_PER_ANSWER_MAX: usize = 1_000;
/// The state of one run: outputs and errors of its steps.
pub const RUN_STATE_BYTES_MAX: usize = 32 << 20;
/// Runs that are listed under one event, reruns included; more of them exist, and are found by their ids.
pub const RUNS_PER_EVENT_LISTED_MAX: usize = 1_000;
/// A sleep.
pub const SLEEP_TIME_MAX: Millis = Millis(366 * 24 * 60 * 60 * 1_000);
/// The shortest delay that an app may ask for with Retry-After ...
pub const RETRY_AFTER_MIN: Millis = Millis(1_000);
/// ... and the longest.
pub const RETRY_AFTER_MAX: Millis = Millis(24 * 60 * 60 * 1_000);
/// The part of a foreign answer's body that is kept for people to read.
pub const FOREIGN_BODY_BYTES_KEPT: usize = 4 << 10;
/// The longest that a request may wait for something to happen.
pub const WATCH_TIME_MAX: Millis = Millis(30_000);
/// Rows in one page of a list.
pub const PAGE_ROWS_MAX: u32 = 100;
/// Rows in one page where the request says nothing.
pub const PAGE_ROWS_DEFAULT: u32 = 20;
/// How deep an event may nest: SDKs and signatures read it with parsers that stop at 128, wrapped in some levels of our own.
pub const EVENT_DEPTH_MAX: u32 = 100;
/// Faulty events of one request that its refusal names.
pub const EVENT_FAULTS_TOLD_MAX: usize = 20;
/// Sessions of one event (PROTOCOL §8.3).
pub const SESSIONS_PER_EVENT_MAX: usize = 5;
/// A session's key.
pub const SESSION_KEY_BYTES_MAX: usize = 128;
/// A session's id.
pub const SESSION_ID_BYTES_MAX: usize = 512;
/// Fields of a form.
pub const FORM_FIELDS_MAX: usize = 1_000;
/// Expired event ids that one turn forgets.
pub const EXPIRED_IDS_PER_TURN_MAX: u32 = 1_000;
/// Stored events that one page of a list looks at.
pub const LIST_EVENTS_READ_MAX: u32 = 2_000;
/// Bytes of stored events after which a page of a list ends early.
pub const LIST_BYTES_READ_MAX: usize = 8 << 20;
/// Waits that one turn shows an event to.
pub const WAITS_PER_TURN_MAX: usize = 1_000;
/// Shards of the waits on one event name that compare no field of it with a value.
pub const WAITS_ANY_SHARDS: u128 = 8;
/// Different fields by which the waits on one event name are looked up, and shards of those that look at none, together.
pub const WAIT_ROUTES_PER_NAME_MAX: usize = 64;
/// Names of events that are waited for and that a stream keeps hot.
pub const WAITED_NAMES_HOT_MAX: usize = 4_096;
/// How much longer than asked for, at least, a stream goes on telling of events of a name.
pub const WANT_AHEAD_MIN: Millis = Millis(60 * 60 * 1_000);
/// How often, at most, a stream looks for names that nobody waits for any more: first after so long, then once the first of them is over.
pub const WANTS_SWEPT_EVERY: Millis = Millis(60 * 60 * 1_000);
/// Names that one turn looks at for that.
pub const WANTS_SWEPT_PER_TURN_MAX: u32 = 1_000;
/// Newest events whose ids a stream remembers, or looks through, for those who begin to wait.
pub const RECENT_EVENTS_MAX: usize = 4_096;
/// Of those, how many are read first where they are not remembered.
pub const RECENT_EVENTS_READ_FIRST: u32 = 64;
/// How much older than its receipt an event's id may be, to be found by those who begin to wait.
pub const RECENT_ID_MARGIN: Millis = Millis(10_000);
/// A signal's name.
pub const SIGNAL_NAME_BYTES_MAX: usize = 1_024;
/// How long a wait may last where its function says nothing: a cancellation, an invocation.
pub const WAIT_TIME_DEFAULT: Millis = Millis(365 * 24 * 60 * 60 * 1_000);
/// Bulk cancellations that are kept; beyond it the oldest goes.
pub const CANCELLATIONS_KEPT_MAX: usize = 1_000;
/// Rows of runs that one turn looks at for a bulk cancellation.
pub const CANCELLATION_RUNS_PER_TURN_MAX: u32 = 500;
/// Functions that one run may defer.
pub const DEFERS_PER_RUN_MAX: usize = 20;
/// The inputs of what one run defers, together.
pub const DEFERS_BYTES_MAX: usize = 4 << 20;
/// How deep functions may invoke functions.
pub const INVOKE_DEPTH_MAX: u32 = 32;
/// Stored events that a list reads at first, before it knows how large they are.
pub const LIST_EVENTS_READ_FIRST: u32 = 32;
/// Calls that one turn of a gate lets go.
pub const GRANTS_PER_TURN_MAX: usize = 500;
/// After so long a gate asks the run of a slot whether it wants it still.
pub const SLOT_CHECK_INTERVAL: Millis = Millis(10 * 60 * 1_000);
/// The same where it was asked often, and said each time that it does.
pub const SLOT_CHECK_INTERVAL_MAX: Millis = Millis(24 * 60 * 60 * 1_000);
/// Slots that one turn asks about.
pub const SLOTS_CHECKED_PER_TURN_MAX: usize = 100;
/// Rows of each kind that mean nothing any more and that one turn of a gate forgets.
pub const SLOT_ROWS_FORGOTTEN_PER_TURN_MAX: usize = 100;
/// Values of keys with the longest queues that are told.
pub const QUEUES_TOLD_MAX: usize = 10;
/// The events of one batch, together.
pub const BATCH_BYTES_MAX: usize = 10 << 20;
/// How long a gate remembers what it was shown, at least: nothing comes twice later than that.
pub const GATE_SEEN_TIME: Millis = Millis(10 * 60 * 1_000);
/// Rows of starts that were seen long ago and that one turn of a gate forgets.
pub const GATE_ROWS_FORGOTTEN_PER_TURN_MAX: usize = 100;
/// After so long a run that is to make room for another is told so again.
pub const SINGLETON_ASKED_AGAIN_AFTER: Millis = Millis(1_000);
/// How many seconds a run can go before its peers, or behind them.
pub const PRIORITY_SECONDS_MAX: i64 = 600;
