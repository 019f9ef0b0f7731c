//! The apps: real SDKs, unmodified.

use crate::child::Child;
use crate::server::EVENT_KEY;
use crate::{Answer, Client, ports, until};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Which SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sdk {
    /// npm `inngest` 4.
    Js4,
    /// npm `inngest` 3.
    Js3,
    /// PyPI `inngest` 0.5.
    Py,
}

impl Sdk {
    /// The apps that one process of it serves.
    pub const fn lanes(self) -> &'static [&'static str] {
        match self {
            Self::Js4 => &["js4", "js4-plain", "js4-buffered", "js4-stream", "js4-v1"],
            Self::Js3 => &["js3", "js3-stream"],
            Self::Py => &["py", "py-stream"],
        }
    }

    fn command(self) -> Command {
        let apps = Path::new(env!("CARGO_MANIFEST_DIR")).join("apps");
        let (folder, program, script) = match self {
            Self::Js4 => (apps.join("js4"), PathBuf::from("node"), "app.js"),
            Self::Js3 => (apps.join("js3"), PathBuf::from("node"), "app.js"),
            Self::Py => (apps.join("py"), apps.join("py/.venv/bin/python"), "app.py"),
        };
        let mut command = Command::new(program);
        command.arg(script).current_dir(folder);
        command
    }
}

/// The keys that an app is given.
#[derive(Clone, Debug)]
pub enum Keys {
    /// Dev mode.
    None,
    /// Cloud mode.
    Signing {
        /// `INNGEST_SIGNING_KEY`.
        key: String,
        /// `INNGEST_SIGNING_KEY_FALLBACK`.
        fallback: Option<String>,
    },
}

/// A running app.
pub struct App {
    process: Child,
    origin: String,
    client: Client,
    _dir: TempDir,
}

impl App {
    /// Starts an app that talks to the server at `server`, and waits until it answers.
    pub fn start(sdk: Sdk, server: &str, keys: &Keys) -> Self {
        Self::start_with(sdk, server, keys, &[])
    }

    /// As [`App::start`], with variables of the test's own: `CRON` gives each lane a function `scheduled` on that schedule.
    pub fn start_with(sdk: Sdk, server: &str, keys: &Keys, variables: &[(&str, &str)]) -> Self {
        let (dir, port) = (TempDir::new().expect("a directory"), ports::free());
        let mut command = sdk.command();
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("INNGEST_")) {
            command.env_remove(name);
        }
        command.env("PORT", port.to_string()).envs(variables.iter().copied());
        match keys {
            Keys::None => command.env("INNGEST_DEV", server),
            Keys::Signing { key, fallback } => {
                if let Some(fallback) = fallback {
                    command.env("INNGEST_SIGNING_KEY_FALLBACK", fallback);
                }
                let command = command.env("INNGEST_DEV", "0").env("INNGEST_BASE_URL", server);
                command.env("INNGEST_SIGNING_KEY", key).env("INNGEST_EVENT_KEY", EVENT_KEY)
            }
        };
        let origin = format!("http://127.0.0.1:{port}");
        let client = Client::new(&origin, None, "");
        let mut process = Child::start(command, &dir.path().join("app.log"));
        until("the app answers", || {
            process.assert_alive();
            client.ask("GET", "/_calls", &[], b"").ok().filter(|answer| answer.status == 200)
        });
        Self { process, origin, client, _dir: dir }
    }

    /// Where a lane is served.
    pub fn url(&self, lane: &str) -> String {
        format!("{}/api/{lane}", self.origin)
    }

    /// Asks the SDK to register a lane with the server; what it answers.
    pub fn sync(&self, lane: &str) -> Answer {
        self.client.ask("PUT", &format!("/api/{lane}"), &[], b"").expect("the app answers")
    }

    /// What the app saw of one run, or of all: `calls`, `executions`, `requests`.
    pub fn seen(&self, run: Option<&str>) -> Value {
        let query = run.map(|run| format!("?run={run}")).unwrap_or_default();
        self.client.get(&format!("/_calls{query}")).json()
    }

    /// How many calls the app has got so far.
    pub fn calls(&self) -> u64 {
        self.count("calls")
    }

    /// How many answers and saved steps have reached a server so far (JavaScript only).
    pub fn settled(&self) -> u64 {
        self.count("settled")
    }

    fn count(&self, of: &str) -> u64 {
        self.client.get("/_count").json()[of].as_u64().expect("a count")
    }

    /// Lets the steps go on that wait at this gate.
    pub fn open_gate(&self, gate: &str) {
        assert_eq!(self.client.post(&format!("/_gates/{gate}"), &Value::Null).status, 200);
    }

    /// Holds the steps that come to this gate from now on (JavaScript only). Those that wait for a gate that was never opened wait on.
    pub fn shut_gate(&self, gate: &str) {
        let answer = self.client.ask("DELETE", &format!("/_gates/{gate}"), &[], b"").expect("the app answers");
        assert_eq!(answer.status, 200);
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.process.kill();
    }
}
