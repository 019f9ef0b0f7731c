//! The server under measurement: a child process that ends with this value, also on errors.

use crate::client::Connection;
use anyhow::Context as _;
use hyper::StatusCode;
use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long the server may take to become healthy; its first start compiles the engine.
const HEALTHY_TIME_MAX: Duration = Duration::from_secs(30);
/// How often it is asked whether it is: the error of the measured start.
const HEALTHY_POLL: Duration = Duration::from_micros(500);

/// What is started.
#[derive(Clone, Copy)]
pub enum Program<'a> {
    /// The host's binary.
    Host(&'a Path),
    /// Spin, or what stands for it.
    Spin {
        /// Takes the command line of `spin`.
        program: &'a Path,
        /// The application.
        manifest: &'a Path,
        /// Where its state is.
        store: &'static str,
    },
}

impl Program<'_> {
    fn command(self, port: u16, folder: &Path) -> Command {
        match self {
            Self::Host(binary) => {
                let mut command = Command::new(binary);
                command.args(["dev", "--no-discovery", "--no-poll", "--port", &port.to_string(), "--data-dir"]);
                command.arg(folder.join("data"));
                command
            }
            Self::Spin { program, manifest, store } => {
                let mut command = Command::new(program);
                command.arg("up").arg("--from").arg(manifest).arg("--state-dir").arg(folder.join("data"));
                command.args(["--listen", &format!("127.0.0.1:{port}"), "--variable", "kind=dev"]);
                command.args(["--variable", &format!("store={store}")]);
                command
            }
        }
    }
}

/// A running server.
pub struct Server {
    /// Where it listens.
    pub port: u16,
    /// From its start to its first healthy answer.
    pub start_time: Duration,
    child: Child,
}

impl Server {
    /// Starts `program` on `folder`, where its data and its log go, and waits until it is healthy.
    ///
    /// # Errors
    /// It cannot be started, ends, or does not become healthy: with the end of its log.
    pub async fn start(program: Program<'_>, folder: &Path) -> anyhow::Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let log_path = folder.join("server.log");
        let mut command = program.command(port, folder);
        // The user's own settings are not measured.
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy();
            if name_text.starts_with("INNGEST_") || name_text.starts_with("STEPWELL_") {
                command.env_remove(&name);
            }
        }
        command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log_path)?);
        let began = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let mut server = Self { port, start_time: Duration::ZERO, child };
        while !is_healthy(port).await {
            if let Some(status) = server.child.try_wait()? {
                anyhow::bail!("the server ended at once: {status}\n{}", log_end(&log_path));
            }
            if began.elapsed() > HEALTHY_TIME_MAX {
                anyhow::bail!("the server is not healthy after {HEALTHY_TIME_MAX:?}\n{}", log_end(&log_path));
            }
            tokio::time::sleep(HEALTHY_POLL).await;
        }
        server.start_time = began.elapsed();
        Ok(server)
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The end of its log, for an error message.
    pub fn log(folder: &Path) -> String {
        log_end(&folder.join("server.log"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn is_healthy(port: u16) -> bool {
    let Ok(mut connection) = Connection::open(port).await else { return false };
    matches!(connection.get("/health").await, Ok((StatusCode::OK, _)))
}

fn log_end(path: &Path) -> String {
    let log = std::fs::read_to_string(path).unwrap_or_default();
    let mut lines: Vec<&str> = log.lines().rev().take(15).collect();
    lines.reverse();
    lines.join("\n")
}
