//! A limit on calls that functions share: one gate per scope, key expression and value (SERVER §2.1); or per app, where the settings limit its calls.
//!
//! It is asked by the functions' gates of slots, which wait here for the calls of their runs. Whoever has no room is told so, and is told
//! again once there is some.
//!
//! | row | holds |
//! | --- | --- |
//! | `wait/<run>/<unit>/<function>` | a call that waits |
//! | `hold/<run>/<unit>/<function>` | a call that has a place |

use super::slots::message::Tell as ToSlots;
use super::slots::row::SlotId;
use crate::actor::Actor;
use crate::catalog::Function;
use crate::catalog::flow::Scope;
use crate::error::Fault;
use crate::gate::place::{self, Kind};
use crate::gate::written::Written;
use crate::ids::FunctionId;
use crate::limits::GRANTS_PER_TURN_MAX;
use crate::turn::{Address, Done, Message, Outcome, Range, Row, Turn};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// From a gate of slots; any of them may come twice, late or out of order.
#[derive(Debug, Serialize, Deserialize)]
pub enum Tell {
    /// A call wants a place.
    Take {
        /// Which.
        by: Applicant,
        /// Which time of asking: an earlier one counts no longer.
        ask: Ask,
        /// The lowest goes first.
        rank: i64,
        /// The limit, by which its function tells how much it is.
        limit: LimitName,
        /// How much it was where it was asked for.
        #[serde(default)]
        known: Known,
    },
    /// A call wants no place any more, as of this time of asking and those before it.
    Give {
        /// Which.
        by: Applicant,
        /// Which time.
        ask: Ask,
    },
}

/// To a gate of slots.
#[derive(Debug, Serialize, Deserialize)]
pub struct Reply {
    /// Which call.
    pub slot: SlotId,
    /// This gate's key.
    pub gate: String,
    /// Which time of asking.
    pub ask: Ask,
    /// It has a place; else it waits here.
    pub is_taken: bool,
}

/// A limit of a function, whatever its number is at the moment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LimitName {
    /// Which functions share it.
    pub scope: Scope,
    /// Its key expression.
    pub source: String,
}

/// How much a limit was, by which catalog: a gate that has an older one goes by this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The catalog's version.
    pub version: u64,
    /// So much.
    pub limit: u32,
}

/// A call of a function.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Applicant {
    /// Whose.
    pub function: FunctionId,
    /// Which.
    pub slot: SlotId,
}

/// Times of asking, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ask {
    /// The dispatch for which it was asked.
    pub generation: u32,
    /// How often.
    pub round: u32,
}

/// A row of either kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    by: Applicant,
    ask: Ask,
    rank: i64,
    limit: LimitName,
    #[serde(default)]
    known: Known,
}

/// One shared limit.
#[derive(Debug, Default)]
pub struct Shared {
    key: String,
    waits: BTreeMap<Applicant, Entry>,
    holds: BTreeMap<Applicant, Entry>,
    /// Those who wait, by function and limit, which say how many may be here.
    queues: BTreeMap<(FunctionId, LimitName), BTreeSet<(i64, SlotId)>>,
    /// What this turn has written.
    written: Written,
}

impl Actor for Shared {
    fn preload(_key: &str) -> Vec<Range> {
        vec![Range::all()]
    }

    fn load(key: &str, rows: &[(Range, Vec<Row>)]) -> Result<Self, Fault> {
        let mut shared = Self { key: key.to_owned(), ..Self::default() };
        for row in rows.iter().flat_map(|(_, rows)| rows) {
            let entry: Entry =
                serde_json::from_slice(&row.value).map_err(|error| Fault::new("row of a shared gate", error))?;
            match row.key.split_once('/') {
                Some(("wait", _)) => shared.index_wait(entry.by.clone(), Some(entry)),
                Some(("hold", _)) => {
                    shared.holds.insert(entry.by.clone(), entry);
                }
                _ => return Err(Fault::new("row of a shared gate", format!("the key {:?}", row.key))),
            }
        }
        Ok(shared)
    }

    fn turn(&mut self, turn: &Turn<'_>, message: Message) -> Result<Outcome, Fault> {
        let mut done = Done::default();
        self.written = Written::default();
        let mut newcomer = None;
        match message {
            Message::Tell(body) => {
                match serde_json::from_slice(&body).map_err(|error| Fault::new("message to a shared gate", error))? {
                    Tell::Take { by, ask, rank, limit, known } => {
                        newcomer = Some(by.clone());
                        self.take(Entry { by, ask, rank, limit, known }, &mut done)?;
                    }
                    Tell::Give { by, ask } => self.give(&by, ask, &mut done)?,
                }
            }
            Message::Wake | Message::Resume => {}
            Message::Ask { .. } | Message::Answered(_) | Message::Lost(_) => {
                return Err(Fault::new("message to a shared gate", "nobody asks it, and it calls no apps"));
            }
        }
        let is_more = self.grant_all(turn, &mut done)?;
        if let Some(entry) = newcomer.and_then(|by| self.waits.get(&by)) {
            self.reply(entry, false, &mut done)?;
        }
        done.wake_at = is_more.then_some(turn.now);
        Ok(Outcome::Done(done))
    }
}

