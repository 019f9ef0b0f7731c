//! Why a command did not do what it was asked, and the exit code that says so.

use super::output::Output;
use crate::config;

/// Anything but success.
#[derive(Debug)]
pub enum Exit {
    /// It was tried and failed.
    Failed {
        /// What happened.
        message: String,
        /// What to do next, where that is known.
        hint: Option<String>,
    },
    /// It could not be tried: the usage or the configuration is wrong.
    Usage(String),
    /// The run that was waited for ended, and not well; that was shown already.
    RunNotCompleted,
    /// Standard output was closed, by `head` say: not an error, and nobody there to be told.
    OutputClosed,
}

impl Exit {
    /// It worked.
    pub const OK: u8 = 0;
    /// Wrong usage or configuration.
    pub const USAGE: u8 = 2;

    /// A failure with nothing to advise.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed { message: message.into(), hint: None }
    }

    /// The process's exit code.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Failed { .. } => 1,
            Self::Usage(_) => Self::USAGE,
            Self::RunNotCompleted => 3,
            Self::OutputClosed => Self::OK,
        }
    }

    /// Tells the user, on standard error.
    pub fn print(&self, output: &Output) {
        match self {
            Self::Failed { message, hint } => {
                output.error(message);
                if let Some(hint) = hint {
                    output.hint(hint);
                }
            }
            Self::Usage(message) => output.error(message),
            Self::RunNotCompleted | Self::OutputClosed => {}
        }
    }
}

impl From<config::Error> for Exit {
    fn from(error: config::Error) -> Self {
        Self::Usage(error.to_string())
    }
}
