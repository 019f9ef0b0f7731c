//! What every actor is, and the three parts that house them.

use crate::error::Fault;
use crate::turn::{ActorKind, Address, Message, Outcome, Range, Row, Turn};

/// A pure function of its rows and a message, with the fold of its rows kept hot between turns.
pub trait Actor: Sized {
    /// The ranges that a shell reads before it makes the actor.
    fn preload(key: &str) -> Vec<Range>;

    /// Makes the actor from the rows of [`Actor::preload`], in the same order.
    ///
    /// # Errors
    /// Rows that were not written by this actor.
    fn load(key: &str, rows: &[(Range, Vec<Row>)]) -> Result<Self, Fault>;

    /// Decides. Called again with more rows after [`Outcome::Needs`], which must leave the actor as it was.
    ///
    /// # Errors
    /// A message that no actor sends; the actor is as it was.
    fn turn(&mut self, turn: &Turn<'_>, message: Message) -> Result<Outcome, Fault>;
}

/// Declares a part: the enum of the actors that one component houses.
macro_rules! part {
    ($(#[$doc:meta])* $name:ident { $($kind:ident($actor:ty),)* }) => {
        $(#[$doc])*
        pub enum $name {
            $(#[doc = concat!("An actor of the kind `", stringify!($kind), "`.")] $kind($actor),)*
        }

        impl Part for $name {
            fn preload(address: &Address) -> Vec<Range> {
                match address.kind {
                    $(ActorKind::$kind => <$actor>::preload(&address.key),)*
                    _ => Vec::new(),
                }
            }

            fn load(address: &Address, rows: &[(Range, Vec<Row>)]) -> Result<Self, Fault> {
                match address.kind {
                    $(ActorKind::$kind => <$actor>::load(&address.key, rows).map(Self::$kind),)*
                    other => Err(Fault::new("address", format!("{other:?} does not live in this part"))),
                }
            }

            fn turn(&mut self, turn: &Turn<'_>, message: Message) -> Result<Outcome, Fault> {
                match self { $(Self::$kind(actor) => actor.turn(turn, message),)* }
            }
        }
    };
}

/// The actors of one component.
pub trait Part: Sized {
    /// As [`Actor::preload`].
    fn preload(address: &Address) -> Vec<Range>;

    /// As [`Actor::load`].
    ///
    /// # Errors
    /// As [`Actor::load`]; also an actor that does not live in this part.
    fn load(address: &Address, rows: &[(Range, Vec<Row>)]) -> Result<Self, Fault>;

    /// As [`Actor::turn`].
    ///
    /// # Errors
    /// As [`Actor::turn`].
    fn turn(&mut self, turn: &Turn<'_>, message: Message) -> Result<Outcome, Fault>;
}

part! {
    /// What an HTTP request means: events in, app sync, REST.
    EventApi { Catalog(crate::catalog::CatalogActor), Stream(crate::stream::Stream), History(crate::history::History), }
}

part! {
    /// What happens in a run.
    Executor { Run(crate::run::Run), }
}

part! {
    /// Which runs start and go on when: flow control, schedules, waits for events.
    Scheduler { Gate(crate::gate::Gate), Waits(crate::waits::Waits), Cron(crate::cron::Cron), }
}
