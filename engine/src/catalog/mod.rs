//! Apps, their functions, and the versioned snapshot of both that every turn is given.

mod function;
mod snapshot;

pub use function::{Function, Trigger};
pub use snapshot::{App, Catalog};

use crate::actor::Actor;
use crate::error::Fault;
use crate::turn::{Message, Outcome, Range, Row, Turn};

/// The actor that owns the catalog.
pub struct CatalogActor;

impl Actor for CatalogActor {
    fn preload(_key: &str) -> Vec<Range> {
        vec![Range::all()]
    }

    fn load(_key: &str, _rows: &[(Range, Vec<Row>)]) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn turn(&mut self, _turn: &Turn<'_>, _message: Message) -> Result<Outcome, Fault> {
        Err(Fault::new("message", "unknown"))
    }
}
