//! The real server, in whichever home is tested.

use crate::child::Child;
use crate::home::{self, Home, Launch, Said};
use crate::{Client, ports, within};
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

/// A first start may have to compile the engine.
const START_TIME_MAX: Duration = Duration::from_secs(120);
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
    is_killed: bool,
}

impl Server {
    /// Starts a server; `arguments` are added to the command line.
    pub fn start(mode: Mode, arguments: &[&str]) -> Self {
        Self::new(mode, arguments, false)
    }

    /// Starts a dev server that is to be killed again and again with calls in flight.
    pub fn start_for_kills() -> Self {
        Self::start_for_kills_with(&[])
    }

    /// As [`Server::start_for_kills`]; `arguments` are added to the command line.
    pub fn start_for_kills_with(arguments: &[&str]) -> Self {
        Self::new(Mode::Dev, arguments, true)
    }

    fn new(mode: Mode, arguments: &[&str], is_killed: bool) -> Self {
        let (dir, port) = (TempDir::new().expect("a directory"), ports::free());
        let arguments: Vec<_> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let launch = Launch { mode: &mode, arguments: &arguments, dir: dir.path(), port, is_killed };
        let process = Home::chosen().launch(&launch);
        let mut server = Self { mode, arguments, dir, port, process, is_killed };
        server.wait_until_healthy();
        server
    }

    /// SIGKILL at this very moment.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Sends a signal by its name, without `SIG`.
    pub fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    /// How often it wrote `text` to its log.
    pub fn log_count(&self, text: &str) -> usize {
        self.process.log().matches(text).count()
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

    /// Starts it on the same data with other arguments, by which it cannot start; what it said.
    pub fn fail_to_start(&mut self, arguments: &[&str]) -> String {
        self.process.kill();
        let arguments: Vec<_> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let launch =
            Launch { mode: &self.mode, arguments: &arguments, dir: self.dir.path(), port: self.port, is_killed: false };
        self.process = Home::chosen().launch(&launch);
        let code = self.process.left();
        assert_ne!(code, Some(0), "{}", self.process.log_tail());
        self.process.log_tail()
    }

    /// The folder of its data.
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// As [`Server::restart`], with other keys.
    pub fn restart_as(&mut self, mode: Mode) {
        self.process.kill();
        let (arguments, dir, port) = (&self.arguments, self.dir.path(), self.port);
        self.process = Home::chosen().launch(&Launch { mode: &mode, arguments, dir, port, is_killed: self.is_killed });
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
        home::run(&[arguments, &["--server", &self.origin()]].concat())
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
