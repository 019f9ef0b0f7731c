//! The wasmtime host: the `stepwell` binary, which is also the command line that any home is spoken to with.

use super::Launch;
use crate::Mode;
use crate::child::Child;
use crate::server::EVENT_KEY;
use std::path::PathBuf;
use std::process::Command;

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

/// Starts a server.
pub(super) fn launch(launch: &Launch<'_>) -> Child {
    let mut command = bare();
    command.current_dir(launch.dir);
    match launch.mode {
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
    let retry_interval = format!("{}ms", super::RETRY_INTERVAL_MS);
    command.args(["--retry-interval", &retry_interval, "--port", &launch.port.to_string()]);
    command.arg("--data-dir").arg(launch.dir.join("data")).args(launch.arguments);
    Child::start(command, &launch.dir.join("server.log"))
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
