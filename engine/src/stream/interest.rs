//! Which events are waited for, and by which routes (the protocol is told in [`crate::waits`]).
//!
//! A row per name: until when the name is waited for by each route. Said twice, or late, it is the same: the latest time counts. It
//! is written some time ahead, so that a name on which run after run waits does not cost a row for each. Once there may be a name that
//! nobody waits for any more, and once an hour at most, the stream looks for such names, and forgets them.

use super::Stream;
use super::message::{NewEvent, Want};
use super::row;
use crate::error::{Code, Fault};
use crate::ids::{EventId, Millis};
use crate::limits::{
    WAIT_ROUTES_PER_NAME_MAX, WAITED_NAMES_HOT_MAX, WANT_AHEAD_MIN, WANTS_SWEPT_EVERY, WANTS_SWEPT_PER_TURN_MAX,
};
use crate::run::message::Tell as ToRun;
use crate::run::problem::Problem;
use crate::turn::{Address, Done, Outcome, Range, Row, Supplied, Turn};
use crate::waits::message::{Arrived, Tell as ToWaits};
use crate::waits::place::Route;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The names that are waited for.
pub(super) enum Interests {
    /// These and no others.
    All(BTreeMap<String, Interest>),
    /// More than are kept hot: each is read when its name comes.
    TooMany,
}

/// By which routes, and until when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Interest(Vec<(Route, Millis)>);

/// How far the look for forgotten names has come: a row of its own while there are names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sweep {
    /// The last row that was looked at; empty where the next look is at the first.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    after: String,
    /// When it goes on.
    at: Millis,
}

/// Where that is kept.
const SWEEP: &str = "sweep/want";

/// The row of it.
pub(super) fn sweep_range() -> Range {
    Range::one(SWEEP)
}

impl Sweep {
    pub(super) fn load(rows: &[Row]) -> Result<Option<Self>, Fault> {
        let sweep = rows.first().map(|row| serde_json::from_slice(&row.value));
        sweep.transpose().map_err(|e| Fault::new("sweep row", e))
    }

    /// When it goes on.
    pub(super) const fn at(&self) -> Millis {
        self.at
    }

    /// The rows that are to be looked at now, if it is time.
    pub(super) fn due(&self, now: Millis) -> Option<Range> {
        let start = if self.after.is_empty() { range().start } else { format!("{}\0", self.after) };
        (self.at <= now).then(|| Range { start, limit: WANTS_SWEPT_PER_TURN_MAX, ..range() })
    }
}

/// The rows that are read when a stream is made: one more than it keeps.
pub(super) fn range() -> Range {
    let limit = u32::try_from(WAITED_NAMES_HOT_MAX).unwrap_or(u32::MAX).saturating_add(1);
    Range { start: "want/".to_owned(), end: "want0".to_owned(), limit, descending: false }
}

fn key(name: &str) -> String {
    format!("want/{name}")
}

impl Interests {
    pub(super) fn load(rows: &[Row]) -> Result<Self, Fault> {
        if rows.len() > WAITED_NAMES_HOT_MAX {
            return Ok(Self::TooMany);
        }
        Ok(Self::All(rows.iter().map(named).collect::<Result<_, Fault>>()?))
    }

    /// The row that must be read before it is known who waits for `name`.
    pub(super) fn need(&self, name: &str) -> Option<Range> {
        matches!(self, Self::TooMany).then(|| Range::one(&key(name)))
    }

    /// Who waits for `name`; the row that was needed is among `supplied`.
    pub(super) fn of(&self, name: &str, supplied: &Supplied) -> Result<Option<Interest>, Fault> {
        match self {
            Self::All(names) => Ok(names.get(name).cloned()),
            Self::TooMany => supplied.get(&Range::one(&key(name))).and_then(<[Row]>::first).map(decode).transpose(),
        }
    }

    fn forget(&mut self, name: &str) {
        if let Self::All(names) = self {
            names.remove(name);
        }
    }

    fn set(&mut self, name: &str, interest: Interest) {
        let Self::All(names) = self else { return };
        names.insert(name.to_owned(), interest);
        if names.len() > WAITED_NAMES_HOT_MAX {
            *self = Self::TooMany;
        }
    }
}

fn named(row: &Row) -> Result<(String, Interest), Fault> {
    let name = row.key.strip_prefix("want/").ok_or_else(|| Fault::new("interest row", &row.key))?;
    Ok((name.to_owned(), decode(row)?))
}

fn decode(row: &Row) -> Result<Interest, Fault> {
    serde_json::from_slice(&row.value).map_err(|e| Fault::new("interest row", e))
}

impl Interest {
    /// Whether nobody waits for the name any more.
    fn is_over(&self, now: Millis) -> bool {
        self.0.iter().all(|(_, until)| *until <= now)
    }

    /// When nobody waits for the name any more.
    fn over_at(&self) -> Millis {
        self.0.iter().map(|(_, until)| *until).max().unwrap_or_default()
    }

    /// Tells of an event to all whom it may concern, by this id: its own, or that of an earlier one which it is the same as.
    pub(super) fn tell(&self, turn: &Turn<'_>, id: EventId, event: &NewEvent, done: &mut Done) -> Result<(), Fault> {
        let live = self.0.iter().filter(|(_, until)| *until > turn.now);
        let actors: BTreeSet<_> = live.filter_map(|(route, _)| route.actor_for(&event.name, &event.event)).collect();
        for actor in actors {
            let (received_at, event) = (turn.now, event.event.clone());
            done.send(Address::waits(&actor), &ToWaits::Arrived(Arrived { id, received_at, event, only: None }))?;
        }
        Ok(())
    }

