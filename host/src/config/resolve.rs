//! From layers to options.

use super::error::Error;
use super::file;
use super::layer::{Environment, Given, Layer, Value};
use super::setting::{self, Setting};
use super::{ClientOptions, Data, Kind, ServeOptions};
use crate::logging;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

/// The port that SDKs look at.
pub const PORT_DEFAULT: u16 = 8288;
/// Where data is kept, unless said otherwise.
pub const FOLDER_DEFAULT: &str = ".stepwell";
/// From one poll to the next.
const POLL_INTERVAL_DEFAULT: Duration = Duration::from_secs(5);
/// More often would keep apps busy with nothing.
const POLL_INTERVAL_MIN: Duration = Duration::from_millis(100);
/// A day: as long as an app may ask to wait.
const INTERVAL_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// What the engine's instances may use together.
const ENGINE_MEMORY_MB_DEFAULT: u64 = 1_024;
/// Below this the engine cannot hold what one request may bring.
const ENGINE_MEMORY_MB_MIN: u64 = 128;
/// 1 TiB: more is a slip of the finger.
const ENGINE_MEMORY_MB_MAX: u64 = 1 << 20;
/// Keys and URLs that one server may be given.
const LIST_ITEMS_MAX: usize = 1_000;

/// The options of `stepwell dev` or `stepwell start`. `config` is the file that the flags name, if they do.
///
/// # Errors
/// Whatever is wrong, the first fault: see [`Error`].
pub fn serve(
    kind: Kind,
    flags: Layer,
    config: Option<&Path>,
    environment: &Environment,
) -> Result<ServeOptions, Error> {
    let config_file = file::find(config, environment);
    let file = config_file.as_deref().map(file::read).transpose()?.unwrap_or_default();
    let layers = Layers::new(flags, environment, file);

    let mut signing_keys = Vec::new();
    for setting in [setting::SIGNING_KEY, setting::SIGNING_KEY_FALLBACK] {
        signing_keys.extend(layers.get(setting).map(signing_key).transpose()?);
    }
    let event_keys = layers.get(setting::EVENT_KEY).map(items).transpose()?.unwrap_or_default();
    if kind == Kind::Start {
        if layers.get(setting::SIGNING_KEY).is_none() {
            return Err(Error::SigningKeyMissing);
        }
        if event_keys.is_empty() {
            return Err(Error::EventKeyMissing);
        }
    }
    let host = layers.get(setting::HOST).map(text).transpose()?;
    let host_default = match kind {
        Kind::Dev => "127.0.0.1",
        Kind::Start => "0.0.0.0",
    };
    let sdk_urls = layers.get(setting::SDK_URL).map(sdk_urls).transpose()?.unwrap_or_default();
    Ok(ServeOptions {
        kind,
        host: host.unwrap_or_else(|| host_default.to_owned()),
        port: layers.get(setting::PORT).map(port).transpose()?.unwrap_or(PORT_DEFAULT),
        may_move_port: kind == Kind::Dev,
        data: layers.data(environment)?,
        sdk_urls,
        discovery: kind == Kind::Dev && !layers.switch(setting::NO_DISCOVERY)?,
        poll: !layers.switch(setting::NO_POLL)?,
        poll_interval: layers
            .get(setting::POLL_INTERVAL)
            .map(poll_interval)
            .transpose()?
            .unwrap_or(POLL_INTERVAL_DEFAULT),
        retry_interval: layers.get(setting::RETRY_INTERVAL).map(interval).transpose()?.filter(|span| !span.is_zero()),
        signing_keys,
        event_keys,
        engine_memory_bytes_max: layers.engine_memory_bytes_max()?,
        log: logging::Options {
            level: layers.get(setting::LOG_LEVEL).map(level).transpose()?.unwrap_or_default(),
            json: layers.switch(setting::JSON)?,
            color: true,
        },
        config_file,
        warnings: layers.warnings(),
    })
}

