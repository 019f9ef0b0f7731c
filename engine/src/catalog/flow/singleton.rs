//! One run at a time (SERVER §2.8).

use crate::catalog::fields::{Faults, Fields};
use serde::{Deserialize, Serialize};

/// One run at a time, of the function or of each value of the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Singleton {
    /// Who gives way.
    pub mode: SingletonMode,
    /// CEL over `event`; an event for which it is false is no singleton.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// Who gives way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SingletonMode {
    /// The newcomer.
    #[default]
    Skip,
    /// The run that is there.
    Cancel,
}

impl Singleton {
    pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults) -> Option<Self> {
        let key = fields.expression("key", "expression_invalid", faults);
        let written = fields.text("mode", faults).unwrap_or("skip");
        let mode = match written.to_ascii_lowercase().as_str() {
            "skip" => SingletonMode::Skip,
            "cancel" => SingletonMode::Cancel,
            _ => {
                faults.add("value_invalid", fields.path("mode"), format!("{written:?} is neither skip nor cancel"));
                return None;
            }
        };
        Some(Self { mode, key })
    }
}
