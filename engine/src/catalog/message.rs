//! What the catalog is asked.

use super::Pause;
use crate::ids::FunctionId;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// From a request; every answer is a [`crate::turn::Answer`].
#[derive(Debug, Serialize, Deserialize)]
pub enum Ask {
    /// An app's own account of itself (PROTOCOL §1.4).
    /// Answers `{"ok":true,"modified":bool,"sync_id":"<uuid>","app_id":"<uuid>"}`.
    Register {
        /// The request's body.
        body: Box<RawValue>,
        /// The query's `deployId`, which ties a deploy hook to its sync; kept with the app.
        deploy_id: Option<String>,
    },
    /// Archives the apps at this address. Answers `{"ok":true,"apps":["<name>",…]}`, or `app_unknown`.
    RemoveUrl {
        /// Of the serve endpoint; `127.0.0.1`, `0.0.0.0` and `localhost` are the same.
        url: String,
    },
    /// Answers everything that is not archived:
    /// `{"apps":[{"id","name","url","sdk","framework","synced_at_ms","error":{"code","message"}|null,"function_count"}],
    /// "functions":[{"id","slug","name","app","url","version","retries","triggers":[…]}]}`, ids being UUIDs.
    Overview,
    /// Answers the functions of one app as `Overview` shows them, or `app_unknown`.
    Functions {
        /// The app's name.
        app: String,
    },
    /// Pauses a function, or resumes it. Answers `null`, or `function_unknown`.
    Pause {
        /// Which.
        function: FunctionId,
        /// How; none: it is resumed.
        paused: Option<Pause>,
    },
    /// Asks apps to sync, by a call to each (PROTOCOL §1.9, §1.10). Answers, once all of them have answered,
    /// `{"apps":[{"url","app":name|null,"ok":bool,"modified":bool|null,"error":{"code","message"}|null}]}`.
    Sync {
        /// The one app to ask; every known app where there is none.
        url: Option<String>,
        /// Of the known apps, only those whose last sync failed.
        only_failed: bool,
    },
}