/// The options of a command that asks a running server. What the flags leave open, the environment may say.
///
/// # Errors
/// A server that is no HTTP URL.
pub fn client(flags: ClientFlags, environment: &Environment) -> Result<ClientOptions, Error> {
    let from = |flag: Option<String>, name: &'static str, variables: &[&'static str]| {
        let given = flag.filter(|text| !text.is_empty()).map(|text| (name.to_owned(), text));
        given.or_else(|| environment.first(variables).map(|(name, text)| (name.to_owned(), text.to_owned())))
    };
    let server = from(flags.server, "--server", &["STEPWELL_URL"]);
    let key = from(flags.signing_key, "--signing-key", &["STEPWELL_SIGNING_KEY", "INNGEST_SIGNING_KEY"]);
    let event_key = from(flags.event_key, "--event-key", &["STEPWELL_EVENT_KEY", "INNGEST_EVENT_KEY"]);
    let server = match server {
        Some((origin, text)) => http_url(&origin, &text)?,
        None => format!("http://127.0.0.1:{PORT_DEFAULT}"),
    };
    Ok(ClientOptions {
        server: server.trim_end_matches('/').to_owned(),
        signing_key: key.map(|(_, key)| key),
        event_key: event_key.and_then(|(_, keys)| keys.split(',').next().map(|key| key.trim().to_owned())),
    })
}

/// What the flags of a client command say.
#[derive(Clone, Debug, Default)]
pub struct ClientFlags {
    /// The server's URL.
    pub server: Option<String>,
    /// The key that apps and server share.
    pub signing_key: Option<String>,
    /// The key that events are sent with.
    pub event_key: Option<String>,
}

/// The strongest first.
struct Layers([Layer; 5]);

impl Layers {
    fn new(flags: Layer, environment: &Environment, file: Layer) -> Self {
        let own = Layer::of_variables(environment, "STEPWELL");
        let shared = Layer::of_shared_variables(environment);
        Self([flags, own, Layer::of_variables(environment, "INNGEST"), shared, file])
    }

    fn get(&self, setting: Setting) -> Option<&Given> {
        self.0.iter().find_map(|layer| layer.get(setting))
    }

    fn switch(&self, setting: Setting) -> Result<bool, Error> {
        Ok(self.get(setting).map(switch).transpose()?.unwrap_or(false))
    }

    /// `in-memory` and `persist` are one question: the strongest source that says either decides.
    fn data(&self, environment: &Environment) -> Result<Data, Error> {
        for layer in &self.0 {
            let read = |setting| layer.get(setting).map(|given| Ok((given, switch(given)?))).transpose();
            let in_memory = match (read(setting::IN_MEMORY)?, read(setting::PERSIST)?) {
                (Some((first, a)), Some((second, b))) if a == b => {
                    return Err(Error::Contradiction { first: first.origin.clone(), second: second.origin.clone() });
                }
                (Some((_, in_memory)), _) => in_memory,
                (None, Some((_, persist))) => !persist,
                (None, None) => continue,
            };
            if in_memory {
                return Ok(Data::InMemory);
            }
            break;
        }
        let folder = self.get(setting::DATA_DIR).map(text).transpose()?;
        Ok(Data::Folder(environment.folder.join(folder.map_or_else(|| PathBuf::from(FOLDER_DEFAULT), PathBuf::from))))
    }

    fn engine_memory_bytes_max(&self) -> Result<u64, Error> {
        let given = self.get(setting::ENGINE_MEMORY_MB);
        let mebibytes = given.map(memory_mb).transpose()?.unwrap_or(ENGINE_MEMORY_MB_DEFAULT);
        Ok(mebibytes.saturating_mul(1 << 20))
    }

    fn warnings(&self) -> Vec<String> {
        self.0.iter().flat_map(|layer| layer.warnings.iter().cloned()).collect()
    }
}

fn invalid(given: &Given, expected: impl Into<String>) -> Error {
    let value = match &given.value {
        Value::Switch(switch) => switch.to_string(),
        Value::Text(text) => format!("`{text}`"),
        Value::List(items) => format!("`{}`", items.join(",")),
    };
    Error::Invalid { origin: given.origin.clone(), value, expected: expected.into() }
}

fn text(given: &Given) -> Result<String, Error> {
    match &given.value {
        Value::Text(text) => Ok(text.trim().to_owned()),
        _ => Err(invalid(given, "a text is wanted")),
    }
}

