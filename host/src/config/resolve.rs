//! From layers to options.

use super::error::Error;
use super::file;
use super::layer::{Environment, Given, Layer};
use super::read::{
    POLL_INTERVAL_DEFAULT, backlog, calls_per_app, catch_up, http_url, interval, items, level, memory_mb, partitions,
    poll_interval, port, sdk_urls, signing_key, switch, text,
};
use super::setting::{self, Setting};
use super::{ClientOptions, Data, Kind, ServeOptions};
use crate::limits::CALLS_OF_APP_IN_FLIGHT_DEFAULT;
use crate::logging;
use std::path::{Path, PathBuf};

/// The port that SDKs look at.
pub const PORT_DEFAULT: u16 = 8288;
/// Where data is kept, unless said otherwise.
pub const FOLDER_DEFAULT: &str = ".stepwell";
/// What the engine's instances may use together.
const ENGINE_MEMORY_MB_DEFAULT: u64 = 1_024;

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
        calls_per_app_max: layers
            .get(setting::CALLS_PER_APP)
            .map(calls_per_app)
            .transpose()?
            .unwrap_or(CALLS_OF_APP_IN_FLIGHT_DEFAULT),
        partitions: layers.get(setting::PARTITIONS).map(partitions).transpose()?.unwrap_or(1),
        sdk_urls,
        discovery: kind == Kind::Dev && !layers.switch(setting::NO_DISCOVERY)?,
        poll: !layers.switch(setting::NO_POLL)?,
        poll_interval: layers
            .get(setting::POLL_INTERVAL)
            .map(poll_interval)
            .transpose()?
            .unwrap_or(POLL_INTERVAL_DEFAULT),
        retry_interval: layers.get(setting::RETRY_INTERVAL).map(interval).transpose()?.filter(|span| !span.is_zero()),
        wait_look_back: layers.get(setting::WAIT_LOOK_BACK).map(interval).transpose()?.filter(|span| !span.is_zero()),
        cron_catch_up: layers.get(setting::CRON_CATCH_UP).map(catch_up).transpose()?.unwrap_or_default(),
        private_addresses: layers.switch(setting::ALLOW_PRIVATE_ADDRESSES)?,
        backlog_max: layers.get(setting::BACKLOG_LIMIT).map(backlog).transpose()?.filter(|limit| *limit > 0),
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
