//! How the server is to run: flags, then environment, then file, then defaults (SERVER §5.2).

mod duration;
mod file;
mod flags;
mod layers;

pub use flags::{DevFlags, ServeFlags};
pub use layers::Layers;

use crate::wit::{ServerKind, Settings};
use std::path::PathBuf;
use std::time::Duration;

/// Where rows are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// Gone with the process.
    Memory,
    /// In `stepwell.db` of this folder.
    Folder(PathBuf),
}

/// Everything that a server is told at its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `dev` or `start`.
    pub kind: ServerKind,
    /// The address to listen on.
    pub host: String,
    /// The port to listen on.
    pub port: u16,
    /// Apps to sync.
    pub sdk_urls: Vec<String>,
    /// Whether to look for apps on this machine.
    pub discovery: bool,
    /// Whether to sync apps again and again; if not, only those in error.
    pub poll: bool,
    /// How often.
    pub poll_interval: Duration,
    /// Replaces the back-off table.
    pub retry_interval: Option<Duration>,
    /// Where rows are kept.
    pub data: Data,
    /// The current signing key first, then those that are still accepted.
    pub signing_keys: Vec<String>,
    /// Accepted event keys.
    pub event_keys: Vec<String>,
    /// What one instance of the engine may take.
    pub engine_memory_bytes: usize,
    /// Calls in flight.
    pub calls_max: usize,
}

/// A configuration that cannot be used; the sentence says what to change.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

const PORT: u16 = 8288;
const POLL_INTERVAL: Duration = Duration::from_secs(5);
const DATA_FOLDER: &str = ".stepwell";
const ENGINE_MEMORY_MB: usize = 1_024;
const CALLS_MAX: usize = 1_000;

impl Config {
    /// What `flags` and `layers` say together.
    ///
    /// # Errors
    /// A value that cannot be read, or, for `start`, a key that is missing.
    pub fn resolve(kind: ServerKind, flags: ServeFlags, dev: DevFlags, layers: &Layers) -> Result<Self, ConfigError> {
        let is_dev = kind == ServerKind::Dev;
        let in_memory = layers.switch("in-memory", dev.in_memory)?;
        let folder = layers.text(&["data-dir", "sqlite-dir"], flags.data_dir.map(|dir| dir.display().to_string()));
        let mut signing_keys = layers.list(&["signing-key"], flags.signing_key.into_iter().collect());
        signing_keys.extend(layers.list(&["signing-key-fallback"], flags.signing_key_fallback));
        let poll_interval = layers.duration("poll-interval", flags.poll_interval)?;
        let engine_memory_mb = layers.number("engine-memory-mb", flags.engine_memory_mb)?.unwrap_or(ENGINE_MEMORY_MB);
        let config = Self {
            kind,
            host: layers.text(&["host"], flags.host).unwrap_or_else(|| default_host(is_dev).to_owned()),
            port: layers.number("port", flags.port)?.unwrap_or(PORT),
            sdk_urls: layers.list(&["sdk-url", "urls"], flags.sdk_url).iter().map(|url| with_scheme(url)).collect(),
            discovery: is_dev && !layers.switch("no-discovery", dev.no_discovery)?,
            poll: !layers.switch("no-poll", dev.no_poll)?,
            poll_interval: poll_interval.filter(|interval| !interval.is_zero()).unwrap_or(POLL_INTERVAL),
            retry_interval: layers.duration("retry-interval", flags.retry_interval)?.filter(|span| !span.is_zero()),
            data: if is_dev && in_memory {
                Data::Memory
            } else {
                Data::Folder(PathBuf::from(folder.unwrap_or_else(|| DATA_FOLDER.to_owned())))
            },
            signing_keys,
            event_keys: layers.list(&["event-key"], flags.event_key),
            engine_memory_bytes: engine_memory_mb.saturating_mul(1 << 20),
            calls_max: layers.number("calls-max", flags.calls_max)?.unwrap_or(CALLS_MAX).max(1),
        };
        config.check()
    }

    fn check(self) -> Result<Self, ConfigError> {
        if self.kind == ServerKind::Cloud {
            if self.signing_keys.is_empty() {
                return Err(ConfigError(missing("signing key", "--signing-key", "STEPWELL_SIGNING_KEY")));
            }
            if self.event_keys.is_empty() {
                return Err(ConfigError(missing("event key", "--event-key", "STEPWELL_EVENT_KEY")));
            }
        }
        Ok(self)
    }

