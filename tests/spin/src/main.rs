//! `stepwell-spin-harness up`: what `spin up` is where there is no `spin`.

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use stepwell_spin_harness::app::{App, Settings};
use stepwell_spin_harness::chaos::Chaos;
use stepwell_spin_harness::manifest::Manifest;
use stepwell_spin_harness::variables::{self, Values};
use stepwell_spin_harness::{Reuse, compiled, server};
use tokio::signal::unix::{SignalKind, signal};

#[derive(Parser)]
#[command(about = "Runs a Spin application as Spin does, for tests")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs an application until SIGTERM or Ctrl-C; the first options are those of `spin up`
    Up(Up),
    /// Compiles the components of an application, so that it starts at once
    Compile(From),
}

#[derive(Args)]
struct From {
    /// The manifest, or the folder that it is in
    #[arg(short, long, value_name = "PATH", default_value = ".")]
    from: PathBuf,
}

#[derive(Args)]
struct Up {
    #[command(flatten)]
    from: From,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Where its state is: .spin beside the manifest unless said
    #[arg(long, value_name = "FOLDER")]
    state_dir: Option<PathBuf>,
    /// A value of a variable
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    variable: Vec<(String, String)>,
    /// How many requests an instance is given
    #[arg(long, value_name = "COUNT", default_value_t = Reuse::default().requests_max)]
    max_instance_reuse_count: usize,
    /// How many of them at once
    #[arg(long, value_name = "COUNT", default_value_t = Reuse::default().concurrent_max)]
    max_instance_concurrent_reuse_count: usize,
    /// How long an instance without anything to do is kept
    #[arg(long, value_name = "SECONDS or MILLISECONDS", default_value = "1s", value_parser = duration)]
    idle_instance_timeout: Duration,
    /// Of a million calls of instances to the host, how many kill the instance, before or after they are done; not of Spin
    #[arg(long, value_name = "PER MILLION", default_value_t = 0)]
    kill_rate: u32,
    /// Which of the calls kill; not of Spin
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    seed: u64,
    /// No kills before SIGUSR1, which begins and ends them; not of Spin
    #[arg(long)]
    kills_wait: bool,
    /// The stores have neither compare-and-swap nor increment; not of Spin
    #[arg(long)]
    without_atomics: bool,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Up(up) => run(up),
        Command::Compile(from) => compile(&from),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("Error: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(up: Up) -> Result<()> {
    let manifest = manifest(&up.from.from)?;
    // Not a folder that a name alone would be relative to.
    let beside = manifest.folder.join(".spin");
    let environment: Values = std::env::vars().collect();
    let chaos = Arc::new(Chaos::new(up.kill_rate, up.seed));
    if up.kills_wait {
        chaos.flip();
    }
    let settings = Settings {
        state_directory: up.state_dir.unwrap_or(beside),
        variables: variables::resolve(&manifest.variables, &up.variable.into_iter().collect(), &environment)?,
        reuse: Reuse {
            requests_max: up.max_instance_reuse_count,
            concurrent_max: up.max_instance_concurrent_reuse_count,
            idle_time_max: up.idle_instance_timeout,
        },
        chaos: Arc::clone(&chaos),
        has_atomics: !up.without_atomics,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(async {
        let mut terminated = signal(SignalKind::terminate())?;
        let mut flipped = signal(SignalKind::user_defined1())?;
        let app = App::load(&manifest, settings)?;
        tokio::spawn(async move {
            while flipped.recv().await.is_some() {
                chaos.flip();
            }
        });
        tokio::select! {
            served = server::serve(app, up.listen) => served,
            _ = terminated.recv() => Ok(()),
            interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
        }
    });
    // Whatever is under way ends here, as with Spin: nobody waits for it.
    runtime.shutdown_background();
    ended
}

fn compile(from: &From) -> Result<()> {
    let (manifest, engine) = (manifest(&from.from)?, compiled::engine()?);
    for component in manifest.component.values() {
        compiled::load(&engine, &manifest.folder.join(&component.source))?;
    }
    Ok(())
}

fn manifest(path: &Path) -> Result<Manifest> {
    let path = path.canonicalize().with_context(|| path.display().to_string())?;
    Manifest::read(&if path.is_dir() { path.join("spin.toml") } else { path })
}

fn pair(text: &str) -> Result<(String, String)> {
    let (name, value) = text.split_once('=').context("NAME=VALUE is wanted")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn duration(text: &str) -> Result<Duration> {
    match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => Ok(Duration::from_millis(number.parse()?)),
        (None, Some(number)) => Ok(Duration::from_secs(number.parse()?)),
        (None, None) => bail!("a number with s or ms is wanted"),
    }
}