fn items(given: &Given) -> Result<Vec<String>, Error> {
    let items = match &given.value {
        Value::List(items) => items.iter().map(|item| item.trim().to_owned()).collect(),
        Value::Text(text) => vec![text.trim().to_owned()],
        Value::Switch(_) => return Err(invalid(given, "a text, or a list of texts, is wanted")),
    };
    if items.iter().any(String::is_empty) {
        return Err(invalid(given, "none of the items may be empty"));
    }
    if items.len() > LIST_ITEMS_MAX {
        return Err(invalid(given, format!("at most {LIST_ITEMS_MAX} items may be given")));
    }
    Ok(items)
}

fn switch(given: &Given) -> Result<bool, Error> {
    match &given.value {
        Value::Switch(switch) => Ok(*switch),
        Value::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err(invalid(given, "true or false is wanted")),
        },
        Value::List(_) => Err(invalid(given, "true or false is wanted")),
    }
}

fn port(given: &Given) -> Result<u16, Error> {
    text(given)?.parse().map_err(|_| invalid(given, "a port is wanted, from 0 (any free one) to 65535"))
}

fn memory_mb(given: &Given) -> Result<u64, Error> {
    let expected =
        || invalid(given, format!("mebibytes are wanted, from {ENGINE_MEMORY_MB_MIN} to {ENGINE_MEMORY_MB_MAX}"));
    let mebibytes = text(given)?.parse().map_err(|_| expected())?;
    if (ENGINE_MEMORY_MB_MIN..=ENGINE_MEMORY_MB_MAX).contains(&mebibytes) { Ok(mebibytes) } else { Err(expected()) }
}

fn poll_interval(given: &Given) -> Result<Duration, Error> {
    let span = interval(given)?;
    // 0 means the default, as it does for Inngest's server (SERVER §5.2).
    if span.is_zero() {
        return Ok(POLL_INTERVAL_DEFAULT);
    }
    if span < POLL_INTERVAL_MIN { Err(invalid(given, "at least 100ms is wanted")) } else { Ok(span) }
}

/// Seconds, or a duration with its unit.
fn interval(given: &Given) -> Result<Duration, Error> {
    let expected =
        || invalid(given, "seconds are wanted (`5`), or a duration with its unit (`100ms`, `2s`), at most a day");
    let text = text(given)?;
    let span = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).map_err(|_| expected())?,
        Err(_) => humantime::parse_duration(&text).map_err(|_| expected())?,
    };
    if span <= INTERVAL_MAX { Ok(span) } else { Err(expected()) }
}

fn level(given: &Given) -> Result<logging::Level, Error> {
    text(given)?.parse().map_err(|_| invalid(given, "one of trace, debug, info, warn, error is wanted"))
}

/// Hex, of even length, with or without `signkey-<word>-` before it (PROTOCOL §2.1). The key itself is in no message.
fn signing_key(given: &Given) -> Result<String, Error> {
    let key = text(given)?;
    let after_prefix = key.strip_prefix("signkey-").and_then(|rest| rest.split_once('-'));
    let hex = after_prefix.map_or(key.as_str(), |(_, hex)| hex);
    if !hex.is_empty() && hex.len().is_multiple_of(2) && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(key);
    }
    Err(Error::Invalid {
        origin: given.origin.clone(),
        value: "no signing key".to_owned(),
        expected: "an even number of hexadecimal digits is wanted, with or without `signkey-<name>-` before them (make one with \
                   `openssl rand -hex 32`)"
            .to_owned(),
    })
}

fn sdk_urls(given: &Given) -> Result<Vec<String>, Error> {
    items(given)?.iter().map(|text| http_url(&given.origin, text)).collect()
}

/// An http or https URL; `http://` may be left away.
pub fn http_url(origin: &str, text: &str) -> Result<String, Error> {
    let text = text.trim();
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    match Url::parse(&whole) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(whole),
        _ => Err(Error::Invalid {
            origin: origin.to_owned(),
            value: format!("`{text}`"),
            expected: "an http or https URL is wanted, such as http://localhost:3000/api/inngest".to_owned(),
        }),
    }
}
