//! The real server.

use crate::child::Child;
use crate::{Client, ports, within};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// A first start may have to compile the engine.
const START_TIME_MAX: Duration = Duration::from_secs(120);
/// Constant, so that no test waits for the back-off table.
const RETRY_INTERVAL: &str = "100ms";
/// The event key of servers that have one.
pub(crate) const EVENT_KEY: &str = "event-key-of-the-tests";

/// How the server is run.
#[derive(Clone)]
pub enum Mode {
    /// `stepwell dev`: no keys.
    Dev,
    /// `stepwell start`: the signing key, and the one before it.
    Cloud {
        /// Signs calls, opens the API.
        signing_key: String,
        /// Opens the API too.
        fallback: Option<String>,
    },
}

/// A server with a data directory and a port of its own, which it keeps over restarts.
pub struct Server {
    mode: Mode,
    arguments: Vec<String>,
    dir: TempDir,
    port: u16,
    process: Child,
}

impl Server {
    /// Starts a server; `arguments` are added to the command line.
    pub fn start(mode: Mode, arguments: &[&str]) -> Self {
        let (dir, port) = (TempDir::new().expect("a directory"), ports::free());
        let arguments: Vec<_> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let process = launch(&mode, &arguments, &dir, port);
        let mut server = Self { mode, arguments, dir, port, process };
        server.wait_until_healthy();
        server
    }

    /// SIGKILL at this very moment.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// SIGTERM; the exit code.
    pub fn stop(&mut self) -> Option<i32> {
        self.process.stop()
    }

    /// Starts again on the same data and port, after [`Server::kill`] or [`Server::stop`].
    pub fn restart(&mut self) {
        self.restart_as(self.mode.clone());
    }

    /// As [`Server::restart`], with other arguments.
    pub fn restart_with(&mut self, arguments: &[&str]) {
        self.arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        self.restart();
    }

    /// As [`Server::restart`], with other keys.
    pub fn restart_as(&mut self, mode: Mode) {
        self.process.kill();
        self.process = launch(&mode, &self.arguments, &self.dir, self.port);
        self.mode = mode;
        self.wait_until_healthy();
    }

    /// Fails the test where the server has gone.
    pub fn assert_healthy(&mut self) {
        self.process.assert_alive();
        assert_eq!(self.client().get("/health").status, 200);
    }

    /// Runs a command of `stepwell` against this server, to its end.
    pub fn command(&self, arguments: &[&str]) -> Said {
        run(&[arguments, &["--server", &self.origin()]].concat())
    }

    /// Where it listens.
    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A client with this server's keys.
    pub fn client(&self) -> Client {
        match &self.mode {
            Mode::Dev => Client::new(&self.origin(), None, "dev"),
            Mode::Cloud { signing_key, .. } => Client::new(&self.origin(), Some(signing_key), EVENT_KEY),
        }
    }

    fn wait_until_healthy(&mut self) {
        let client = self.client();
        within(START_TIME_MAX, "the server answers /health", || {
            self.process.assert_alive();
            client.ask("GET", "/health", &[], b"").ok().filter(|answer| answer.status == 200)
        });
    }
}

/// What a command said when it was over.
#[derive(Debug)]
pub struct Said {
    /// Its exit code.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub error: String,
}

/// Runs `stepwell` to its end, without a terminal, in the environment that the tests have.
pub fn run(arguments: &[&str]) -> Said {
    let mut command = bare();
    let output = command.args(arguments).stdin(std::process::Stdio::null()).output().expect("stepwell starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Said { code: output.status.code(), out: text(output.stdout), error: text(output.stderr) }
}

/// The binary, without what is set on the developer's machine: that is not what is tested.
fn bare() -> Command {
    let mut command = Command::new(binary());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("INNGEST_") || name.starts_with("STEPWELL_"))
    {
        command.env_remove(name);
    }
    command
}

fn launch(mode: &Mode, arguments: &[String], dir: &TempDir, port: u16) -> Child {
    let mut command = bare();
    command.current_dir(dir.path());
    match mode {
        Mode::Dev => {
            command.args(["dev", "--no-discovery", "--no-poll"]);
        }
        Mode::Cloud { signing_key, fallback } => {
            command.args(["start", "--signing-key", signing_key, "--event-key", EVENT_KEY]);
            if let Some(fallback) = fallback {
                command.args(["--signing-key-fallback", fallback]);
            }
        }
    }
    command.args(["--retry-interval", RETRY_INTERVAL, "--port", &port.to_string()]);
    command.arg("--data-dir").arg(dir.path().join("data")).args(arguments);
    Child::start(command, &dir.path().join("server.log"))
}

/// The binary under test: `STEPWELL_BIN`, or the one that was built last beside this test.
fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("STEPWELL_BIN") {
        return path.into();
    }
    let test = std::env::current_exe().expect("the test's own path");
    let target = test.ancestors().nth(3).expect("target/<profile>/deps/<test>");
    let built = ["release", "debug"].map(|profile| target.join(profile).join("stepwell"));
    let found = built.into_iter().find(|path| path.exists());
    found.expect("no stepwell binary: run `cargo xtask build`, or name one in STEPWELL_BIN")
}
