//! One seed, and its story.

use super::{Args, Paint, command};
use anyhow::{Context as _, Result};
use std::io::Write as _;
use std::process::ExitCode;
use stepwell_sim::fault::Fault;
use stepwell_sim::invariant::Invariant;
use stepwell_sim::report;
use stepwell_sim::seed::Case;
use stepwell_sim::shrink::shrink;

/// Lines of a story that are shown unless all are asked for.
const STORY_LINES: usize = 80;

pub(super) fn run(args: &Args, seed: u64, paint: &Paint) -> Result<ExitCode> {
    let mut case = args.case(seed);
    if args.shrink
        && let Some(least) = shrink(&case)
    {
        case = least.case;
    }
    let code = tell(&case, args, paint)?;
    if args.shrink {
        println!("{}", command(&case));
    }
    Ok(code)
}

fn tell(case: &Case, args: &Args, paint: &Paint) -> Result<ExitCode> {
    let mut world = case.world(true);
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
        writeln!(out, "{}", paint.line(line))?;
    }
    let struck: Vec<String> = report.struck.iter().map(|(fault, count)| format!("{} {count}", fault.name())).collect();
    writeln!(out, "faults: {}", if struck.is_empty() { "none".to_owned() } else { struck.join(", ") })?;
    writeln!(out, "home {}, {} runs, {} turns", case.kind().name(), report.runs, report.turns)?;
    writeln!(out, "trace {}", report.fingerprint)?;
    Ok(match report.violation {
        None => {
            writeln!(out, "{}", paint.good("every promise held"))?;
            ExitCode::SUCCESS
        }
        Some(violation) => {
            writeln!(out, "{} {violation}", paint.bad("BROKEN"))?;
            writeln!(out, "        {}", violation.invariant.promise().trim())?;
            ExitCode::FAILURE
        }
    })
}

/// Lists what must hold, or what can go wrong.
pub(super) fn list(promises: bool, paint: &Paint) -> Result<()> {
    let mut out = std::io::stdout().lock();
    if promises {
        for invariant in Invariant::ALL {
            writeln!(out, "{}\n    {}", paint.strong(&invariant.to_string()), invariant.promise().trim())?;
        }
    } else {
        for fault in Fault::ALL {
            writeln!(out, "{:<18}{}", fault.name(), fault.what().trim())?;
        }
    }
    Ok(())
}
