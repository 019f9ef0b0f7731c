//! `cargo xtask demo`: the server, an app with the real SDK, one event, and its run as it happens.

mod server_and_app;

use crate::process::{self, Running};
use crate::workspace::Workspace;
use crate::{build, packages, progress};
use anyhow::{Context, Result, bail};
use server_and_app::ServerAndApp;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, ExitCode};

const SERVER_PORT: u16 = 8288;
const APP_PORT: u16 = 3000;
const EVENT: &str = "demo/order.placed";
const EVENT_DATA: &str = r#"{"id":7}"#;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Ends with the run: exit code 0 when it completed
    #[arg(long)]
    once: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    ports_are_free()?;
    build::components(workspace)?;
    build::host(workspace, true)?;
    packages::ensure(&ServerAndApp::app_folder(workspace))?;
    // Building may have taken minutes, and `stepwell dev` would move to the next port.
    ports_are_free()?;
    let mut both = progress::step("server and app", || ServerAndApp::start(workspace, SERVER_PORT, APP_PORT))?;

    progress::title(&format!("stepwell send {EVENT} --data '{EVENT_DATA}' --wait"));
    let completed = send(workspace)?;
    if arguments.once {
        return Ok(if completed { ExitCode::SUCCESS } else { both.tell_logs() });
    }
    progress::title("serving until Ctrl-C");
    progress::note(&format!("server  http://127.0.0.1:{SERVER_PORT}"));
    progress::note(&format!("app     http://127.0.0.1:{APP_PORT}/api/inngest   (examples/typescript/app.ts)"));
    let binary = workspace.release("stepwell");
    progress::note(&format!("try     {} send {EVENT} --data '{{\"id\":8}}' --wait", binary.display()));
    process::interrupt_is_success();
    both.wait_for_an_end()
}

/// Sends the event and draws the run until it is over; true where it completed.
fn send(workspace: &Workspace) -> Result<bool> {
    let mut command = Command::new(workspace.release("stepwell"));
    command.args(["send", EVENT, "--data", EVENT_DATA, "--wait"]);
    command.args(["--server", &format!("http://127.0.0.1:{SERVER_PORT}")]);
    let status = Running::start(&mut command)?.wait()?;
    process::leave_if_interrupted();
    Ok(status.success())
}

fn ports_are_free() -> Result<()> {
    free(SERVER_PORT, "the server")?;
    free(APP_PORT, "the example app")
}

fn free(port: u16, whose: &str) -> Result<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            bail!(
                "port {port}, where {whose} would listen, is taken: stop what listens there (is another demo running?)"
            )
        }
        Err(error) => Err(error).with_context(|| format!("cannot listen on port {port}")),
    }
}
