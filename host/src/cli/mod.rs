//! The `stepwell` command: its subcommands, and what their exit codes mean.

mod client;
mod commands;
mod exit;
mod flags;
mod output;
mod timeline;

use crate::config::{self, ClientOptions, Environment, Kind, ServeOptions};
use crate::logging;
use clap::{Parser, Subcommand};
use commands::{cancel, rerun, run, runs, send, sync};
use exit::Exit;
use flags::{ClientArgs, Global, ServeArgs};
use output::Output;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  stepwell dev                                          find apps here, run their functions
  stepwell dev -u http://localhost:3000/api/inngest     tell it where the app is
  stepwell send shop/order.placed --data '{\"id\": 7}' --wait
  stepwell runs
  stepwell run 01KA... --follow

Your app finds the server when INNGEST_DEV=http://127.0.0.1:8288 is in its environment.

Exit codes:
  0  it worked
  1  it failed
  2  wrong usage, or a configuration that cannot be
  3  the run ended Failed, Cancelled or Skipped (send --wait, run --follow, rerun --follow)";

/// Durable functions for unmodified Inngest SDKs: events in, runs out, nothing lost.
#[derive(Debug, Parser)]
#[command(name = "stepwell", version, after_help = EXAMPLES, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve on this machine for development: no keys, apps are found by themselves
    #[command(after_help = flags::DEV_EXAMPLES)]
    Dev(Box<ServeArgs>),
    /// Serve for production: a signing key and an event key are required
    #[command(after_help = flags::START_EXAMPLES)]
    Start(Box<ServeArgs>),
    /// Send an event, and show the runs that it starts
    #[command(after_help = send::EXAMPLES)]
    Send(Asked<send::Args>),
    /// List runs, the newest first
    #[command(after_help = runs::EXAMPLES)]
    Runs(Asked<runs::Args>),
    /// Draw a run's timeline: its steps, their attempts, its result
    #[command(after_help = run::EXAMPLES)]
    Run(Asked<run::Args>),
    /// Run again with the same events, from the beginning or from a step
    #[command(after_help = rerun::EXAMPLES)]
    Rerun(Asked<rerun::Args>),
    /// Cancel a run
    #[command(after_help = cancel::EXAMPLES)]
    Cancel(Asked<cancel::Args>),
    /// Ask the app at a URL to say what functions it has
    #[command(after_help = sync::EXAMPLES)]
    Sync(Asked<sync::Args>),
    /// Compile the engine for this machine now, so that the first start is as fast as all others
    #[command(after_help = "Example, for a container image:\n  RUN stepwell compile")]
    Compile,
    /// Print the version
    Version,
}

/// A command that asks a running server.
#[derive(Debug, clap::Args)]
struct Asked<T: clap::Args> {
    #[command(flatten)]
    own: T,
    #[command(flatten)]
    client: ClientArgs,
}

/// Reads the process's arguments and does what they say; `serve` runs a server until it is told to stop.
pub fn main(serve: impl FnOnce(ServeOptions) -> anyhow::Result<()>) -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and versions are no errors and go to standard output; a closed pipe is nobody's fault.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Exit::USAGE } else { Exit::OK });
        }
    };
    let environment = Environment::of_process();
    let output = Output::new(&cli.global, &environment);
    let done = match cli.command {
        Command::Dev(args) => serve_with(Kind::Dev, &args, &cli.global, &environment, &output, serve),
        Command::Start(args) => serve_with(Kind::Start, &args, &cli.global, &environment, &output, serve),
        Command::Send(args) => args.ask(&environment, |own, client| send::run(own, client, &output)),
        Command::Runs(args) => args.ask(&environment, |own, client| runs::run(own, client, &output)),
        Command::Run(args) => args.ask(&environment, |own, client| run::run(own, client, &output)),
        Command::Rerun(args) => args.ask(&environment, |own, client| rerun::run(own, client, &output)),
        Command::Cancel(args) => args.ask(&environment, |own, client| cancel::run(own, client, &output)),
        Command::Sync(args) => args.ask(&environment, |own, client| sync::run(own, client, &output)),
        Command::Compile => {
            crate::serve::compile().map_err(|error| Exit::Failed { message: format!("{error:#}"), hint: None })
        }
        Command::Version => output.line(env!("CARGO_PKG_VERSION")),
    };
    match done {
        Ok(()) => ExitCode::from(Exit::OK),
        Err(exit) => {
            exit.print(&output);
            ExitCode::from(exit.code())
        }
    }
}

fn serve_with(
    kind: Kind,
    args: &ServeArgs,
    global: &Global,
    environment: &Environment,
    output: &Output,
    serve: impl FnOnce(ServeOptions) -> anyhow::Result<()>,
) -> Result<(), Exit> {
    let mut options = config::serve(kind, args.layer(global), args.config.as_deref(), environment)?;
    options.log.color = output.may_color();
    logging::init(options.log);
    for warning in &options.warnings {
        tracing::warn!("{warning}");
    }
    serve(options).map_err(|error| Exit::Failed { message: format!("{error:#}"), hint: None })
}

impl<T: clap::Args> Asked<T> {
    fn ask(
        self,
        environment: &Environment,
        command: impl FnOnce(T, ClientOptions) -> Result<(), Exit>,
    ) -> Result<(), Exit> {
        command(self.own, config::client(self.client.into(), environment)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_commands_and_flags_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_teaches_by_examples() {
        for command in Cli::command().get_subcommands().filter(|command| command.get_name() != "version") {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("stepwell "), "{} has no examples", command.get_name());
        }
    }

    #[test]
    fn global_flags_may_stand_anywhere() {
        let cli = Cli::try_parse_from(["stepwell", "runs", "--json", "--no-color"]).unwrap();
        assert!(cli.global.json && cli.global.no_color);
    }

    #[test]
    fn wrong_usage_exits_with_2() {
        let error = Cli::try_parse_from(["stepwell", "dev", "--sdk-ulr", "x"]).unwrap_err();
        assert!(error.use_stderr());
        assert!(error.to_string().contains("--sdk-url"), "{error}");
    }
}
