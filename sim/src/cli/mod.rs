//! The command line.

mod many;
mod one;
mod paint;

use anyhow::Result;
use clap::Parser;
use paint::Paint;
use std::path::PathBuf;
use std::process::ExitCode;
use stepwell_sim::fault::Fault;
use stepwell_sim::home::Kind;
use stepwell_sim::seed::Case;

const EXAMPLES: &str = "\
Examples:
  cargo xtask sim                          1,000 seeds, on all cores
  cargo xtask sim --minutes 10             as many as fit in ten minutes
  cargo xtask sim --seed 42                the story of one seed, its last 80 lines
  cargo xtask sim --seed 42 --story        all of it
  cargo xtask sim --seed 42 --shrink       the least of it that still breaks the promise
  cargo xtask sim --seed 42 --without crash,clock-steps --events 2
  cargo xtask sim --limits                 functions have flow control
  cargo xtask sim --promises               what is checked, and where
  cargo xtask sim --faults                 what can go wrong

A seed decides everything: the functions, who sends what when, every delay, every fault. The same seed gives the same
story, byte by byte. Seeds that once broke a promise are in sim/regressions.txt; `cargo xtask test` replays them.

Exit codes: 0 all promises held; 1 one was broken; 2 wrong usage.";

/// Simulates whole Stepwells, each from one seed, under every fault, and checks what must hold.
#[derive(Parser)]
#[command(name = "stepwell-sim", bin_name = "cargo xtask sim", version, after_help = EXAMPLES)]
struct Args {
    /// Runs this seed and tells its story
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["seeds", "minutes"])]
    seed: Option<u64>,
    /// Runs so many seeds
    #[arg(long, value_name = "COUNT", default_value_t = 1_000)]
    seeds: u64,
    /// The first of them
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    from: u64,
    /// Runs seeds for so long, instead of a number of them
    #[arg(long, value_name = "MINUTES")]
    minutes: Option<u64>,
    /// In this home, whatever the seed says
    #[arg(long, value_name = "file|objects|kv", value_parser = home)]
    home: Option<Kind>,
    /// Leaves these faults out: names, separated by commas
    #[arg(long, value_name = "FAULTS", value_delimiter = ',', value_parser = fault)]
    without: Vec<Fault>,
    /// Sends at most so many events
    #[arg(long, value_name = "COUNT")]
    events: Option<usize>,
    /// Gives functions at most so many stages
    #[arg(long, value_name = "COUNT")]
    stages: Option<usize>,
    /// Gives functions flow control
    #[arg(long)]
    limits: bool,
    /// Tells the whole story, not only its end
    #[arg(long)]
    story: bool,
    /// Takes away whatever the broken promise does not need
    #[arg(long, requires = "seed")]
    shrink: bool,
    /// Writes what the engine was asked and what it gave, for other builds of it to replay
    #[arg(long, value_name = "FILE", requires = "seed")]
    record: Option<PathBuf>,
    /// Threads; all cores where nothing is said
    #[arg(long, value_name = "COUNT")]
    jobs: Option<usize>,
    /// Lists what must hold
    #[arg(long)]
    promises: bool,
    /// Lists what can go wrong
    #[arg(long)]
    faults: bool,
}

impl Args {
    fn case(&self, seed: u64) -> Case {
        let without = self.without.iter().copied().collect();
        Case { seed, home: self.home, without, events: self.events, stages: self.stages, limits: self.limits }
    }
}

fn fault(name: &str) -> Result<Fault, String> {
    let known = || Fault::ALL.iter().map(|fault| fault.name()).collect::<Vec<_>>().join(", ");
    let found = Fault::ALL.iter().find(|fault| fault.name() == name);
    found.copied().ok_or_else(|| format!("there is no fault of that name; there are: {}", known()))
}

fn home(name: &str) -> Result<Kind, String> {
    let found = Kind::ALL.iter().find(|kind| kind.name() == name);
    found.copied().ok_or_else(|| "there are: file, objects, kv".to_owned())
}

/// The command that replays a case.
fn command(case: &Case) -> String {
    let mut command = format!("cargo xtask sim --seed {}", case.seed);
    if let Some(home) = case.home {
        command.push_str(&format!(" --home {}", home.name()));
    }
    if case.limits {
        command.push_str(" --limits");
    }
    if !case.without.is_empty() {
        let names: Vec<&str> = case.without.iter().map(|fault| fault.name()).collect();
        command.push_str(&format!(" --without {}", names.join(",")));
    }
    for (option, count) in [("--events", case.events), ("--stages", case.stages)] {
        if let Some(count) = count {
            command.push_str(&format!(" {option} {count}"));
        }
    }
    command
}

/// Does what the command line says.
///
/// # Errors
/// The terminal or a file cannot be written to.
pub fn run() -> Result<ExitCode> {
    let args = Args::parse();
    let paint = Paint::of_stdout();
    if args.promises || args.faults {
        one::list(args.promises, &paint)?;
        return Ok(ExitCode::SUCCESS);
    }
    match args.seed {
        Some(seed) => one::run(&args, seed, &paint),
        None => many::run(&args, &paint),
    }
}
