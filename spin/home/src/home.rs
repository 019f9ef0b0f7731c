//! One instance of a part: what it holds in memory, all of which may vanish at any moment.

use crate::document::{Documents, OpenError};
use crate::due::Due;
use crate::engine::Engine;
use crate::limits::{BUSY_MS, CLAIM_MS, HOT_MAX};
use crate::outside::Outside;
use crate::setup::Setup;
use crate::store::Store;
use crate::types::{Fault, Part};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// One instance of a part.
pub struct Home<S, E: Engine, O> {
    pub(crate) documents: Rc<Documents<S, O>>,
    pub(crate) due: Due<S, O>,
    pub(crate) engine: E,
    pub(crate) outside: Rc<O>,
    pub(crate) part: Part,
    pub(crate) setup: Setup,
    pub(crate) catalog: RefCell<Known>,
    pub(crate) hot: RefCell<Vec<Hot<E::Actor>>>,
    /// Actors that are at a message here: another one would only be beaten by it.
    busy: RefCell<BTreeSet<String>>,
    /// Letters that their receivers have taken in, by their sender; no document says so yet.
    pub(crate) confirmed: RefCell<BTreeMap<String, BTreeSet<u64>>>,
    /// Questions that calls will answer.
    pub(crate) asked: RefCell<Vec<Asked>>,
    /// Answers to them.
    pub(crate) replies: RefCell<BTreeMap<u64, Vec<u8>>>,
    /// When a request last looked in passing.
    pub(crate) looked_at: Cell<u64>,
    /// Until when somebody sleeps here; 0: nobody does.
    pub(crate) sleeps_until: Cell<u64>,
    /// The last of the near alarms that were set here.
    pub(crate) sleeps_for: Cell<u64>,
    /// Names this instance among those that want to be the one that sleeps.
    pub(crate) number: u64,
}

/// The catalog that this instance knows.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) version: u64,
    pub(crate) snapshot: Rc<Vec<u8>>,
    /// Which one the engine has.
    pub(crate) installed: u64,
    /// Whether it was ever looked for.
    pub(crate) is_asked: bool,
}

/// An actor in memory, and the state of its document that it was made of.
pub(crate) struct Hot<A> {
    pub(crate) name: String,
    pub(crate) token: u64,
    pub(crate) actor: A,
}

/// A question that an actor answers once a call is: what was said then, for an actor that is made anew.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) name: String,
    pub(crate) token: u64,
    pub(crate) body: Vec<u8>,
    pub(crate) now: u64,
    pub(crate) entropy: (u64, u64),
}

/// Why a message was not taken in.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Failure {
    /// The engine or the ledger refuses it.
    #[error("{}: {}", .0.code, .0.message)]
    Refused(Fault),
    /// The document cannot be read or written.
    #[error(transparent)]
    Document(#[from] OpenError),
    /// Others were faster again and again.
    #[error("others wrote to the actor again and again")]
    Beaten,
    /// There is no such actor.
    #[error("{0} is no actor of this part")]
    Unknown(String),
}

impl Failure {
    /// `overloaded` where waiting helps; `engine_fault` where it does not.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Refused(fault) => &fault.code,
            Self::Beaten | Self::Document(OpenError::Store(_) | OpenError::Gone) => "overloaded",
            Self::Document(OpenError::Damaged(_)) | Self::Unknown(_) => "engine_fault",
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Refused(fault)
    }
}

impl<S: Store, E: Engine, O: Outside> Home<S, E, O> {
    /// An instance that knows nothing yet.
    pub fn new(part: Part, setup: Setup, store: S, engine: E, outside: O) -> Self {
        let outside = Rc::new(outside);
        engine.configure(&setup.settings);
        let claim_ms = setup.policy.guard_ms.unwrap_or(CLAIM_MS);
        let documents = Rc::new(Documents::new(store, outside.clone()));
        Self {
            due: Due::new(documents.clone(), outside.clone(), part, claim_ms),
            busy: RefCell::default(),
            documents,
            engine,
            number: outside.draw(),
            outside,
            part,
            setup,
            catalog: RefCell::default(),
            hot: RefCell::default(),
            confirmed: RefCell::default(),
            asked: RefCell::default(),
            replies: RefCell::default(),
            looked_at: Cell::new(0),
            sleeps_until: Cell::new(0),
            sleeps_for: Cell::new(0),
        }
    }

    /// Finds out what the store can do.
    ///
    /// # Errors
    /// Why it cannot be used, for people.
    pub async fn begin(&self) -> Result<(), String> {
        let atomics = crate::probe::probe(self.documents.store(), self.outside.draw()).await?;
        if atomics == crate::probe::Atomics::Unheard {
            self.documents.doubt();
        }
        Ok(())
    }

    /// Whether the world asks here, rather than other parts.
    pub const fn is_public(&self) -> bool {
        self.setup.is_public
    }

    /// Waits until this instance is at no other message of an actor; until what is given is dropped, it is at this one.
    pub(crate) async fn alone(self: &Rc<Self>, name: &str) -> Alone<S, E, O> {
        while !self.busy.borrow_mut().insert(name.to_owned()) {
            self.outside.sleep(BUSY_MS).await;
        }
        Alone { home: self.clone(), name: name.to_owned() }
    }

    /// The actor in memory, if it is of this state; nobody else has it then.
    pub(crate) fn take_hot(&self, name: &str, token: u64) -> Option<E::Actor> {
        let mut hot = self.hot.borrow_mut();
        let place = hot.iter().position(|hot| hot.name == name)?;
        let held = hot.remove(place);
        (held.token == token).then_some(held.actor)
    }

    /// Keeps an actor in memory, in the place of the one that was used longest ago.
    pub(crate) fn keep_hot(&self, name: &str, token: u64, actor: E::Actor) {
        let mut hot = self.hot.borrow_mut();
        hot.retain(|hot| hot.name != name);
        if hot.len() >= HOT_MAX {
            hot.remove(0);
        }
        hot.push(Hot { name: name.to_owned(), token, actor });
    }

    pub(crate) fn log(&self, message: &str, actor: &str, cause: impl std::fmt::Display) {
        let line = serde_json::json!({
            "level": "warn", "part": self.part.as_str(), "message": message, "actor": actor, "cause": cause.to_string(),
        });
        self.outside.log(&line.to_string());
    }
}

/// This instance is at a message of an actor.
pub(crate) struct Alone<S, E: Engine, O> {
    home: Rc<Home<S, E, O>>,
    name: String,
}

impl<S, E: Engine, O> Drop for Alone<S, E, O> {
    fn drop(&mut self) {
        self.home.busy.borrow_mut().remove(&self.name);
    }
}
