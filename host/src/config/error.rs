//! What can be wrong with a configuration; each ends the command with exit code 2.

use std::path::PathBuf;

/// Why the server, or a command, was not started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value cannot be read.
    #[error("{origin} is {value}: {expected}")]
    Invalid {
        /// Where the value stands: `--port`, `INNGEST_PORT`, or "`port` in stepwell.yaml".
        origin: String,
        /// As it was written.
        value: String,
        /// What it should be.
        expected: String,
    },
    /// A configuration file has a member that is none of ours.
    #[error("{} has the unknown key `{key}`; known are: {known}", .file.display())]
    UnknownKey {
        /// The file.
        file: PathBuf,
        /// As it was written.
        key: String,
        /// All that there are.
        known: String,
    },
    /// A configuration file cannot be opened.
    #[error("the configuration file {} cannot be read: {reason}", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// A configuration file is not what its name says.
    #[error("the configuration file {} is not {format}: {reason}", .file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// `JSON`, `YAML`, `TOML`, or "a configuration".
        format: &'static str,
        /// What the parser says.
        reason: String,
    },
    /// `start` without a signing key.
    #[error(
        "`stepwell start` needs a signing key: give --signing-key, STEPWELL_SIGNING_KEY or INNGEST_SIGNING_KEY the key that \
         your apps have in INNGEST_SIGNING_KEY (make one with `openssl rand -hex 32`); for local work use `stepwell dev`"
    )]
    SigningKeyMissing,
    /// `start` without an event key.
    #[error(
        "`stepwell start` needs at least one event key: give --event-key, STEPWELL_EVENT_KEY or INNGEST_EVENT_KEY the key that \
         your apps have in INNGEST_EVENT_KEY (any string will do); for local work use `stepwell dev`"
    )]
    EventKeyMissing,
    /// Two settings that exclude each other, equally strong.
    #[error("{first} and {second} exclude each other; give one of them")]
    Contradiction {
        /// Where one stands.
        first: String,
        /// Where the other stands.
        second: String,
    },
}
