//! The flags that commands share. Values are read in `config`, by the same rules as those of every other source.

use crate::config::setting::{self, Setting};
use crate::config::{ClientFlags, Layer, Value};
use std::path::PathBuf;

pub const DEV_EXAMPLES: &str = "\
Examples:
  stepwell dev                                        apps are looked for on the usual local ports
  stepwell dev -u http://localhost:3000/api/inngest   or is told where one is
  stepwell dev --in-memory --port 9000                keep nothing; listen elsewhere

Every flag can be given as an environment variable (STEPWELL_PORT, or INNGEST_PORT; lists separated by commas) or in a file named
stepwell.json, .yaml or .toml in this folder or one above it. Flags win over variables, variables over the file.";

pub const START_EXAMPLES: &str = "\
Examples:
  stepwell start --signing-key signkey-prod-<hex> --event-key <key> -u https://app.example.com/api/inngest
  STEPWELL_SIGNING_KEY=<hex> STEPWELL_EVENT_KEY=<key>,<key> stepwell start --data-dir /var/lib/stepwell

A signing key is an even number of hexadecimal digits (openssl rand -hex 32); your apps have the same one in INNGEST_SIGNING_KEY.
To rotate keys, start the server with the new key and --signing-key-fallback <old key>.

Every flag can be given as an environment variable (STEPWELL_PORT, or INNGEST_PORT; lists separated by commas) or in a file named
stepwell.json, .yaml or .toml in this folder or one above it. Flags win over variables, variables over the file.";

/// Understood by every command.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Global {
    /// Write JSON: results of commands, and logs on a terminal, too
    #[arg(long, global = true, help_heading = "Global options")]
    pub json: bool,
    /// Write no colours; NO_COLOR does the same
    #[arg(long, global = true, help_heading = "Global options")]
    pub no_color: bool,
    /// What to log: trace, debug, info, warn or error [default: info]
    #[arg(long, short = 'l', global = true, value_name = "LEVEL", help_heading = "Global options")]
    pub log_level: Option<String>,
}

/// The flags of `dev` and `start`.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ServeArgs {
    /// Read this configuration file instead of looking for one
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Listen on this address [default: 127.0.0.1 for dev, 0.0.0.0 for start]
    #[arg(long, value_name = "ADDRESS")]
    host: Option<String>,
    /// Listen on this port; dev takes the next free one [default: 8288]
    #[arg(long, short, value_name = "PORT")]
    port: Option<String>,
    /// An app's serve URL; may be given more than once
    #[arg(long, short = 'u', value_name = "URL")]
    sdk_url: Vec<String>,
    /// Do not look for apps on local ports
    #[arg(long)]
    no_discovery: bool,
    /// Do not ask apps again and again what functions they have, unless the last answer was an error
    #[arg(long)]
    no_poll: bool,
    /// How often apps are asked: seconds, or a duration such as 500ms [default: 5]
    #[arg(long, value_name = "TIME")]
    poll_interval: Option<String>,
    /// Retry after this time, always: seconds, or a duration such as 100ms [default: 0, growing times]
    #[arg(long, value_name = "TIME")]
    retry_interval: Option<String>,
    /// Let events count that came so long before a step waited for them: seconds, or a duration such as 5s [default: 0]
    #[arg(long, value_name = "TIME")]
    wait_look_back: Option<String>,
    /// Of the times of a schedule that were missed while no server ran, make up for: none, the last, or all [default: last]
    #[arg(long, value_name = "WHICH")]
    cron_catch_up: Option<String>,
    /// Let step.fetch and step.ai.infer reach addresses that are not public; dev always does
    #[arg(long)]
    allow_private_addresses: bool,
    /// How many runs of one function may wait to begin behind its limits; those that come then are recorded as skipped
    #[arg(long, value_name = "RUNS")]
    backlog_limit: Option<String>,
    /// Keep nothing: runs are gone when the server stops
    #[arg(long, conflicts_with = "persist")]
    in_memory: bool,
    /// Keep runs in the data folder, as is the default
    #[arg(long)]
    persist: bool,
    /// The folder to keep runs in [default: .stepwell]
    #[arg(long, alias = "sqlite-dir", value_name = "FOLDER")]
    data_dir: Option<String>,
    /// Decide on so many threads, each with a file of its own; the number stays with the data folder [default: 1]
    #[arg(long, value_name = "COUNT")]
    partitions: Option<String>,
    /// Calls that one app may have under way at once; further ones wait [default: 1000]
    #[arg(long, value_name = "COUNT")]
    calls_per_app: Option<String>,
    /// The key that apps and server share; prefer STEPWELL_SIGNING_KEY, which no process list shows
    #[arg(long, value_name = "KEY")]
    signing_key: Option<String>,
    /// The key before this one, while apps change over
    #[arg(long, value_name = "KEY")]
    signing_key_fallback: Option<String>,
    /// A key that senders of events may use; may be given more than once
    #[arg(long, value_name = "KEY")]
    event_key: Vec<String>,
    /// Memory that each instance of the engine may use, in MiB [default: 1024]
    #[arg(long, value_name = "MIB")]
    engine_memory_mb: Option<String>,

    // Inngest's, accepted so that command lines can be brought along; `config` warns of them.
    #[arg(long, hide = true)]
    queue_workers: Option<String>,
    #[arg(long, hide = true)]
    tick: Option<String>,
    #[arg(long, hide = true)]
    connect_gateway_port: Option<String>,
    #[arg(long, hide = true)]
    postgres_uri: Option<String>,
    #[arg(long, hide = true)]
    redis_uri: Option<String>,
    #[arg(long, hide = true)]
    no_ui: bool,
}

