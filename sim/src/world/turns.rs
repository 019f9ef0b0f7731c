//! An actor decides, and what it decided becomes durable. Both are looked at.

use super::World;
use crate::home::{Cell, Hot, ONLY_SEAT, Seat};
use crate::invariant::{Invariant, Violation, require, shadow};
use crate::story;
use crate::trace::Tone;
use stepwell_engine::ids::{Entropy, Millis};
use stepwell_engine::turn::{ActorKind, Address, Done, Message, Supplied, Turn};

/// How many times its rows an actor may hold in memory, written out ...
const MEMORY_PER_ROWS_MAX: usize = 4;
/// ... besides so much.
const MEMORY_BYTES_LEAST: usize = 8 << 10;

impl World {
    /// A turn of the actor at `to`, whose rows are `cell`, in the memory of `seat`.
    ///
    /// # Errors
    /// The engine failed, which it must not, or it decided what it must not.
    pub fn turn(&mut self, seat: Seat, to: &Address, message: &Message, cell: &Cell) -> Result<Done, Violation> {
        let fault = |what: String| Violation { invariant: Invariant::NoFault, what };
        let key = (seat, to.clone());
        let mut hot = match self.home.hot.remove(&key) {
            Some(hot) => hot,
            None => {
                let rows = Hot::rows(to, cell);
                self.script.loaded(seat, to, &rows);
                Hot::load(to, &rows).map_err(|e| fault(format!("{to:?} cannot be made: {e}")))?
            }
        };
        self.turns = self.turns.saturating_add(1);
        self.trace.say(
            self.now.saturating_sub(super::BEGIN_MS),
            Tone::Turn,
            format_args!("{}", story::told(to, message)),
        );
        let clock = self.clock();
        let now = self.sabotage.as_ref().map_or(clock, |sabotage| sabotage.now(clock, message));
        let catalog = self.home.catalog.clone();
        self.script.decides_by(&catalog);
        let turn = Turn {
            now: Millis(now),
            entropy: Entropy(self.dice.entropy()),
            catalog: &catalog,
            settings: &self.settings,
            supplied: &Supplied::default(),
        };
        let done = hot.turn((seat, to), &turn, message, cell, Some(&mut self.script));
        let mut done = done.map_err(|e| fault(format!("{to:?}: {e}")))?;
        if self.watch.samples() {
            let recovered =
                self.sabotage.as_ref().map_or_else(|| cell.clone(), |sabotage| sabotage.recovered(to, cell));
            shadow::decides_the_same(&turn, to, message, &recovered, &done, self.watch.has_clock_stepped())?;
        }
        let is_kept = match &mut self.sabotage {
            Some(sabotage) => sabotage.corrupt(to, message, cell, clock, &mut done),
            None => true,
        };
        self.watch.turned(seat, to, message, &done, clock)?;
        if is_kept {
            self.home.hot.insert(key, hot);
        }
        Ok(done)
    }

    /// Makes the rows of an actor durable.
    ///
    /// # Errors
    /// A promise is broken.
    pub fn commit(&mut self, seat: Seat, address: &Address, cell: Cell) -> Result<(), Violation> {
        let before = self.home.cells.get(address);
        if address.kind == ActorKind::Run {
            let fresh: Vec<(&String, &[u8])> = cell
                .rows
                .iter()
                .filter(|(key, value)| before.and_then(|cell| cell.rows.get(*key)).is_none_or(|held| held != *value))
                .map(|(key, value)| (key, &**value))
                .collect();
            for (key, value) in fresh {
                let line = self.watch.row((seat, address), key, value, &self.app.returned)?;
                self.trace.say(self.now.saturating_sub(super::BEGIN_MS), Tone::Turn, format_args!("    {line}"));
            }
        }
        if address.kind == ActorKind::Cron
            && let Some(row) = cell.rows.values().next()
        {
            let clock = self.clock();
            self.watch.is_planned(&address.key, row, clock);
        }
        if address.kind == ActorKind::Gate {
            let before = before.map(|cell| cell.rows.clone()).unwrap_or_default();
            self.watch.gate(address, &before, &cell)?;
        }
        self.watch.rows_are_bounded(address, &cell)?;
        if let Some(hot) = self.home.hot.get(&(seat, address.clone()))
            && self.watch.samples()
        {
            let fold = Hot::load(address, &Hot::rows(address, &cell));
            let fold = fold.map_err(|e| Violation { invariant: Invariant::NoFault, what: e.to_string() })?;
            let (held, folded) = (hot.state(), fold.state());
            require(held == folded, Invariant::StateIsTheFold, || {
                format!("{address:?} is {held:?}, but its rows say {folded:?}")
            })?;
            let bytes = held.map_or(0, |state| state.len());
            let stored: usize = cell.rows.values().map(|row| row.len()).sum();
            let most = stored.saturating_mul(MEMORY_PER_ROWS_MAX).saturating_add(MEMORY_BYTES_LEAST);
            require(bytes <= most, Invariant::WithinBounds, || {
                format!("{address:?} holds {bytes} bytes in memory of the {stored} in its rows")
            })?;
            if address.kind == ActorKind::Run {
                self.owed_is_derivable(address, fold, &cell)?;
            }
        }
        self.home.cells.insert(address.clone(), cell);
        Ok(())
    }

    /// What is under way now would be owed again, were everything lost but the rows (law 3).
    fn owed_is_derivable(&mut self, address: &Address, mut fold: Hot, cell: &Cell) -> Result<(), Violation> {
        let turn = Turn {
            now: Millis(self.clock()),
            entropy: Entropy(0),
            catalog: &self.home.catalog.clone(),
            settings: &self.settings,
            supplied: &Supplied::default(),
        };
        let resumed = fold.turn((ONLY_SEAT, address), &turn, &Message::Resume, cell, None);
        let mut resumed = resumed.map_err(|e| Violation { invariant: Invariant::NoFault, what: e.to_string() })?;
        if let Some(sabotage) = &self.sabotage {
            sabotage.corrupt_resumed(&mut resumed);
        }
        let under_way = self.calls.units_of(&address.key);
        self.watch.owed_again(&address.key, under_way, &resumed)
    }
}
