//! Every setting there is, by its name: as a flag without the dashes, as a key of a configuration file, and in capitals with
//! underscores after `STEPWELL_` or `INNGEST_` as an environment variable.

/// A setting of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// Other names that mean the same.
    pub aliases: &'static [&'static str],
    /// How many values it has.
    pub arity: Arity,
}

/// How many values a setting has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arity {
    /// At most one.
    One,
    /// Any number; environment variables separate them by commas.
    Many,
}

macro_rules! settings {
    ($($(#[$doc:meta])* $constant:ident = $name:literal, $aliases:expr, $arity:ident;)*) => {
        $($(#[$doc])* pub const $constant: Setting = Setting { name: $name, aliases: &$aliases, arity: Arity::$arity };)*

        /// All of them.
        pub const ALL: &[Setting] = &[$($constant),*];
    };
}

settings! {
    /// An address or a name to listen on.
    HOST = "host", [], One;
    /// The port to listen on.
    PORT = "port", [], One;
    /// Serve URLs of apps.
    SDK_URL = "sdk-url", [], Many;
    /// Apps are not looked for.
    NO_DISCOVERY = "no-discovery", [], One;
    /// Only apps whose last sync failed are asked again.
    NO_POLL = "no-poll", [], One;
    /// Seconds, or a duration with its unit.
    POLL_INTERVAL = "poll-interval", [], One;
    /// Seconds, or a duration with its unit; 0 means the table.
    RETRY_INTERVAL = "retry-interval", [], One;
    /// Seconds, or a duration with its unit; 0 means none.
    WAIT_LOOK_BACK = "wait-look-back", [], One;
    /// `none`, `last` or `all`.
    CRON_CATCH_UP = "cron-catch-up", [], One;
    /// Steps may have the server ask private addresses.
    ALLOW_PRIVATE_ADDRESSES = "allow-private-addresses", [], One;
    /// So many runs of one function may wait to begin.
    BACKLOG_LIMIT = "backlog-limit", [], One;
    /// Nothing is kept.
    IN_MEMORY = "in-memory", [], One;
    /// The opposite of in-memory.
    PERSIST = "persist", [], One;
    /// The folder that data is kept in.
    DATA_DIR = "data-dir", ["sqlite-dir"], One;
    /// Threads that decide, each with a file of its own.
    PARTITIONS = "partitions", [], One;
    /// Calls that one app may have under way.
    CALLS_PER_APP = "calls-per-app", [], One;
    /// The key that apps and server share.
    SIGNING_KEY = "signing-key", [], One;
    /// The key before the current one.
    SIGNING_KEY_FALLBACK = "signing-key-fallback", [], One;
    /// Keys that senders of events may use.
    EVENT_KEY = "event-key", [], Many;
    /// What the engine's instances may use together, in MiB.
    ENGINE_MEMORY_MB = "engine-memory-mb", [], One;
    /// `trace` to `error`.
    LOG_LEVEL = "log-level", [], One;
    /// Logs are JSON, whatever they are written to.
    JSON = "json", [], One;
}

/// What Inngest's server can be told and this one has no use for: accepted, so that a configuration can be brought along, and warned about.
pub const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("queue-workers", "there is no pool of workers to size"),
    ("tick", "nothing is polled: whatever becomes due is pushed"),
    ("connect-gateway-port", "Connect is not built yet"),
    ("no-ui", "there is no dashboard yet"),
    ("postgres-uri", "runs are kept in the data folder, one file"),
    ("redis-uri", "runs are kept in the data folder, one file"),
    ("sqlite-uri", "runs are kept in the data folder, one file"),
    ("verbose", "use `log-level`"),
];

/// The name as this module spells it: `SDK_URL` and `sdk_url` are `sdk-url`.
pub fn canonical(written: &str) -> String {
    written.to_ascii_lowercase().replace('_', "-")
}

/// The setting with this canonical name.
pub fn find(name: &str) -> Option<Setting> {
    ALL.iter().copied().find(|setting| setting.name == name || setting.aliases.contains(&name))
}
