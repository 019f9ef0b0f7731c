//! Spin: the application of `spin.toml`, under `spin up` or under the harness that stands for it, with state in the server's directory.

use super::Launch;
use crate::Mode;
use crate::child::Child;
use crate::server::EVENT_KEY;
use std::path::PathBuf;
use std::process::Command;

/// How soon a call counts as lost after whoever made it was killed: no test waits a minute for it, and no machine is so busy that a call
/// is thought lost which is not.
const LEASE_MS: u64 = 10_000;
/// The same for tests that are about kills, and do not mind a call that is made twice.
const LEASE_OF_THE_KILLED_MS: u64 = 1_500;

/// A flag of the host that is a variable here.
const ALLOW_PRIVATE_ADDRESSES: &str = "--allow-private-addresses";

/// Starts a server. Its arguments are options of the program that runs it, but for those that are variables here.
pub(super) fn launch(launch: &Launch<'_>) -> Child {
    let mut command = Command::new(path("STEPWELL_SPIN_PROGRAM"));
    command.arg("up").arg("--from").arg(path("STEPWELL_SPIN_MANIFEST"));
    command.arg("--state-dir").arg(launch.dir.join("data"));
    command.args(["--listen", &format!("127.0.0.1:{}", launch.port)]);
    for (name, value) in variables(launch) {
        command.args(["--variable", &format!("{name}={value}")]);
    }
    let (_, rest) = launch.variables();
    command.current_dir(launch.dir).args(rest.iter().filter(|argument| **argument != ALLOW_PRIVATE_ADDRESSES));
    Child::start(command, &launch.dir.join("server.log"))
}

fn variables(launch: &Launch<'_>) -> Vec<(&'static str, String)> {
    let lease_ms = if launch.is_killed { LEASE_OF_THE_KILLED_MS } else { LEASE_MS };
    let mut variables =
        vec![("retry_interval_ms", super::RETRY_INTERVAL_MS.to_string()), ("lease_ms", lease_ms.to_string())];
    if launch.arguments.iter().any(|argument| argument == ALLOW_PRIVATE_ADDRESSES) {
        variables.push(("allow_private_addresses", "true".to_owned()));
    }
    variables.extend(launch.variables().0);
    // `key-value` unless the whole suite is to run on the other store.
    variables.extend(std::env::var("STEPWELL_SPIN_STORE").ok().map(|store| ("store", store)));
    match launch.mode {
        Mode::Dev => variables.push(("kind", "dev".to_owned())),
        Mode::Cloud { signing_key, fallback } => {
            variables.extend([("kind", "cloud".to_owned()), ("event_keys", EVENT_KEY.to_owned())]);
            variables.push(("signing_key", signing_key.clone()));
            variables.extend(fallback.clone().map(|key| ("signing_key_fallback", key)));
        }
    }
    variables
}

/// What `cargo xtask test --home spin` built and found.
fn path(variable: &str) -> PathBuf {
    std::env::var_os(variable)
        .unwrap_or_else(|| panic!("{variable} is not set: use `cargo xtask test --home spin`"))
        .into()
}
