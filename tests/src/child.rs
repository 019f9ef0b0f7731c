//! A process that does not outlive its handle.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How much of a log a failing test shows.
const LOG_BYTES_SHOWN: usize = 4 << 10;

/// A running process; killed, and waited for, on drop.
pub(crate) struct Child {
    process: std::process::Child,
    log: PathBuf,
}

impl Child {
    /// Starts `command`, its output going to the end of `log`, its input held open by us.
    pub(crate) fn start(mut command: Command, log: &Path) -> Self {
        let file = || File::options().create(true).append(true).open(log).expect("a log");
        command.stdin(Stdio::piped()).stdout(file()).stderr(file());
        let process = command.spawn().unwrap_or_else(|fault| panic!("{command:?} cannot be started: {fault}"));
        Self { process, log: log.to_owned() }
    }

    /// SIGKILL, and the certainty that it is gone.
    pub(crate) fn kill(&mut self) {
        // Already gone is fine too.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// SIGTERM; gives the exit code once it has gone.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        self.signal("TERM");
        self.left()
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &pid]).status().expect("kill");
        assert!(sent.success(), "SIG{name} to {pid}");
    }

    /// The exit code of a process that is about to leave, once it has gone.
    pub(crate) fn left(&mut self) -> Option<i32> {
        crate::until("the process leaves", || self.process.try_wait().expect("its state")).code()
    }

    /// Fails the test with the log where the process is gone already.
    pub(crate) fn assert_alive(&mut self) {
        if let Some(status) = self.process.try_wait().expect("its state") {
            panic!("the process left with {status}; its log ends:\n{}", self.log_tail());
        }
    }

    /// The end of what it wrote.
    pub(crate) fn log_tail(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&text[text.len().saturating_sub(LOG_BYTES_SHOWN)..]).into_owned()
    }

    /// All that it wrote.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- the end of {}\n{}", self.log.display(), self.log_tail());
        }
    }
}
