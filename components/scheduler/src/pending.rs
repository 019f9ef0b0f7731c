//! Stands in for `stepwell_engine::actor::Scheduler` until it is there: no actor loads.

use stepwell_engine::actor::Part;
use stepwell_engine::error::Fault;
use stepwell_engine::turn::{Address, Message, Outcome, Range, Row, Turn};

pub(crate) struct Scheduler;

impl Part for Scheduler {
    fn preload(_: &Address) -> Vec<Range> {
        Vec::new()
    }

    fn load(address: &Address, _: &[(Range, Vec<Row>)]) -> Result<Self, Fault> {
        Err(Fault::new("address", format!("{:?} does not live in this part", address.kind)))
    }

    fn turn(&mut self, _: &Turn<'_>, _: Message) -> Result<Outcome, Fault> {
        Err(Fault::new("message", "unknown"))
    }
}
