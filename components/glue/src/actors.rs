//! The interface `actors`, for any part of the engine.

use crate::bindings::exports::stepwell::engine::actors as wit;
use crate::{instance, translate};
use std::cell::RefCell;
use std::marker::PhantomData;
use stepwell_engine::actor::Part;
use stepwell_engine::error::Fault;
use stepwell_engine::ids::Millis;
use stepwell_engine::turn::{Supplied, Turn};

/// A component that houses the actors of the part `P`.
pub struct House<P>(PhantomData<P>);

/// One actor; or, where its rows could not be read, the fault with which it answers every turn.
pub struct Housed<P>(RefCell<Result<P, Fault>>);

impl<P: Part + 'static> wit::Guest for House<P> {
    type Actor = Housed<P>;

    fn configure(settings: wit::Settings) {
        instance::configure(settings);
    }

    fn install_catalog(version: u64, snapshot: Vec<u8>) -> Result<(), wit::Fault> {
        instance::install_catalog(version, &snapshot).map_err(translate::fault)
    }

    fn preload(address: wit::Address) -> Vec<wit::Range> {
        P::preload(&translate::address_in(address)).into_iter().map(translate::range_out).collect()
    }
}

impl<P: Part + 'static> wit::GuestActor for Housed<P> {
    fn new(address: wit::Address, rows: Vec<wit::RangeRows>) -> Self {
        let rows: Vec<_> = rows.into_iter().map(translate::range_rows).collect();
        Self(RefCell::new(P::load(&translate::address_in(address), &rows)))
    }

    fn turn(&self, input: wit::TurnInput) -> Result<wit::Outcome, wit::Fault> {
        self.take_turn(input).map(translate::outcome).map_err(translate::fault)
    }
}

impl<P: Part> Housed<P> {
    fn take_turn(&self, input: wit::TurnInput) -> Result<stepwell_engine::turn::Outcome, Fault> {
        let known = instance::knowledge(input.catalog)?;
        let supplied = Supplied(input.supplied.into_iter().map(translate::range_rows).collect());
        let turn = Turn {
            now: Millis(input.now),
            entropy: translate::entropy(input.entropy),
            catalog: &known.catalog,
            settings: &known.settings,
            supplied: &supplied,
        };
        let mut actor = self.0.try_borrow_mut().map_err(|e| Fault::new("actor", e))?;
        match actor.as_mut() {
            Ok(part) => part.turn(&turn, translate::message(input.message)),
            Err(fault) => Err(fault.clone()),
        }
    }
}
