//! Where actors live: storage, what is in memory, and how messages travel. Three models of the homes.

mod cell;
pub mod file;
pub mod kv;
pub mod objects;

pub use cell::{Cell, Hot};

use crate::invariant::{Invariant, Violation, require};
use crate::world::World;
use std::collections::BTreeMap;
use std::sync::Arc;
use stepwell_engine::catalog::Catalog;
use stepwell_engine::turn::{ActorKind, Address, Message};

/// Which home is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// One file with group commit: messages between actors share the transaction.
    File,
    /// One object per actor: messages travel, at least once; alarms too; calls outlive the object and carry a lease.
    Objects,
    /// One document per actor, swapped by whichever instance is at it; what is due is found by ticks.
    Kv,
}

impl Kind {
    /// All of them.
    pub const ALL: &[Self] = &[Self::File, Self::Objects, Self::Kv];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Objects => "objects",
            Self::Kv => "kv",
        }
    }
}

/// Whose memory an actor is in: that of the one process, of its object, or of one of many instances.
pub type Seat = u64;

/// The only seat of a home where each actor is in one place.
pub const ONLY_SEAT: Seat = 0;

/// The home of all actors.
pub struct Home {
    /// Which.
    pub kind: Kind,
    /// The storage: all that survives.
    pub cells: BTreeMap<Address, Cell>,
    /// Actors in memory.
    pub hot: BTreeMap<(Seat, Address), Hot>,
    /// The newest catalog.
    pub catalog: Arc<Catalog>,
    /// The number of each actor's alarm.
    pub alarms: BTreeMap<Address, u64>,
    /// What there is besides in a home of one file.
    pub file: file::Process,
    /// What there is besides in a home of objects.
    pub objects: objects::Memory,
    /// What there is besides in a home of documents.
    pub kv: kv::Instances,
}

impl Home {
    /// A home without actors.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            cells: BTreeMap::new(),
            hot: BTreeMap::new(),
            catalog: Arc::default(),
            alarms: BTreeMap::new(),
            file: file::Process::default(),
            objects: objects::Memory::default(),
            kv: kv::Instances::default(),
        }
    }

    /// What storage holds of the streams.
    pub fn streams(&self) -> impl Iterator<Item = &Cell> {
        self.of_kind(ActorKind::Stream)
    }

    /// What storage holds of the actors of a kind.
    pub fn of_kind(&self, kind: ActorKind) -> impl Iterator<Item = &Cell> {
        self.cells.iter().filter(move |(address, _)| address.kind == kind).map(|(_, cell)| cell)
    }

    /// Installs a catalog.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn install(&mut self, snapshot: &[u8]) -> Result<(), Violation> {
        let catalog = Catalog::decode(snapshot);
        let catalog = catalog.map_err(|fault| Violation { invariant: Invariant::NoFault, what: fault.to_string() })?;
        if catalog.version >= self.catalog.version {
            self.catalog = catalog.into();
        }
        Ok(())
    }
}

/// Hands a message of a request to an actor, in the manner of the home.
///
/// # Errors
/// A promise is broken.
pub fn ask(world: &mut World, to: Address, message: Message) {
    match world.home.kind {
        Kind::File => file::queue(world, to, message),
        Kind::Objects => objects::ask(world, to, message),
        Kind::Kv => kv::ask(world, to, message),
    }
}

/// Whether a request finds anybody.
#[must_use]
pub const fn is_up(world: &World) -> bool {
    !matches!(world.home.kind, Kind::File) || world.home.file.is_up
}

/// No actor owes anything for ever.
///
/// # Errors
/// One does.
pub fn owes_nothing(world: &World) -> Result<(), Violation> {
    for (address, cell) in &world.home.cells {
        let owes = cell.owing || cell.wake_at.is_some_and(|at| address.kind == ActorKind::Run && at > 0);
        require(!owes, Invariant::EverythingEnds, || format!("{address:?} owes something for ever"))?;
    }
    match world.home.kind {
        Kind::File => Ok(()),
        Kind::Objects => objects::owes_nothing(world),
        Kind::Kv => kv::owes_nothing(world),
    }
}

/// An address as homes spell it in their own records.
#[must_use]
pub fn spelt(address: &Address) -> String {
    let kind = match address.kind {
        ActorKind::Catalog => "catalog",
        ActorKind::Stream => "stream",
        ActorKind::History => "history",
        ActorKind::Gate => "gate",
        ActorKind::Waits => "waits",
        ActorKind::Cron => "cron",
        ActorKind::Run => "run",
    };
    format!("{kind}/{}", address.key)
}

/// Reads what [`spelt`] writes.
#[must_use]
pub fn read(text: &str) -> Option<Address> {
    let (kind, key) = text.split_once('/')?;
    let kind = match kind {
        "catalog" => ActorKind::Catalog,
        "stream" => ActorKind::Stream,
        "history" => ActorKind::History,
        "gate" => ActorKind::Gate,
        "waits" => ActorKind::Waits,
        "cron" => ActorKind::Cron,
        "run" => ActorKind::Run,
        _ => return None,
    };
    Some(Address::new(kind, key))
}
