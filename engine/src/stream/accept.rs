//! Taking events in: stored, recognised if they come again, and sent on to the runs that they start.

use super::first::{self, First};
use super::interest::Interest;
use super::message::NewEvent;
use super::row::{self, EventRow};
use super::{Stream, answer, routing};
use crate::error::Fault;
use crate::gate::admission;
use crate::ids::{EventId, FunctionId, RunId};
use crate::run::invoke::INVOKED;
use crate::run::message::Start;
use crate::turn::{Done, Outcome, Range, Row, Turn};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

impl Stream {
    /// Takes all events or, where the turn fails, none. `only`: the one function that they start; `token`: who waits for the ids.
    pub(super) fn accept(
        &mut self,
        turn: &Turn<'_>,
        events: Vec<NewEvent>,
        only: Option<&FunctionId>,
        token: Option<u64>,
    ) -> Result<Outcome, Fault> {
        let supplied: BTreeMap<&str, &[Row]> =
            turn.supplied.0.iter().map(|(range, rows)| (range.start.as_str(), rows.as_slice())).collect();
        let mut needs = needs(turn, &events, token.is_none());
        let names: BTreeSet<&str> = events.iter().map(|event| event.name.as_str()).collect();
        needs.extend(names.into_iter().filter_map(|name| self.interests.need(name)));
        needs.retain(|range| !supplied.contains_key(range.start.as_str()));
        if !needs.is_empty() {
            return Ok(Outcome::Needs(needs));
        }
        let held: BTreeSet<&str> = supplied
            .values()
            .copied()
            .flatten()
            .map(|row| row.key.as_str())
            .filter(|key| key.starts_with("event/"))
            .collect();

        let today = first::day(turn.now);
        let mut firsts = firsts(turn, &supplied)?;
        let earlier = earlier(&events, &firsts);
        let needs: Vec<Range> =
            earlier.iter().filter(|key| !supplied.contains_key(key.as_str())).map(|key| Range::one(key)).collect();
        if !needs.is_empty() {
            return Ok(Outcome::Needs(needs));
        }
        let Earlier { mut started, mut names } = Earlier::read(&supplied, &earlier)?;
        let mut done = Done::default();
        let mut ids = Vec::with_capacity(events.len());
        let mut taken = BTreeSet::new();
        let mut noted = Vec::with_capacity(events.len());
        let mut oldest = self.oldest;
        for event in events {
            ids.push(event.id);
            // The same id is the same event, also within one request: nothing happens twice.
            if held.contains(row::key(event.id).as_str()) || !taken.insert(event.id) {
                continue;
            }
            let origin = match &event.user_id {
                None => event.id,
                Some(user_id) => {
                    let key = first::key(today, user_id);
                    let origin = firsts.get(hash_of(&key)).map(|first| first.event);
                    if origin.is_none() {
                        let first = First { event: event.id, at: turn.now };
                        done.write(key.clone(), &first)?;
                        firsts.insert(hash_of(&key).to_owned(), first);
                        oldest = Some(oldest.map_or(today, |oldest| oldest.min(today)));
                    }
                    origin.unwrap_or(event.id)
                }
            };
            let interest = self.interests.of(&event.name, turn.supplied)?;
            noted.push((event.id, event.name.clone()));
            let same_as = names.get(&origin).filter(|name| **name == event.name).map(|_| origin);
            names.insert(event.id, event.name.clone());
            take(turn, &mut done, Origin { event: origin, same_as }, event, only, interest.as_ref(), &mut started)?;
        }
        if let Some(token) = token {
            answer(&mut done, token, &Accepted { ids })?;
        }
        self.oldest = oldest;
        noted.into_iter().for_each(|(id, name)| self.recent.note(id, turn.now, &name));
        Ok(self.done(done))
    }
}

/// What an event is by its user's id.
struct Origin {
    /// The first with that id, or the event itself: its runs are those of this one.
    event: EventId,
    /// The same, where it is another one and of the same name: for whoever waits it has come once more.
    same_as: Option<EventId>,
}

