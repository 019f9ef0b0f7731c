//! The worlds of `wit/` as Rust types: the host's whole vocabulary for what the engine says and is told.

/// The `actors` interface. All three worlds export it, and the executor's exports nothing else, so its bindings serve
/// every part.
#[allow(clippy::all, clippy::pedantic, clippy::restriction, unreachable_pub, missing_docs, dead_code)]
mod actors {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "executor",
        additional_derives: [PartialEq, Eq, Hash],
    });
}

/// The `http` interface besides, with the same types.
#[allow(clippy::all, clippy::pedantic, clippy::restriction, unreachable_pub, missing_docs, dead_code)]
mod requests {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "event-api",
        with: { "stepwell:engine/types@0.1.0": crate::wit::actors::stepwell::engine::types },
        additional_derives: [PartialEq, Eq, Hash],
    });
}

pub use actors::Executor as ActorsWorld;
#[cfg(test)]
pub use actors::exports::stepwell::engine::actors::Send;
pub use actors::exports::stepwell::engine::actors::{
    CatalogVersion, Done, Effect, Fault, Message, Outcome, Publish, Reply, TurnInput,
};
pub use actors::stepwell::engine::types::{
    ActorKind, Address, AppAnswer, AppCall, CallFailure, CallKind, CallOutcome, CatchUp, Range, RangeRows, Row,
    ServerKind, Settings, Write,
};
pub use requests::EventApi as RequestsWorld;
pub use requests::exports::stepwell::engine::http::{
    Answer, AskFailure, Limits, Progress, Question, Request, Response,
};

/// Where the catalog lives; there is one.
#[must_use]
pub fn catalog_address() -> Address {
    Address { kind: ActorKind::Catalog, key: "0".to_owned() }
}

const KINDS: &[(ActorKind, &str)] = &[
    (ActorKind::Catalog, "catalog"),
    (ActorKind::Stream, "stream"),
    (ActorKind::History, "history"),
    (ActorKind::Gate, "gate"),
    (ActorKind::Waits, "waits"),
    (ActorKind::Cron, "cron"),
    (ActorKind::Run, "run"),
];

impl Address {
    /// The address as it stands in the file: `run/01J…`.
    #[must_use]
    pub fn to_text(&self) -> String {
        let kind = KINDS.iter().find(|(kind, _)| *kind == self.kind).map_or("", |(_, name)| name);
        format!("{kind}/{}", self.key)
    }

    /// Reads what [`Address::to_text`] wrote.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let (name, key) = text.split_once('/')?;
        let (kind, _) = KINDS.iter().find(|(_, known)| *known == name)?;
        Some(Self { kind: *kind, key: key.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_address_reads_back_as_it_was_written() {
        for (kind, _) in KINDS {
            let address = Address { kind: *kind, key: "a/b".to_owned() };
            assert_eq!(Address::from_text(&address.to_text()), Some(address));
        }
        assert_eq!(Address::from_text("run"), None);
        assert_eq!(Address::from_text("nobody/1"), None);
    }
}
