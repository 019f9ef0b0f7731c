//! Cloudflare's runtime: the built Worker under a bare `workerd`, which stores the objects of a server in its directory.

use super::Launch;
use crate::Mode;
use crate::child::Child;
use crate::server::EVENT_KEY;
use std::path::PathBuf;
use std::process::Command;

/// How soon a call counts as lost after whoever made it was killed with the server: no test waits a minute for it, and no machine
/// is so busy that a call is thought lost which is not.
const LEASE_MS: u64 = 10_000;
/// The same for tests that are about kills, and do not mind a call that is made twice.
const LEASE_OF_THE_KILLED_MS: u64 = 1_500;

/// Starts a server.
pub(super) fn launch(launch: &Launch<'_>) -> Child {
    let (variables, rest) = launch.variables();
    assert!(rest.is_empty(), "the Worker has no command line: {rest:?}");
    let data = launch.dir.join("data");
    std::fs::create_dir_all(&data).expect("a directory for the objects");
    let mut command = Command::new(path("STEPWELL_WORKERD"));
    command.arg("serve").arg(path("STEPWELL_WORKER_DIST").join("workerd.capnp"));
    command.arg(format!("--socket-addr=http=127.0.0.1:{}", launch.port));
    command.arg(format!("--directory-path=data={}", data.display()));
    command.env("STEPWELL_RETRY_INTERVAL_MS", super::RETRY_INTERVAL_MS.to_string());
    let lease_ms = if launch.is_killed { LEASE_OF_THE_KILLED_MS } else { LEASE_MS };
    command.env("STEPWELL_LEASE_MS", lease_ms.to_string());
    command.envs(variables.iter().map(|(name, value)| (format!("STEPWELL_{}", name.to_uppercase()), value)));
    match launch.mode {
        Mode::Dev => {
            command.env("STEPWELL_KIND", "dev");
        }
        Mode::Cloud { signing_key, fallback } => {
            command.env("STEPWELL_KIND", "cloud").env("STEPWELL_EVENT_KEYS", EVENT_KEY);
            command.env("STEPWELL_SIGNING_KEY", signing_key);
            if let Some(fallback) = fallback {
                command.env("STEPWELL_SIGNING_KEY_FALLBACK", fallback);
            }
        }
    }
    Child::start(command, &launch.dir.join("server.log"))
}

/// What `cargo xtask test --home workerd` built and installed.
fn path(variable: &str) -> PathBuf {
    std::env::var_os(variable)
        .unwrap_or_else(|| panic!("{variable} is not set: use `cargo xtask test --home workerd`"))
        .into()
}
