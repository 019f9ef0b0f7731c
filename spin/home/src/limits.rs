//! Every bound of this home, with its unit in its name.

/// What one key holds; larger values are split. The smallest bound of the stores that are known is 1 MB.
pub const VALUE_BYTES_MAX: usize = 900_000;
/// New rows that a head holds before they go to pages: the head is written with every turn.
pub const BUFFER_BYTES_MAX: usize = 16 << 10;
/// Rows of one page; one that is larger has a page of its own.
pub const PAGE_BYTES_MAX: usize = 32 << 10;
/// Pages that one page, or a head, names.
pub const CHILDREN_MAX: usize = 128;
/// How often a turn may ask for more rows.
pub const ROUNDS_MAX: u32 = 32;
/// How often one message is decided anew because somebody else was faster.
pub const CONFLICTS_MAX: u32 = 200;
/// The longest pause before it is decided anew.
pub const CONFLICT_MS_MAX: u64 = 50;
/// How often a read begins anew because pages had gone with an older head.
pub const STALE_READS_MAX: u32 = 20;
/// Documents of the index of each part.
pub const DUE_SHARDS: u64 = 4;
/// Alarms that one look at a document of the index claims.
pub const CLAIMED_MAX: u32 = 32;
/// How long whoever claimed an alarm has for it, unless a lease is shorter.
pub const CLAIM_MS: u64 = 10_000;
/// How long a message waits for another one that this instance has at the same actor, before it looks again.
pub const BUSY_MS: u64 = 1;
/// How often requests look in passing.
pub const PASSING_MS: u64 = 1_000;
/// The longest that a sleeper sleeps before it looks.
pub const SLEEP_MS_MAX: u64 = 20_000;
/// How long a sleeper is the one of its part after it has last said so.
pub const SLEEPER_MS: u64 = 60_000;
/// How long a confirmation of letters waits for a turn to ride on.
pub const CONFIRM_MS: u64 = 250;
/// Letters that one actor delivers at once.
pub const DELIVERIES_AT_ONCE_MAX: usize = 8;
/// How long a question may wait for its answer.
pub const ASK_MS_MAX: u64 = 30_000;
/// How often whoever waits for news looks, at first ...
pub const WATCH_MS_MIN: u64 = 10;
/// ... and in the end.
pub const WATCH_MS_MAX: u64 = 250;
/// How often an answer is handed over, and how long it waits before each further time.
pub const HAND_OVERS_MAX: u32 = 8;
/// The pause before that.
pub const HAND_OVER_AGAIN_MS: u64 = 1_000;
/// Actors that an instance keeps in memory.
pub const HOT_MAX: usize = 64;
/// Places of documents that an instance remembers.
pub const PLACES_MAX: usize = 4_096;
/// Shards of streams and histories, as in the engine.
pub const SHARDS_MAX: u32 = 64;
