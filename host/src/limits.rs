//! Every bound of the host, with its unit in its name. The engine's own are in `engine/src/limits.rs`.

use std::time::Duration;

/// Partitions: as many as there may be shards (wit/types.wit).
pub const PARTITIONS_MAX: u32 = 64;
/// Letters of one partition that others have not taken in yet and that were sent; further ones wait in the file.
pub const LETTERS_IN_FLIGHT_MAX: usize = 4_096;
/// Letters that are read from the file at once.
pub const LETTERS_PAGE: usize = 256;
/// Questions that may wait for a partition; beyond it they are refused as `overloaded`.
pub const ASKS_QUEUED_MAX: usize = 4_096;
/// Messages from outside that go into one transaction.
pub const BATCH_MESSAGES_MAX: usize = 512;
/// Timers that go into one transaction.
pub const BATCH_WAKES_MAX: usize = 256;
/// Turns of one transaction, the messages that actors send each other included; more is a defect of the engine.
pub const BATCH_TURNS_MAX: usize = 1_000_000;
/// How often one turn may ask for more rows.
pub const NEEDS_ROUNDS_MAX: usize = 32;
/// Actors that are kept hot.
pub const HOT_ACTORS_MAX: usize = 4_096;
/// The rows of hot actors together, as a part of the memory that an instance may use: decoded rows are larger.
pub const HOT_BYTES_PART: usize = 8;
/// Timers of parked actors that are held in memory; the others are read from the file when their time comes near.
pub const PARKED_TIMERS_MAX: usize = 16_384;
/// How far ahead timers of parked actors are held in memory.
pub const PARKED_TIMERS_AHEAD: Duration = Duration::from_secs(15 * 60);
/// Addresses of owing actors that are read from the file at once.
pub const OWING_PAGE: usize = 1_024;
/// How long a message that could not be taken in waits until it is tried again.
pub const RETRY_AFTER_FAILURE: Duration = Duration::from_secs(1);
/// How long a wake waits whose turn trapped.
pub const RETRY_AFTER_TRAP: Duration = Duration::from_secs(60);

/// How long one call into an instance may take.
pub const TURN_TIME_MAX: Duration = Duration::from_secs(10);
/// How often instances look at the clock: the error of [`TURN_TIME_MAX`].
pub const EPOCH_TICK: Duration = Duration::from_secs(1);
/// Table elements of one instance; the engine needs some hundreds.
pub const TABLE_ELEMENTS_MAX: usize = 100_000;

/// Instances that answer requests.
pub const REQUEST_INSTANCES: usize = 2;
/// An instance that answers requests is made anew when it has grown beyond this and holds no request.
pub const REQUEST_INSTANCE_BYTES_KEPT: usize = 48 << 20;
/// Requests that are being answered at once.
pub const REQUESTS_OPEN_MAX: usize = 4_096;
/// Connections at once; further ones wait in the kernel's queue.
pub const CONNECTIONS_MAX: usize = 4_096;
/// Request bodies that are held at once, in KiB.
pub const REQUEST_BODIES_KIB_MAX: usize = 256 << 10;
/// How long a request's head may take to arrive; also how long a connection may stay silent.
pub const REQUEST_HEAD_TIME_MAX: Duration = Duration::from_secs(75);
/// How long the rest of a refused body is read and thrown away, so that the sender gets to read the answer.
pub const REFUSED_BODY_TIME_MAX: Duration = Duration::from_secs(2);
/// How long an actor may take to answer a question.
pub const ASK_TIME_MAX: Duration = Duration::from_secs(60);
/// Bodies larger than this are taken in where they do not hold up other requests.
pub const BODY_BYTES_INLINE_MAX: usize = 128 << 10;

/// Calls in flight. One that finds no room waits as an address, and is made of its rows again when there is some.
pub const CALLS_IN_FLIGHT_MAX: usize = 4_000;
/// Calls of one app in flight: an app that hangs leaves three quarters of the room to the others.
pub const CALLS_OF_APP_IN_FLIGHT_DEFAULT: usize = 1_000;
/// Calls of one app that may be fresh: no answer yet, and younger than [`FRESH_TIME_MAX`]. A quarter of the 511
/// connections that Node's listening socket keeps waiting.
pub const FRESH_CALLS_MAX: usize = 128;
/// How long a call without an answer is fresh: an app that answers nothing still gets 25,000 calls a second.
pub const FRESH_TIME_MAX: Duration = Duration::from_millis(5);
/// How long it may take to connect to an app; PROTOCOL §6.2 gives a TLS handshake 15 s.
pub const CONNECT_TIME_MAX: Duration = Duration::from_secs(15);
/// How long an unused connection to an app is kept. Below the 5 s after which Node and uvicorn close theirs.
pub const CONNECTION_IDLE_TIME_MAX: Duration = Duration::from_secs(4);
/// Unused connections kept for one app.
pub const CONNECTIONS_IDLE_MAX: usize = 256;

/// How long what is in flight may take to end when the server stops.
pub const SHUTDOWN_TIME_MAX: Duration = Duration::from_secs(5);
/// Ports that `dev` tries, counting up from the one asked for.
pub const PORTS_TRIED_MAX: u16 = 100;
