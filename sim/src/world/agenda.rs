//! Everything that may happen next, in order of time.

use super::World;
use crate::app::request::Sent;
use crate::fault::Fault;
use crate::home::{file, kv, objects};
use crate::server::Asker;
use std::collections::BTreeMap;
use stepwell_engine::http::{Request, Response};
use stepwell_engine::turn::{Address, AppCall, CallOutcome};

/// The longest that anything takes to travel.
pub const TRAVEL_MS_MAX: u64 = 40;
/// The longest that it takes when it is late.
pub const LATE_MS_MAX: u64 = 30_000;

/// Something that happens.
#[derive(Debug)]
pub enum Thing {
    /// In the home of one file.
    File(file::Event),
    /// In the home of an object per actor.
    Objects(objects::Event),
    /// In the home of a document per actor.
    Kv(kv::Event),
    /// An alarm, by its number; none: it comes although nobody set it.
    Alarm(Address, Option<u64>),
    /// A call reaches the app.
    CallArrives(Address, Sent, Box<AppCall>),
    /// The app goes on with a request.
    AppGoesOn(u64),
    /// An answer, or the lack of one, reaches whoever called.
    Answered(Address, Sent, Box<CallOutcome>),
    /// A request reaches the server.
    Http(Asker, Box<Request>),
    /// A response, or the lack of one, reaches who asked.
    Heard(Asker, Option<Response>),
    /// A user does what comes next.
    User(usize),
}

/// The agenda.
#[derive(Default)]
pub struct Agenda {
    things: BTreeMap<(u64, u64), Thing>,
    last: u64,
}

impl Agenda {
    /// What comes next, and when.
    pub fn pop(&mut self) -> Option<(u64, Thing)> {
        self.things.pop_first().map(|((at, _), thing)| (at, thing))
    }
}

impl World {
    /// A number that was not used before.
    pub fn fresh(&mut self) -> u64 {
        self.agenda.last = self.agenda.last.saturating_add(1);
        self.agenda.last
    }

    /// Lets something happen after `ms`.
    pub fn after(&mut self, ms: u64, thing: Thing) {
        let number = self.fresh();
        self.agenda.things.insert((self.now.saturating_add(ms), number), thing);
    }

    /// Lets something happen once it has travelled.
    pub fn travels(&mut self, thing: Thing) {
        let ms = self.travel_ms();
        self.after(ms, thing);
    }

    /// How long it takes to travel.
    pub fn travel_ms(&mut self) -> u64 {
        let is_late = self.strikes(Fault::MessageLate);
        self.dice.below(if is_late { LATE_MS_MAX } else { TRAVEL_MS_MAX })
    }
}
