//! What users are going to do, once the app is known.

use super::{Deed, Task, add, nonsense};
use crate::app::program::{Act, Program};
use crate::invariant::reruns::Wish;
use crate::world::World;
use std::collections::BTreeSet;

/// Within this time all events are sent.
pub(super) const SENDING_MS: u64 = 120_000;
/// Within this time all is sent that somebody may wait for.
const MEETING_MS: u64 = 200_000;
/// Of each event that somebody waits for fewer than so many are sent; ...
const WAKES_MAX: u64 = 7;
/// ... of each that cancels; ...
const STOPS_MAX: u64 = 4;
/// ... of each signal.
const SIGNALS_MAX: u64 = 5;
/// Within so long after the first time an event is sent again.
const TWICE_MS: u64 = 1_500;
/// When schedules end: after anything goes wrong, so that what was missed has been made up for.
const RETIRE_MS: u64 = 900_000;
/// Within so long after it was seen a run is to run again.
const AGAIN_WITHIN_MS: u64 = 150_000;
/// Events of one request.
const BATCH_MAX: u64 = 4;
/// The latest that an event's own time is in the future.
const AHEAD_MS: u64 = 300_000;
/// What is looked at in passing.
const LOOKS: &[&str] = &["/v1/runs", "/v1/events", "/dev", "/v1/apps/app/functions", "/v1/runs?limit=1", "/health"];

/// The app is known: from now on events are sent.
pub(super) fn make(world: &mut World) {
    let names: Vec<String> = world
        .app
        .programs
        .iter()
        .flat_map(|program| program.triggers.clone())
        .filter(|name| !name.starts_with("inngest/"))
        .collect();
    let mut left = world.users.events;
    let mut number = 0_u32;
    while left > 0 {
        let most = if world.users.is_restless && world.users.dice.chance(250) { BATCH_MAX } else { 1 };
        let size = usize::try_from(world.users.dice.between(1, most.saturating_add(1))).unwrap_or(1).min(left);
        left = left.saturating_sub(size);
        let mut events = Vec::new();
        for _ in 0..size {
            let name = world.users.dice.pick(&names).cloned().unwrap_or_default();
            events.push((format!("e{number}"), name));
            number = number.saturating_add(1);
        }
        send(world, events, SENDING_MS);
    }
    if world.users.is_restless {
        disturb(world);
        meet(world);
        if world.app.programs.iter().any(|program| program.every_min.is_some()) {
            add(world, RETIRE_MS, Task::Retire);
        }
    }
    for (number, (ms, deed)) in std::mem::take(&mut world.users.deeds).into_iter().enumerate() {
        let own = format!("d{number}");
        let task = match deed {
            Deed::Event(name, k) => {
                Task::Send { events: vec![(own, name.to_owned())], not_before: None, seed: None, k: Some(k) }
            }
            Deed::Signal(signal) => Task::Signal { mark: own, signal: signal.to_owned() },
            Deed::Cancel(place) => Task::CancelNth(place),
            Deed::Retire => Task::Retire,
            Deed::Rerun(place, from, input) => Task::RerunNth { place, from, input },
            Deed::CancelMany(function) => Task::CancelMany { function: function.to_owned(), k: None },
        };
        add(world, ms, task);
    }
}

/// Sends what somebody may wait for: events, signals, and what cancels.
fn meet(world: &mut World) {
    let members = world.app.programs.iter().flat_map(Program::members);
    let (mut events, mut signals) = (BTreeSet::new(), BTreeSet::new());
    for member in members {
        match &member.act {
            Act::Wait { event, .. } => drop(events.insert(event.clone())),
            Act::AwaitSignal { signal, .. } => drop(signals.insert(signal.clone())),
            _ => {}
        }
    }
    let stops = world.app.programs.iter().flat_map(|program| &program.cancel_on).map(|on| on.event.clone());
    let stops: BTreeSet<String> = stops.collect();
    let most = u64::try_from(world.users.events).unwrap_or(u64::MAX).saturating_add(1);
    for (names, prefix, each) in [(events, 'w', WAKES_MAX), (stops, 'x', STOPS_MAX)] {
        for name in names {
            for number in 0..world.users.dice.below(each.min(most)) {
                let own = format!("{prefix}{number}{}", name.trim_start_matches("sim/"));
                send(world, vec![(own, name.clone())], MEETING_MS);
            }
        }
    }
    for signal in signals {
        for number in 0..world.users.dice.below(SIGNALS_MAX.min(most)) {
            let ms = world.users.dice.below(MEETING_MS);
            add(world, ms, Task::Signal { mark: format!("{signal}.{number}"), signal: signal.clone() });
        }
    }
    if world.users.dice.chance(120) {
        let name = world.users.dice.pick(&world.app.programs).map(|program| program.name.clone());
        let k = world.users.dice.chance(600).then(|| world.users.dice.below(3));
        let ms = world.users.dice.below(MEETING_MS);
        add(world, ms, Task::CancelMany { function: name.unwrap_or_default(), k });
    }
    if !world.settings.signing_keys.is_empty() {
        for _ in 0..world.users.dice.below(3) {
            let which = usize::try_from(world.users.dice.below(nonsense::STRANGERS)).unwrap_or(0);
            let ms = world.users.dice.below(MEETING_MS);
            add(world, ms, Task::Stranger(which));
        }
    }
}