/// Stores one event, starts its runs, and tells those who wait for it. Where it is the same event as an earlier one by its user's id, its runs
/// are those of the earlier: what that one has `started` is not sent for again, since the later message may be the first to arrive. Whoever
/// waits for the name hears of the earlier once more: what that one has started or resumed recognises it.
fn take(
    turn: &Turn<'_>,
    done: &mut Done,
    origin: Origin,
    event: NewEvent,
    only: Option<&FunctionId>,
    interest: Option<&Interest>,
    started: &mut BTreeSet<RunId>,
) -> Result<(), Fault> {
    let mut runs = Vec::new();
    let not_before = Some(event.ts).filter(|ts| *ts > turn.now);
    let matches = match only {
        Some(function) => routing::scheduled(turn.catalog, function),
        None => routing::started_by(turn.catalog, &event.name, &event.event, turn.now),
    };
    for function in matches.started {
        let run = RunId::derived(origin.event, &function.id);
        runs.push(run);
        if !started.insert(run) {
            continue;
        }
        let start = Start {
            event_ids: vec![event.id],
            events: vec![event.event.clone()],
            event_name: event.name.clone(),
            received_at: Some(turn.now),
            not_before,
            ..Start::of(run, function.id.clone(), function.version)
        };
        admission::enter(turn, function, start, done)?;
    }
    if let Some(interest) = interest {
        interest.tell(turn, origin.same_as.unwrap_or(event.id), &event, done)?;
    }
    let failed = matches.failed;
    if event.name == INVOKED {
        routing::answer_invoker(&event.event, &failed, done)?;
    }
    let NewEvent { id, name, event, .. } = event;
    done.write(row::key(id), &EventRow { name, received_at: turn.now, same_as: origin.same_as, runs, failed, event })
}

/// What has to be known first: of ids that may have come before, whether they have; of users' ids, which event was the first.
fn needs(turn: &Turn<'_>, events: &[NewEvent], all_may_repeat: bool) -> Vec<Range> {
    let mut repeatable: Vec<EventId> =
        events.iter().filter(|event| event.seeded || all_may_repeat).map(|event| event.id).collect();
    repeatable.sort_unstable();
    repeatable.dedup();
    // The ids of one seed follow upon each other: one read for all of them.
    let mut needs = Vec::new();
    for group in repeatable.chunk_by(|a, b| a.0.increment() == Ok(b.0)) {
        if let (Some(lowest), Some(highest)) = (group.first(), group.last()) {
            let limit = u32::try_from(group.len()).unwrap_or(u32::MAX);
            let end = format!("{}\0", row::key(*highest));
            needs.push(Range { start: row::key(*lowest), end, limit, descending: false });
        }
    }
    let today = first::day(turn.now);
    let user_ids: BTreeSet<&str> = events.iter().filter_map(|event| event.user_id.as_deref()).collect();
    for user_id in user_ids {
        for day in [today, today.saturating_sub(1)] {
            needs.push(Range::one(&first::key(day, user_id)));
        }
    }
    needs
}

/// The rows of those first events whose like has come again.
fn earlier(events: &[NewEvent], firsts: &BTreeMap<String, First>) -> BTreeSet<String> {
    let origin = |event: &NewEvent| {
        let key = first::key(0, event.user_id.as_deref()?);
        firsts.get(hash_of(&key)).map(|first| first.event).filter(|origin| *origin != event.id)
    };
    events.iter().filter_map(origin).map(row::key).collect()
}

/// What is known of first events whose like has come again.
#[derive(Default)]
struct Earlier {
    /// The runs that they list.
    started: BTreeSet<RunId>,
    /// Their names.
    names: BTreeMap<EventId, String>,
}

impl Earlier {
    fn read(supplied: &BTreeMap<&str, &[Row]>, keys: &BTreeSet<String>) -> Result<Self, Fault> {
        let mut earlier = Self::default();
        for row in keys.iter().filter_map(|key| supplied.get(key.as_str())).copied().flatten() {
            let (id, held) = (row::id(&row.key)?, EventRow::decode(row)?);
            earlier.started.extend(held.runs);
            earlier.names.insert(id, held.name);
        }
        Ok(earlier)
    }
}

/// The first events that still count, by the hash of the user's id.
fn firsts(turn: &Turn<'_>, supplied: &BTreeMap<&str, &[Row]>) -> Result<BTreeMap<String, First>, Fault> {
    let mut firsts = BTreeMap::new();
    for row in supplied.values().copied().flatten().filter(|row| row.key.starts_with("id/")) {
        let first = First::decode(row)?;
        if first.holds(turn.now) {
            firsts.insert(hash_of(&row.key).to_owned(), first);
        }
    }
    Ok(firsts)
}

/// The last part of an `id/` key.
fn hash_of(key: &str) -> &str {
    key.rsplit_once('/').map_or(key, |(_, hash)| hash)
}

#[derive(Serialize)]
struct Accepted {
    ids: Vec<EventId>,
}