    /// What the engine is told.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            kind: self.kind,
            signing_keys: self.signing_keys.clone(),
            event_keys: self.event_keys.clone(),
            retry_interval_ms: self.retry_interval.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX)),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// A development server is for this machine alone; a production server is for others, as the reference's is.
const fn default_host(is_dev: bool) -> &'static str {
    if is_dev { "127.0.0.1" } else { "0.0.0.0" }
}

fn missing(what: &str, flag: &str, variable: &str) -> String {
    format!(
        "`stepwell start` needs a {what}: give {flag} or set {variable}. \
         (`stepwell dev` needs none, for work on your own machine.)"
    )
}

/// `localhost:3000/api/inngest` is what people type.
fn with_scheme(url: &str) -> String {
    if url.contains("://") { url.to_owned() } else { format!("http://{url}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::HashMap;

    fn layers(environment: &[(&str, &str)], file: serde_json::Value) -> Layers {
        let environment: HashMap<_, _> =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Layers::new(environment, file)
    }

    fn dev(flags: ServeFlags, layers: &Layers) -> Config {
        Config::resolve(ServerKind::Dev, flags, DevFlags::default(), layers).unwrap()
    }

    #[test]
    fn a_flag_goes_before_the_environment_before_the_file_before_the_default() {
        let file = json!({ "port": 4, "sdk-url": ["a:1/x"] });
        let ours_and_theirs = [("STEPWELL_PORT", "2"), ("INNGEST_PORT", "3")];
        let flag = ServeFlags { port: Some(1), ..ServeFlags::default() };
        assert_eq!(dev(flag, &layers(&ours_and_theirs, file.clone())).port, 1);
        assert_eq!(dev(ServeFlags::default(), &layers(&ours_and_theirs, file.clone())).port, 2);
        assert_eq!(dev(ServeFlags::default(), &layers(&ours_and_theirs[1..], file.clone())).port, 3);
        assert_eq!(dev(ServeFlags::default(), &layers(&[], file.clone())).port, 4);
        assert_eq!(dev(ServeFlags::default(), &layers(&[], json!({}))).port, 8288);
        assert_eq!(dev(ServeFlags::default(), &layers(&[], file)).sdk_urls, ["http://a:1/x"]);
    }

    #[test]
    fn lists_in_the_environment_are_separated_by_commas() {
        let config = dev(ServeFlags::default(), &layers(&[("INNGEST_EVENT_KEY", "a, b,,c")], json!({})));
        assert_eq!(config.event_keys, ["a", "b", "c"]);
    }

    #[test]
    fn the_current_signing_key_stands_before_the_older_ones() {
        let flags = ServeFlags {
            signing_key: Some("new".to_owned()),
            signing_key_fallback: vec!["old".to_owned()],
            ..ServeFlags::default()
        };
        assert_eq!(dev(flags, &layers(&[], json!({}))).signing_keys, ["new", "old"]);
    }

    #[test]
    fn start_without_keys_is_refused_with_what_to_do() {
        let start = |environment: &[(&str, &str)]| {
            let layers = layers(environment, json!({}));
            Config::resolve(ServerKind::Cloud, ServeFlags::default(), DevFlags::default(), &layers)
        };
        assert!(start(&[]).unwrap_err().0.contains("--signing-key"));
        assert!(start(&[("STEPWELL_SIGNING_KEY", "k")]).unwrap_err().0.contains("--event-key"));
        let config = start(&[("STEPWELL_SIGNING_KEY", "k"), ("STEPWELL_EVENT_KEY", "e")]).unwrap();
        assert_eq!((config.host.as_str(), config.data), ("0.0.0.0", Data::Folder(".stepwell".into())));
    }

    #[test]
    fn the_folder_of_the_reference_is_accepted() {
        let config = dev(ServeFlags::default(), &layers(&[("INNGEST_SQLITE_DIR", "/d")], json!({})));
        assert_eq!(config.data, Data::Folder("/d".into()));
    }

    #[test]
    fn values_that_cannot_be_read_are_named() {
        let refused = |name, value| {
            let layers = layers(&[(name, value)], json!({}));
            Config::resolve(ServerKind::Dev, ServeFlags::default(), DevFlags::default(), &layers).unwrap_err().0
        };
        assert!(refused("STEPWELL_PORT", "http").contains("port"));
        assert!(refused("INNGEST_RETRY_INTERVAL", "soon").contains("retry-interval"));
        assert!(refused("STEPWELL_NO_POLL", "perhaps").contains("no-poll"));
    }
}