/// Has a run run again some time from now: as a whole or from a step, which may get other arguments.
pub(super) fn run_again(world: &mut World, run: String) {
    let function = world.watch.runs().get(&run).map(|seen| seen.function.clone()).unwrap_or_default();
    let name = function.strip_prefix("app-").unwrap_or_default();
    let steps = world.app.program(name).into_iter().flat_map(Program::members);
    let steps: Vec<String> = steps.map(|member| member.id.clone()).collect();
    let dice = &mut world.users.dice;
    let from = if dice.chance(700) { dice.pick(&steps).cloned() } else { None };
    let input = from.as_ref().filter(|_| dice.chance(400)).map(|_| format!("[\"again\",{}]", dice.below(9)));
    let ms = dice.below(AGAIN_WITHIN_MS);
    add(world, ms, Task::Rerun(Wish { run, from, input }));
}

fn send(world: &mut World, mut events: Vec<(String, String)>, within_ms: u64) {
    if !world.users.is_restless {
        add(world, 0, Task::Send { events, not_before: None, seed: None, k: None });
        return;
    }
    let now = world.now;
    let dice = &mut world.users.dice;
    let ms = dice.below(within_ms);
    let is_late = events.len() == 1 && dice.chance(150);
    let ahead = dice.below(AHEAD_MS);
    // SDKs say when they began to send; some clocks are far behind.
    let began = if dice.chance(700) { now.saturating_add(ms) } else { crate::world::BEGIN_MS };
    let seed = dice.chance(200).then(|| format!("{began},{}", seed_of(dice.entropy())));
    let is_doubled = seed.is_none() && dice.chance(100);
    let is_sent_twice = dice.chance(250);
    let again = ms.saturating_add(dice.below(TWICE_MS));
    if is_doubled {
        // The same event twice in one request.
        events.extend(events.first().cloned());
    }
    let not_before = is_late.then(|| world.now.saturating_add(ms).saturating_add(ahead));
    let task = Task::Send { events, not_before, seed, k: None };
    if is_sent_twice {
        add(world, again, task.clone());
    }
    add(world, ms, task);
}

/// Ten bytes in base64 (PROTOCOL §8.5).
fn seed_of(entropy: u128) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |place: u32| {
        let value = entropy.checked_shr(place.saturating_mul(6)).unwrap_or(0) & 63;
        let digit = usize::try_from(value).ok().and_then(|value| DIGITS.get(value)).copied().unwrap_or(b'A');
        char::from(digit)
    };
    // The last of 14 digits has two bits of use, and none beyond.
    let head: String = (0..13).map(digit).collect();
    format!("{head}A==")
}

/// Nonsense, and looks in passing.
fn disturb(world: &mut World) {
    for _ in 0..world.users.dice.below(4) {
        let which = usize::try_from(world.users.dice.below(nonsense::COUNT)).unwrap_or(0);
        let ms = world.users.dice.below(SENDING_MS);
        add(world, ms, Task::Nonsense(which));
    }
    for _ in 0..world.users.dice.below(4) {
        let path = world.users.dice.pick(LOOKS).copied().unwrap_or("/health").to_owned();
        let ms = world.users.dice.below(SENDING_MS.saturating_mul(2));
        add(world, ms, Task::Look(path));
    }
}
