//! The two processes of the demo.

use crate::process::Running;
use crate::progress;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

/// How long the two may take to find each other.
const READY_TIME_MAX: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How much of a log is shown when something went wrong.
const LOG_LINES_SHOWN: usize = 20;

pub(super) struct ServerAndApp {
    server: Logged,
    app: Logged,
}

/// A process and where its output goes.
struct Logged {
    name: &'static str,
    process: Running,
    log: PathBuf,
}

impl ServerAndApp {
    pub(super) fn app_folder(workspace: &Workspace) -> PathBuf {
        workspace.root.join("examples/typescript")
    }

    /// Starts both, with nothing kept from an earlier demo, and waits until the server knows the app's functions.
    pub(super) fn start(workspace: &Workspace, server_port: u16, app_port: u16) -> Result<Self> {
        let folder = workspace.target.join("demo");
        if folder.exists() {
            std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
        }
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let server_url = format!("http://127.0.0.1:{server_port}");

        let mut app = Command::new("node");
        app.args(["--import", "tsx", "app.ts"]).current_dir(Self::app_folder(workspace));
        app.env("PORT", app_port.to_string()).env("INNGEST_DEV", &server_url);
        let app = Logged::start("app", app, &folder)?;

        let mut server = Command::new(workspace.release("stepwell"));
        server.args(["dev", "--no-discovery", "--port", &server_port.to_string(), "--data-dir"]).arg(&folder);
        // Where the configuration of another project must not be found.
        server.args(["-u", &format!("http://127.0.0.1:{app_port}/api/inngest")]).current_dir(&folder);
        let server = Logged::start("server", server, &folder)?;

        let mut both = Self { server, app };
        both.until("the server is healthy", || ureq::get(format!("{server_url}/health")).call().is_ok())?;
        both.until("the server knows the app's function", || {
            let functions = ureq::get(format!("{server_url}/dev")).call().ok().and_then(|mut answer| {
                let overview: serde_json::Value =
                    serde_json::from_str(&answer.body_mut().read_to_string().ok()?).ok()?;
                overview.get("functions")?.as_array().map(Vec::len)
            });
            functions.is_some_and(|count| count > 0)
        })?;
        Ok(both)
    }

    /// Waits until one of them ends, which neither should.
    pub(super) fn wait_for_an_end(&mut self) -> Result<ExitCode> {
        loop {
            self.alive()?;
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Shows what both said last; the exit code of a run that did not complete.
    pub(super) fn tell_logs(&self) -> ExitCode {
        self.server.tell();
        self.app.tell();
        ExitCode::FAILURE
    }

    fn until(&mut self, what: &str, holds: impl Fn() -> bool) -> Result<()> {
        let start = Instant::now();
        while !holds() {
            self.alive()?;
            if start.elapsed() > READY_TIME_MAX {
                self.tell_logs();
                bail!("after {} s it is still not so that {what}", READY_TIME_MAX.as_secs());
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }

    fn alive(&mut self) -> Result<()> {
        for process in [&mut self.server, &mut self.app] {
            if let Some(status) = process.process.ended()? {
                crate::process::leave_if_interrupted();
                process.tell();
                bail!("the {} ended with {status}", process.name);
            }
        }
        Ok(())
    }
}

impl Logged {
    fn start(name: &'static str, mut command: Command, folder: &Path) -> Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log).with_context(|| log.display().to_string())?;
        let process = Running::start(command.stdout(file.try_clone()?).stderr(file))?;
        Ok(Self { name, process, log })
    }

    fn tell(&self) {
        let said = std::fs::read_to_string(&self.log).unwrap_or_default();
        progress::note(&format!("the last lines of {}:", self.log.display()));
        let lines: Vec<_> = said.lines().rev().take(LOG_LINES_SHOWN).collect();
        lines.iter().rev().for_each(|line| progress::note(&format!("  {line}")));
    }
}
