//! The apps of `examples/`.

use crate::child::Child;
use crate::{Answer, Client, ports, until};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A running example in TypeScript.
pub struct Example {
    _process: Child,
    client: Client,
    _dir: TempDir,
}

impl Example {
    /// Starts a script of `examples/typescript` that talks to the server at `server`, and waits until it answers.
    pub fn start(script: &str, server: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/typescript");
        let (dir, port) = (TempDir::new().expect("a directory"), ports::free());
        let mut command = Command::new("node");
        command.args(["--import", "tsx", script]).current_dir(folder);
        command.env("INNGEST_DEV", server).env("PORT", port.to_string());
        let client = Client::new(&format!("http://127.0.0.1:{port}"), None, "");
        let mut process = Child::start(command, &dir.path().join("example.log"));
        until("the example answers", || {
            process.assert_alive();
            client.ask("GET", "/api/inngest", &[], b"").ok().filter(|answer| answer.status == 200)
        });
        Self { _process: process, client, _dir: dir }
    }

    /// Asks the SDK to register the app with the server; what it answers.
    pub fn sync(&self) -> Answer {
        self.client.ask("PUT", "/api/inngest", &[], b"").expect("the example answers")
    }
}