impl Shared {
    fn index_wait(&mut self, by: Applicant, entry: Option<Entry>) {
        let place = |entry: &Entry| ((by.function.clone(), entry.limit.clone()), (entry.rank, by.slot.clone()));
        let before = match entry.clone() {
            Some(entry) => self.waits.insert(by.clone(), entry),
            None => self.waits.remove(&by),
        };
        if let Some((queue, place)) = before.as_ref().map(place)
            && let Some(waiting) = self.queues.get_mut(&queue)
        {
            waiting.remove(&place);
            if waiting.is_empty() {
                self.queues.remove(&queue);
            }
        }
        if let Some((queue, place)) = entry.as_ref().map(place) {
            self.queues.entry(queue).or_default().insert(place);
        }
    }

    fn put_wait(&mut self, by: &Applicant, entry: Option<Entry>, done: &mut Done) -> Result<(), Fault> {
        self.written.put(self.waits.contains_key(by), row_key("wait", by), entry.as_ref(), done)?;
        self.index_wait(by.clone(), entry);
        Ok(())
    }

    fn put_hold(&mut self, by: &Applicant, entry: Option<Entry>, done: &mut Done) -> Result<(), Fault> {
        self.written.put(self.holds.contains_key(by), row_key("hold", by), entry.as_ref(), done)?;
        match entry {
            Some(entry) => self.holds.insert(by.clone(), entry),
            None => self.holds.remove(by),
        };
        Ok(())
    }

    fn take(&mut self, entry: Entry, done: &mut Done) -> Result<(), Fault> {
        let by = entry.by.clone();
        if let Some(held) = self.holds.get(&by) {
            if held.ask > entry.ask {
                return Ok(());
            }
            self.reply(&entry, true, done)?;
            return if held.ask == entry.ask { Ok(()) } else { self.put_hold(&by, Some(entry), done) };
        }
        if self.waits.get(&by).is_some_and(|waiting| waiting.ask >= entry.ask) {
            return Ok(());
        }
        self.put_wait(&by, Some(entry), done)
    }

    fn give(&mut self, by: &Applicant, ask: Ask, done: &mut Done) -> Result<(), Fault> {
        if self.waits.get(by).is_some_and(|entry| entry.ask <= ask) {
            self.put_wait(by, None, done)?;
        }
        if self.holds.get(by).is_some_and(|entry| entry.ask <= ask) {
            self.put_hold(by, None, done)?;
        }
        Ok(())
    }

    /// Gives places to those who are next; says whether more could be given than one turn gives.
    fn grant_all(&mut self, turn: &Turn<'_>, done: &mut Done) -> Result<bool, Fault> {
        let mut room = GRANTS_PER_TURN_MAX;
        loop {
            let firsts = self.queues.iter().filter_map(|((function, _), waiting)| {
                let (_, slot) = waiting.first()?;
                self.waits.get(&Applicant { function: function.clone(), slot: slot.clone() })
            });
            let open = firsts.filter(|entry| self.has_room(turn, entry));
            let next = open.map(|entry| (entry.rank, &entry.by.slot, &entry.by.function, entry));
            let next = next.min_by(|(rank, slot, function, _), (r, s, f, _)| (rank, slot, function).cmp(&(r, s, f)));
            let Some((.., entry)) = next else { return Ok(false) };
            let entry = entry.clone();
            if room == 0 {
                return Ok(true);
            }
            room = room.saturating_sub(1);
            let by = entry.by.clone();
            self.put_wait(&by, None, done)?;
            self.reply(&entry, true, done)?;
            self.put_hold(&by, Some(entry), done)?;
        }
    }

    /// Whether a call may have a place. A limit that its function no longer has keeps nobody; one that it does not have yet, by a catalog older than
    /// that of who asks, is what it was there.
    fn has_room(&self, turn: &Turn<'_>, entry: &Entry) -> bool {
        let told = Some(entry.known.limit).filter(|_| entry.known.version > turn.catalog.version);
        let function = turn.catalog.function(&entry.by.function);
        let limit = told.or_else(|| limit_of(function?, &entry.limit));
        limit.is_none_or(|limit| self.holds.len() < usize::try_from(limit).unwrap_or(usize::MAX))
    }

    fn reply(&self, entry: &Entry, is_taken: bool, done: &mut Done) -> Result<(), Fault> {
        let reply = Reply { slot: entry.by.slot.clone(), gate: self.key.clone(), ask: entry.ask, is_taken };
        let slots = place::key(Kind::Slots, &entry.by.function, "");
        done.send(Address::gate(&slots), &ToSlots::Shared(reply))
    }
}

/// How much the limit is by what its function says now; of several the lowest.
fn limit_of(function: &Function, name: &LimitName) -> Option<u32> {
    let limits = function.flow.concurrency.steps.iter();
    let own = limits.filter(|limit| limit.scope == name.scope && limit.key.as_deref() == Some(&name.source));
    match name.scope {
        Scope::App => function.app_calls_max,
        Scope::Fn | Scope::Env | Scope::Account => own.map(|limit| limit.limit).min(),
    }
}

fn row_key(kind: &str, by: &Applicant) -> String {
    format!("{kind}/{}/{}", by.slot, by.function)
}

#[cfg(test)]
mod tests;
