//! What is left of a failing seed once everything that it can do without is taken away.

use crate::fault::Fault;
use crate::invariant::Invariant;
use crate::seed::{Case, EVENTS_MAX};
use crate::{Report, report};

/// Stages beyond which no function goes.
const STAGES_MAX: usize = 6;

/// The least that still breaks the promise.
pub struct Shrunk {
    /// What is left.
    pub case: Case,
    /// What it comes to, with its story.
    pub report: Report,
}

/// Takes faults, events and stages away for as long as the same promise is broken; `None` where none is.
#[must_use]
pub fn shrink(case: &Case) -> Option<Shrunk> {
    let broken = report(case.world(false)).violation?.invariant;
    let mut least = case.clone();
    let mut has_changed = true;
    while has_changed {
        has_changed = false;
        for fault in Fault::ALL.iter().filter(|fault| !case.without.contains(fault)) {
            let mut fewer = least.clone();
            if fewer.without.insert(*fault) && still(&fewer, broken) {
                least = fewer;
                has_changed = true;
            }
        }
        let most = usize::try_from(EVENTS_MAX).unwrap_or(usize::MAX);
        has_changed |= reduce(&mut least, broken, most, |case| &mut case.events);
        has_changed |= reduce(&mut least, broken, STAGES_MAX, |case| &mut case.stages);
    }
    let report = report(least.world(true));
    Some(Shrunk { case: least, report })
}

/// The least number that still breaks the promise.
fn reduce(least: &mut Case, broken: Invariant, most: usize, number: fn(&mut Case) -> &mut Option<usize>) -> bool {
    let most = number(least).unwrap_or(most);
    for fewer in 0..most {
        let mut case = least.clone();
        *number(&mut case) = Some(fewer);
        if still(&case, broken) {
            *least = case;
            return true;
        }
    }
    false
}

fn still(case: &Case, broken: Invariant) -> bool {
    report(case.world(false)).violation.is_some_and(|violation| violation.invariant == broken)
}
