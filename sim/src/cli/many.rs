//! Many seeds, on all cores.

use super::{Args, Paint, command};
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use stepwell_sim::fault::Fault;
use stepwell_sim::report;
use stepwell_sim::shrink::shrink;

/// How often progress is shown.
const PROGRESS_EVERY: u64 = 20;
/// Broken seeds after which no more are looked for.
const BROKEN_MAX: usize = 5;

/// What all threads have come to.
#[derive(Default)]
struct Tally {
    seeds: u64,
    runs: u64,
    turns: u64,
    faults: BTreeMap<Fault, u64>,
    broken: BTreeSet<u64>,
}

pub(super) fn run(args: &Args, paint: &Paint) -> Result<ExitCode> {
    let began = Instant::now();
    let tally = Mutex::new(Tally::default());
    let next = AtomicU64::new(args.from);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..args.jobs.unwrap_or(cores).max(1) {
            scope.spawn(|| work(args, began, &next, &tally));
        }
    });
    let tally = tally.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    clear_progress();
    let seconds = began.elapsed().as_secs_f64().max(0.001);
    let per_second = |count: u64| format!("{:.0}", f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / seconds);
    let faults: u64 = tally.faults.values().sum();
    println!(
        "{} seeds, {} runs ({} a second), {} turns ({} a second), {faults} faults, {seconds:.1} s",
        tally.seeds,
        tally.runs,
        per_second(tally.runs),
        tally.turns,
        per_second(tally.turns),
    );
    if tally.broken.is_empty() {
        println!("{}", paint.good("every promise held"));
        return Ok(ExitCode::SUCCESS);
    }
    for seed in &tally.broken {
        tell(args, *seed, paint);
    }
    Ok(ExitCode::FAILURE)
}

/// One thread: takes seed after seed.
fn work(args: &Args, began: Instant, next: &AtomicU64, tally: &Mutex<Tally>) {
    let time_max = args.minutes.map(|minutes| Duration::from_secs(minutes.saturating_mul(60)));
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        let is_over = match time_max {
            Some(time_max) => began.elapsed() >= time_max,
            None => seed >= args.from.saturating_add(args.seeds),
        };
        if is_over {
            return;
        }
        let report = report(args.case(seed).world(false));
        let Ok(mut tally) = tally.lock() else { return };
        tally.seeds = tally.seeds.saturating_add(1);
        tally.runs = tally.runs.saturating_add(u64::try_from(report.runs).unwrap_or(0));
        tally.turns = tally.turns.saturating_add(report.turns);
        for (fault, times) in report.struck {
            let total = tally.faults.entry(fault).or_default();
            *total = total.saturating_add(times);
        }
        if report.violation.is_some() {
            tally.broken.insert(seed);
            if tally.broken.len() >= BROKEN_MAX {
                next.store(u64::MAX / 2, Ordering::Relaxed);
            }
        }
        if tally.seeds.is_multiple_of(PROGRESS_EVERY) {
            show_progress(&tally, began);
        }
    }
}

fn show_progress(tally: &Tally, began: Instant) {
    if std::io::stderr().is_terminal() {
        let seconds = began.elapsed().as_secs();
        eprint!("\r{} seeds, {} runs, {} turns, {seconds} s ", tally.seeds, tally.runs, tally.turns);
        let _ = std::io::stderr().flush();
    }
}

fn clear_progress() {
    if std::io::stderr().is_terminal() {
        eprint!("\r\u{1b}[K");
    }
}

/// What a broken seed comes to, and how to see it.
fn tell(args: &Args, seed: u64, paint: &Paint) {
    let case = args.case(seed);
    let Some(violation) = report(case.world(false)).violation else { return };
    println!("{} seed {seed} ({}): {violation}", paint.bad("BROKEN"), case.kind().name());
    let Some(least) = shrink(&case) else { return };
    println!("        the least of it, in {} lines:", least.report.story.len());
    println!("        {}", paint.strong(&command(&least.case)));
}
