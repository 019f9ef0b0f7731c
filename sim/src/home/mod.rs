//! Where actors live: storage, what is hot, and how messages travel. Two models of the homes.

mod cell;
pub mod file;
pub mod objects;

pub use cell::{Cell, Hot};

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use stepwell_engine::catalog::Catalog;
use stepwell_engine::turn::{Address, Message};

/// Which home is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One file with group commit: messages between actors share the transaction.
    File,
    /// One object per actor: messages travel, at least once; alarms too; calls outlive the object and carry a lease.
    Objects,
}

/// The home of all actors.
pub struct Home {
    /// Which.
    pub kind: Kind,
    /// The storage: all that survives.
    pub cells: BTreeMap<Address, Cell>,
    /// Actors in memory.
    pub hot: BTreeMap<Address, Hot>,
    /// The newest catalog.
    pub catalog: Arc<Catalog>,
    /// Counts the lives of the process (file).
    pub life: u64,
    /// Whether the process is there (file).
    pub is_up: bool,
    /// Messages that wait for a transaction (file).
    pub inbox: VecDeque<(Address, Message)>,
    /// Actors that the process must resume before they hear anything else (file).
    pub lost: BTreeSet<Address>,
    /// Calls that the process knows to be in flight (file).
    pub in_flight: BTreeSet<String>,
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
            life: 0,
            is_up: true,
            inbox: VecDeque::new(),
            lost: BTreeSet::new(),
            in_flight: BTreeSet::new(),
        }
    }
}
