// Every bound of this shell, with its unit in its name. What the platform allows is in docs/CLOUDFLARE.md.

/** A value in one SQL row; a larger one is split. The platform allows 2,000,000 with its key. */
export const CHUNK_BYTES_MAX = 1_900_000;
/** The name of a row, which the platform bounds at 2,048; a longer one is cut, and pieces add to it. */
export const KEY_BYTES_MAX = 1_900;
/** A request's body, where the engine would take more: it is held several times over in an isolate of 128 MiB, and a message between
 * objects may have 32 MiB. */
export const BODY_BYTES_MAX = 16 << 20;
/** So much more of a larger one is read before it is refused. */
export const BODY_BYTES_DROPPED_MAX = 64 << 20;
/** Shards of streams and histories, as in the engine. */
export const SHARDS_MAX = 64;
/** How often a turn may ask for more rows. */
export const ROUNDS_MAX = 32;
/** How long an isolate goes by its catalog before it looks for a newer one. */
export const CATALOG_AGE_MS_MAX = 5_000;
/** How long one invocation of a Worker takes up calls of runs; work after a response may last 30 s. */
export const CHAIN_MS_MAX = 10_000;
/** At this age of an invocation its calls are cut off, and go to carriers. */
export const SLOW_CALL_MS = 27_000;
/** How long a run does without an alarm, because whoever told it to start sees to it: most runs are over by then, and an alarm costs a row. */
export const GUARD_MS = 3_000;
/** Runs that an isolate guards at a time: their senders store what is not confirmed again and again. */
export const GUARDED_MAX = 32;
/** How long a confirmation of letters waits for others, or for a message to ride on. Letters that are not confirmed are stored again and
 * again with what their sender stores, so that this is not long. */
export const CONFIRM_MS = 100;
/** Confirmations that do not wait. */
export const CONFIRMS_MAX = 16;
/** How long after a call was cut off those of the same function go to carriers at once. */
export const SLOW_MS = 600_000;
/** How often an answer is handed over, and how much longer the pause is before each further time. */
export const HAND_OVERS_MAX = 5;
export const HAND_OVER_AGAIN_MS = 100;
/** How long a carrier waits for an app; an alarm may take 15 minutes. */
export const CARRY_MS_MAX = 14 * 60_000;
/** An alarm that is so long overdue is set again by the cron trigger. */
export const ALARM_OVERDUE_MS = 60_000;
/** Runs that the cron trigger looks at, the newest of the history. */
export const NUDGED_RUNS_MAX = 1_000;
/** Requests that one invocation makes before it hands on to a fresh one; the free plan allows 50. */
export const CHAIN_REQUESTS_MAX = 40;
/** Letters that one actor delivers at once. */
export const DELIVERIES_AT_ONCE_MAX = 6;
/** How long a question may wait for its answer. */
export const ASK_MS_MAX = 30_000;
/** How long a request may wait for news before it looks for itself. */
export const WATCH_MS_MAX = 30_000;
/** After so long an alarm that could not be handled comes again. */
export const FAILURE_MS = 5_000;
/** An instance whose memory has grown beyond this is replaced; an isolate has 128 MiB. */
export const INSTANCE_BYTES_MAX = 48 << 20;
