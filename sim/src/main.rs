//! `stepwell-sim`: runs seeds, and tells the story of one that breaks a promise.

use anyhow::{Context as _, Result};
use clap::Parser;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use stepwell_sim::fault::Fault;
use stepwell_sim::{report, run_seed, shrink, world_of};

/// Lines of a story that are shown unless all are asked for.
const STORY_LINES: usize = 80;
/// How often progress is shown.
const PROGRESS_EVERY: u64 = 50;

/// Simulates whole Stepwells, each from one seed, under every fault, and checks what must hold.
///
/// Exit codes: 0 all promises held; 1 one was broken; 2 wrong usage.
#[derive(Parser)]
#[command(name = "stepwell-sim", version)]
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
    /// Leaves these faults out: names, separated by commas
    #[arg(long, value_name = "FAULTS", value_delimiter = ',', value_parser = fault)]
    without: Vec<Fault>,
    /// Sends at most so many events
    #[arg(long, value_name = "COUNT")]
    events: Option<usize>,
    /// Tells the whole story, not only its end
    #[arg(long)]
    story: bool,
    /// Writes what the engine was asked and what it gave, for other builds of it to replay
    #[arg(long, value_name = "FILE", requires = "seed")]
    record: Option<PathBuf>,
}

fn fault(name: &str) -> Result<Fault, String> {
    let known = || Fault::ALL.iter().map(|fault| fault.name()).collect::<Vec<_>>().join(", ");
    let found = Fault::ALL.iter().find(|fault| fault.name() == name);
    found.copied().ok_or_else(|| format!("there is no fault of that name; there are: {}", known()))
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let without: BTreeSet<Fault> = args.without.iter().copied().collect();
    match args.seed {
        Some(seed) => one(seed, &without, &args),
        None => many(&without, &args),
    }
}

fn one(seed: u64, without: &BTreeSet<Fault>, args: &Args) -> Result<ExitCode> {
    let mut world = world_of(seed, without, args.events);
    if args.record.is_some() {
        world.record();
    }
    let report = report(world);
    let mut out = std::io::stdout().lock();
    if let Some(path) = &args.record {
        std::fs::write(path, report.script.join("\n") + "\n").with_context(|| path.display().to_string())?;
        writeln!(out, "{} lines in {}", report.script.len(), path.display())?;
    }
    let hidden = if args.story { 0 } else { report.story.len().saturating_sub(STORY_LINES) };
    if hidden > 0 {
        writeln!(out, "({hidden} lines before; --story shows them)")?;
    }
    for line in report.story.iter().skip(hidden) {
        writeln!(out, "{line}")?;
    }
    let struck: Vec<String> = report.struck.iter().map(|(fault, count)| format!("{} {count}", fault.name())).collect();
    writeln!(out, "faults: {}", struck.join(", "))?;
    writeln!(out, "{} runs, trace {}", report.runs, report.fingerprint)?;
    Ok(match report.violation {
        None => {
            writeln!(out, "every promise held")?;
            ExitCode::SUCCESS
        }
        Some(violation) => {
            writeln!(out, "BROKEN {violation}")?;
            ExitCode::FAILURE
        }
    })
}

fn many(without: &BTreeSet<Fault>, args: &Args) -> Result<ExitCode> {
    let began = Instant::now();
    let time_max = args.minutes.map(|minutes| Duration::from_secs(minutes.saturating_mul(60)));
    let mut struck: BTreeMap<Fault, u64> = BTreeMap::new();
    let (mut seed, mut runs, mut count) = (args.from, 0_usize, 0_u64);
    loop {
        let over = match time_max {
            Some(time_max) => began.elapsed() >= time_max,
            None => count >= args.seeds,
        };
        if over {
            break;
        }
        let report = run_seed(seed, without, args.events);
        if let Some(violation) = report.violation {
            return failed(seed, &violation.to_string());
        }
        for (fault, times) in report.struck {
            let total = struck.entry(fault).or_default();
            *total = total.saturating_add(times);
        }
        runs = runs.saturating_add(report.runs);
        count = count.saturating_add(1);
        seed = seed.checked_add(1).context("there are no more seeds")?;
        if count.is_multiple_of(PROGRESS_EVERY) {
            eprint!("\r{count} seeds, {runs} runs, {:.0} s ", began.elapsed().as_secs_f64());
        }
    }
    eprintln!();
    let faults: u64 = struck.values().sum();
    println!("{count} seeds, {runs} runs, {faults} faults, {:.1} s: every promise held", began.elapsed().as_secs_f64());
    Ok(ExitCode::SUCCESS)
}

fn failed(seed: u64, what: &str) -> Result<ExitCode> {
    eprintln!();
    println!("seed {seed} BROKEN {what}");
    eprintln!("looking for a shorter story …");
    let mut command = format!("cargo xtask sim --seed {seed}");
    if let Some(least) = shrink(seed) {
        let names: Vec<&str> = least.without.iter().map(|fault| fault.name()).collect();
        if !names.is_empty() {
            command.push_str(&format!(" --without {}", names.join(",")));
        }
        command.push_str(&format!(" --events {}", least.events));
        println!("its shortest story has {} lines", least.report.story.len());
    }
    println!("tell it with: {command}");
    Ok(ExitCode::FAILURE)
}