impl ServeArgs {
    /// What the flags say.
    pub fn layer(&self, global: &Global) -> Layer {
        let mut layer = Layer::default();
        let mut put = |setting: Setting, value: Option<Value>| {
            if let Some(value) = value {
                layer.put(setting, format!("--{}", setting.name), value);
            }
        };
        let text = |text: &Option<String>| text.clone().map(Value::Text);
        let list = |items: &[String]| (!items.is_empty()).then(|| Value::List(items.to_vec()));
        let switch = |on: bool| on.then_some(Value::Switch(true));
        put(setting::HOST, text(&self.host));
        put(setting::PORT, text(&self.port));
        put(setting::SDK_URL, list(&self.sdk_url));
        put(setting::NO_DISCOVERY, switch(self.no_discovery));
        put(setting::NO_POLL, switch(self.no_poll));
        put(setting::POLL_INTERVAL, text(&self.poll_interval));
        put(setting::RETRY_INTERVAL, text(&self.retry_interval));
        put(setting::WAIT_LOOK_BACK, text(&self.wait_look_back));
        put(setting::CRON_CATCH_UP, text(&self.cron_catch_up));
        put(setting::ALLOW_PRIVATE_ADDRESSES, switch(self.allow_private_addresses));
        put(setting::BACKLOG_LIMIT, text(&self.backlog_limit));
        put(setting::IN_MEMORY, switch(self.in_memory));
        put(setting::PERSIST, switch(self.persist));
        put(setting::DATA_DIR, text(&self.data_dir));
        put(setting::PARTITIONS, text(&self.partitions));
        put(setting::CALLS_PER_APP, text(&self.calls_per_app));
        put(setting::SIGNING_KEY, text(&self.signing_key));
        put(setting::SIGNING_KEY_FALLBACK, text(&self.signing_key_fallback));
        put(setting::EVENT_KEY, list(&self.event_key));
        put(setting::ENGINE_MEMORY_MB, text(&self.engine_memory_mb));
        put(setting::LOG_LEVEL, text(&global.log_level));
        put(setting::JSON, switch(global.json));
        for (name, given) in [
            ("queue-workers", self.queue_workers.is_some()),
            ("tick", self.tick.is_some()),
            ("connect-gateway-port", self.connect_gateway_port.is_some()),
            ("postgres-uri", self.postgres_uri.is_some()),
            ("redis-uri", self.redis_uri.is_some()),
            ("no-ui", self.no_ui),
        ] {
            if given {
                layer.warn(&format!("--{name}"), name);
            }
        }
        layer
    }
}

/// The flags of commands that ask a running server.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ClientArgs {
    /// The server's URL [env: STEPWELL_URL] [default: http://127.0.0.1:8288]
    #[arg(long, value_name = "URL", help_heading = "Server")]
    server: Option<String>,
    /// A server's signing key [env: STEPWELL_SIGNING_KEY, INNGEST_SIGNING_KEY]
    #[arg(long, value_name = "KEY", help_heading = "Server")]
    signing_key: Option<String>,
    /// The key that events are sent with [env: STEPWELL_EVENT_KEY, INNGEST_EVENT_KEY]
    #[arg(long, value_name = "KEY", help_heading = "Server")]
    event_key: Option<String>,
}

impl From<ClientArgs> for ClientFlags {
    fn from(args: ClientArgs) -> Self {
        Self { server: args.server, signing_key: args.signing_key, event_key: args.event_key }
    }
}