    /// The interest with one more wait, where that makes a difference.
    fn with(&self, now: Millis, route: &Route, until: Millis) -> Option<Self> {
        if self.0.iter().any(|(known, known_until)| known == route && *known_until >= until) {
            return None;
        }
        let ahead = until.since(now).0.checked_div(8).map_or(WANT_AHEAD_MIN, Millis).max(WANT_AHEAD_MIN);
        let others = self.0.iter().filter(|(known, known_until)| known != route && *known_until > now).cloned();
        Some(Self(others.chain([(route.clone(), until.plus(ahead))]).collect()))
    }
}

impl Stream {
    /// Somebody waits for events of a name: from now on they are told of, and what came since the wait began is told now.
    pub(super) fn want(&mut self, turn: &Turn<'_>, want: &Want) -> Result<Outcome, Fault> {
        let mut needs: Vec<_> = self.interests.need(&want.event).into_iter().collect();
        needs.retain(|range| turn.supplied.get(range).is_none());
        if !needs.is_empty() {
            return Ok(Outcome::Needs(needs));
        }
        let ids = match self.recent.since(turn, &want.event, want.since.at)? {
            Ok(ids) => ids,
            Err(range) => return Ok(Outcome::Needs(vec![range])),
        };
        let rows: Vec<_> = ids.iter().map(|id| Range::one(&row::key(*id))).collect();
        let needs: Vec<_> = rows.iter().filter(|range| turn.supplied.get(range).is_none()).cloned().collect();
        if !needs.is_empty() {
            return Ok(Outcome::Needs(needs));
        }
        let mut done = Done::default();
        let known = self.interests.of(&want.event, turn.supplied)?.unwrap_or_default();
        if let Some(interest) = known.with(turn.now, &want.route, want.until) {
            if interest.0.len() > WAIT_ROUTES_PER_NAME_MAX {
                refuse(want, &mut done)?;
                return Ok(self.done(done));
            }
            done.write(key(&want.event), &interest)?;
            let over_at = interest.over_at();
            self.interests.set(&want.event, interest);
            let soonest = turn.now.plus(WANTS_SWEPT_EVERY);
            let at = if self.sweep.is_some() { over_at.max(soonest) } else { soonest };
            if self.sweep.as_ref().is_none_or(|sweep| sweep.after.is_empty() && sweep.at > at) {
                let sweep = Sweep { after: String::new(), at };
                done.write(SWEEP.to_owned(), &sweep)?;
                self.sweep = Some(sweep);
            }
        }
        for row in rows.iter().filter_map(|range| turn.supplied.get(range)).flatten() {
            let (id, held) = (row::id(&row.key)?, row::EventRow::decode(row)?);
            let concerns = want.route.actor_for(&held.name, &held.event).is_some_and(|actor| actor == want.at);
            let id = held.same_as.unwrap_or(id);
            if held.name == want.event && concerns && want.since.counts(held.received_at, id) {
                let arrived =
                    Arrived { id, received_at: held.received_at, event: held.event, only: Some(want.asker.clone()) };
                done.send(Address::waits(&want.at), &ToWaits::Arrived(arrived))?;
            }
        }
        Ok(self.done(done))
    }
}

impl Stream {
    /// Forgets names of a bounded number that it looks at, if it is time for that. What it looks at is among what was supplied.
    pub(super) fn forget_names(&mut self, turn: &Turn<'_>, done: &mut Done) -> Result<(), Fault> {
        let Some((range, sweep)) = self.sweep.as_ref().and_then(|sweep| Some((sweep.due(turn.now)?, sweep))) else {
            return Ok(());
        };
        let rows = turn.supplied.get(&range).unwrap_or_default();
        let is_last = u32::try_from(rows.len()).is_ok_and(|count| count < range.limit);
        let is_all = sweep.after.is_empty() && is_last;
        let mut kept = BTreeMap::new();
        for row in rows {
            let (name, interest) = named(row)?;
            if interest.is_over(turn.now) {
                done.delete(row.key.clone());
                self.interests.forget(&name);
            } else {
                kept.insert(name, interest);
            }
        }
        let soonest = turn.now.plus(WANTS_SWEPT_EVERY);
        // Where all names were looked at, nothing is to be forgotten before the first of them is over.
        let first_over = kept.values().map(Interest::over_at).min().filter(|_| is_all);
        self.sweep = match rows.last().filter(|_| !is_last) {
            Some(last) => Some(Sweep { after: last.key.clone(), at: turn.now }),
            None if is_all && kept.is_empty() => None,
            None => Some(Sweep { after: String::new(), at: first_over.unwrap_or(soonest).max(soonest) }),
        };
        if is_all {
            self.interests = Interests::All(kept);
        }
        match &self.sweep {
            Some(sweep) => done.write(SWEEP.to_owned(), sweep)?,
            None => done.delete(SWEEP.to_owned()),
        }
        Ok(())
    }
}

fn refuse(want: &Want, done: &mut Done) -> Result<(), Fault> {
    let message = format!(
        "Waits on the event {:?} compare more than {WAIT_ROUTES_PER_NAME_MAX} different fields of it: compare values of one \
         field rather than one field per value.",
        want.event
    );
    let problem = Problem::found(Code::WaitRoutesExceeded, message);
    done.send(Address::run(want.asker.run), &ToRun::Refused { waiter: want.asker.waiter.clone(), problem })
}
