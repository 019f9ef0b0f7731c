//! One actor: what storage holds of it, and what is in memory.

use super::Seat;
use crate::script::Script;
use std::collections::BTreeMap;
use std::rc::Rc;
use stepwell_engine::actor::{EventApi, Executor, Part, Scheduler};
use stepwell_engine::error::Fault;
use stepwell_engine::turn::{ActorKind, Address, Done, Message, Outcome, Range, Row, Supplied, Turn};
use stepwell_ledger::{Ledger, LedgerError, Writes};

/// What storage holds of an actor.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// Its rows.
    pub rows: BTreeMap<String, Rc<[u8]>>,
    /// When it wants to be woken, by the server's clock.
    pub wake_at: Option<u64>,
    /// Calls are in flight.
    pub owing: bool,
    /// The head of its ledger (homes without a shared transaction).
    pub head: Option<Vec<u8>>,
    /// The ledger's parcels.
    pub parcels: BTreeMap<u64, Vec<u8>>,
    /// The alarm that is set (homes where it is stored with the rows).
    pub alarm: Option<u64>,
    /// Counts commits (homes where they are swaps).
    pub version: u64,
}

impl Cell {
    /// Takes over what a turn decided, but for its effects.
    pub fn take_over(&mut self, done: &Done) {
        for write in &done.writes {
            match &write.value {
                Some(value) => drop(self.rows.insert(write.key.clone(), value.as_slice().into())),
                None => drop(self.rows.remove(&write.key)),
            }
        }
        self.wake_at = done.wake_at.map(|at| at.0);
        self.owing = done.owing;
    }

    /// Keeps what a ledger wants kept.
    pub fn keep(&mut self, writes: Writes) {
        self.head = Some(writes.head);
        self.parcels.extend(writes.put.map(|parcel| (parcel.number, parcel.bytes)));
        for number in writes.remove {
            self.parcels.remove(&number);
        }
    }

    /// The ledger as it is stored.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn ledger(&self) -> Result<Ledger, LedgerError> {
        let parcels = self.parcels.iter().map(|(number, bytes)| (*number, bytes.as_slice()));
        Ledger::load(self.head.as_deref(), parcels, self.alarm)
    }

    fn read(&self, range: &Range) -> Vec<Row> {
        let row = |(key, value): (&String, &Rc<[u8]>)| Row { key: key.clone(), value: value.to_vec() };
        let limit = usize::try_from(range.limit).unwrap_or(usize::MAX);
        if range.start >= range.end {
            return Vec::new();
        }
        let held = self.rows.range(range.start.clone()..range.end.clone());
        if range.descending { held.rev().take(limit).map(row).collect() } else { held.take(limit).map(row).collect() }
    }
}
/// An actor in memory.
#[allow(clippy::large_enum_variant, reason = "most of them are runs, which is the large one")]
pub enum Hot {
    /// Of the event API.
    EventApi(EventApi),
    /// A run.
    Executor(Executor),
    /// Of the scheduler.
    Scheduler(Scheduler),
}

impl Hot {
    /// The rows that the actor at `address` is made of.
    #[must_use]
    pub fn rows(address: &Address, cell: &Cell) -> Vec<(Range, Vec<Row>)> {
        let ranges = match address.kind {
            ActorKind::Catalog | ActorKind::Stream | ActorKind::History => EventApi::preload(address),
            ActorKind::Run => Executor::preload(address),
            ActorKind::Waits | ActorKind::Gate | ActorKind::Cron => Scheduler::preload(address),
        };
        ranges.into_iter().map(|range| (range.clone(), cell.read(&range))).collect()
    }

    /// Makes the actor at `address` of its rows.
    ///
    /// # Errors
    /// Rows that it cannot read: a defect.
    pub fn load(address: &Address, rows: &[(Range, Vec<Row>)]) -> Result<Self, Fault> {
        match address.kind {
            ActorKind::Catalog | ActorKind::Stream | ActorKind::History => {
                EventApi::load(address, rows).map(Self::EventApi)
            }
            ActorKind::Run => Executor::load(address, rows).map(Self::Executor),
            ActorKind::Waits | ActorKind::Gate | ActorKind::Cron => Scheduler::load(address, rows).map(Self::Scheduler),
        }
    }

    /// A whole turn, with the rows that it needs; noted in the script where there is one.
    ///
    /// # Errors
    /// A message that no actor sends, or a turn that never has enough: a defect.
    pub fn turn(
        &mut self,
        (seat, address): (Seat, &Address),
        turn: &Turn<'_>,
        message: &Message,
        cell: &Cell,
        mut script: Option<&mut Script>,
    ) -> Result<Done, Fault> {
        const ROUNDS_MAX: usize = 32;
        let mut supplied = Supplied::default();
        for _ in 0..ROUNDS_MAX {
            let turn = Turn { supplied: &supplied, ..*turn };
            let step = script.as_mut().map(|script| script.turn(seat, address, &turn, message));
            let outcome = match self {
                Self::EventApi(part) => part.turn(&turn, message.clone()),
                Self::Executor(part) => part.turn(&turn, message.clone()),
                Self::Scheduler(part) => part.turn(&turn, message.clone()),
            };
            if let (Some(script), Some(step)) = (script.as_mut(), step) {
                script.turned(step, &outcome);
            }
            match outcome? {
                Outcome::Done(done) => return Ok(done),
                Outcome::Needs(ranges) => {
                    supplied.0.extend(ranges.into_iter().map(|range| (range.clone(), cell.read(&range))));
                }
            }
        }
        Err(Fault::new("turn", "it asked for rows again and again"))
    }

    /// What the fold of the rows comes to, to be compared.
    #[must_use]
    pub fn state(&self) -> Option<String> {
        match self {
            Self::Executor(Executor::Run(run)) => Some(format!("{:?}", run.state())),
            _ => None,
        }
    }
}
