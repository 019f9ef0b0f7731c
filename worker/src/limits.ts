// Every bound of this shell, with its unit in its name. What the platform allows is in docs/CLOUDFLARE.md.

/** A value in one SQL row; a larger one is split. The platform allows 2,000,000 with its key. */
export const CHUNK_BYTES_MAX = 1_900_000;
/** How often a turn may ask for more rows. */
export const ROUNDS_MAX = 32;
/** How long an isolate goes by its catalog before it looks for a newer one. */
export const CATALOG_AGE_MS_MAX = 5_000;
/** How long one invocation of a Worker goes on with a run's calls; work after a response may last 30 s. */
export const CHAIN_MS_MAX = 20_000;
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
