//! A running application of two components, both the guest.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A debug build of Spin compiles for a while.
const START_TIME_MAX: Duration = Duration::from_secs(120);
const WAIT_MAX: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

const MANIFEST: &str = r#"
spin_manifest_version = 2
[application]
name = "guest"
version = "0.1.0"
[variables]
secret = { required = true, secret = true }
[[trigger.http]]
route = "/..."
component = "front"
[[trigger.http]]
route = { private = true }
component = "back"
[component.front]
source = "GUEST"
key_value_stores = ["default"]
sqlite_databases = ["default"]
allowed_outbound_hosts = ["http://back.spin.internal", "http://self"]
[component.front.variables]
secret = "it is {{ secret }}"
[component.back]
source = "GUEST"
key_value_stores = ["default"]
"#;

/// The application, which ends with its handle.
pub(crate) struct Spin {
    folder: TempDir,
    port: u16,
    process: Child,
    agent: ureq::Agent,
}

/// A status and a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Spin {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// With more arguments.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let guest =
            std::env::var("STEPWELL_SPIN_GUEST").expect("STEPWELL_SPIN_GUEST names the guest: use `cargo xtask test`");
        std::fs::write(folder.path().join("spin.toml"), MANIFEST.replace("GUEST", &guest)).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let agent = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(WAIT_MAX)).build();
        let process = launch(folder.path(), port, arguments);
        let mut spin = Self { folder, port, process, agent: agent.into() };
        spin.wait_until_healthy();
        spin
    }

    /// SIGKILL, and the same again.
    pub(crate) fn kill_and_restart(&mut self) {
        self.process.kill().unwrap();
        self.restart();
    }

    /// SIGTERM, and the same again; the exit code.
    pub(crate) fn stop_and_restart(&mut self) -> Option<i32> {
        let sent = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let code = self.process.wait().unwrap().code();
        self.restart();
        code
    }

    fn restart(&mut self) {
        self.process.wait().unwrap();
        self.process = launch(self.folder.path(), self.port, &[]);
        self.wait_until_healthy();
    }

    /// A GET.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.try_get(path).unwrap()
    }

    /// The body of a GET that is answered with 200.
    pub(crate) fn ok(&self, path: &str) -> String {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    fn try_get(&self, path: &str) -> Result<Answer, ureq::Error> {
        let mut answer = self.agent.get(format!("http://127.0.0.1:{}{path}", self.port)).call()?;
        Ok(Answer { status: answer.status().as_u16(), body: answer.body_mut().read_to_string()? })
    }

    /// As many GETs at once as there are paths.
    pub(crate) fn all(&self, paths: &[String]) -> Vec<Answer> {
        std::thread::scope(|scope| {
            let asked: Vec<_> = paths.iter().map(|path| scope.spawn(|| self.get(path))).collect();
            asked.into_iter().map(|asked| asked.join().unwrap()).collect()
        })
    }

    /// Waits until a path is answered with this body.
    pub(crate) fn until(&self, path: &str, body: &str) {
        let start = Instant::now();
        while self.get(path).body != body {
            assert!(start.elapsed() < WAIT_MAX, "{path} is still {:?}, not {body:?}", self.get(path));
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Waits until an instance has so many requests at once, with the one that asks.
    pub(crate) fn until_there_are(&self, requests: usize) {
        let (start, end) = (Instant::now(), format!(" {requests}"));
        while !self.get("/instance").body.ends_with(&end) {
            assert!(start.elapsed() < WAIT_MAX, "there are never {requests} requests at once");
        }
    }

    fn wait_until_healthy(&mut self) {
        let start = Instant::now();
        while !self.try_get("/.well-known/spin/health").is_ok_and(|answer| answer.status == 200) {
            assert_eq!(self.process.try_wait().unwrap(), None, "it has left: {}", self.log());
            assert!(start.elapsed() < START_TIME_MAX, "it does not answer");
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Waits until it has written something: it does so after the answer.
    pub(crate) fn until_it_says(&self, words: &str) {
        let start = Instant::now();
        while !self.log().contains(words) {
            assert!(start.elapsed() < WAIT_MAX, "it does not say {words:?}");
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// What it wrote.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.folder.path().join("log")).unwrap_or_default()).into_owned()
    }
}

impl Drop for Spin {
    fn drop(&mut self) {
        // Already gone is fine too.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("--- its log\n{}", self.log());
        }
    }
}

/// Whether what hangs Spin, or is not one of its options, can be tried: not under the real one.
pub(crate) fn is_harness() -> bool {
    let is_harness = program().is_none();
    if !is_harness {
        println!("left out: this is for the harness alone");
    }
    is_harness
}

fn program() -> Option<PathBuf> {
    std::env::var_os("STEPWELL_SPIN_PROGRAM").map(PathBuf::from)
}

fn launch(folder: &Path, port: u16, arguments: &[&str]) -> Child {
    let log = || std::fs::File::options().create(true).append(true).open(folder.join("log")).unwrap();
    let harness = || PathBuf::from(env!("CARGO_BIN_EXE_stepwell-spin-harness"));
    let mut command = Command::new(program().unwrap_or_else(harness));
    command.arg("up").arg("--from").arg(folder.join("spin.toml")).arg("--state-dir").arg(folder.join("state"));
    command.args(["--listen", &format!("127.0.0.1:{port}"), "--variable", "secret=safe"]).args(arguments);
    command.stdin(Stdio::null()).stdout(log()).stderr(log()).spawn().unwrap()
}
