//! Parts that do what a test says, in place of wasm.

use super::{Part, Parts, Trap, Turned};
use crate::wit::{Address, AppCall, CallKind, CatalogVersion, Done, Message, Outcome, Range, RangeRows, TurnInput};
use std::collections::HashMap;

/// What a scripted actor does with a message: an answer, or a trap.
pub type Script = Box<dyn FnMut(&Address, &[RangeRows], &TurnInput) -> Result<Turned, String>>;

/// Actors are numbers; their rows are kept as they were made of them.
pub struct Scripted {
    /// Decides.
    pub script: Script,
    /// Every turn: to whom, and what kind of message.
    pub turns: Vec<(String, &'static str)>,
    /// Actors by handle.
    pub made: HashMap<u64, (Part, Vec<RangeRows>)>,
    /// How many actors were ever made.
    pub makes: u64,
    /// The catalog version that is installed.
    pub catalog: u64,
}

impl Default for Scripted {
    fn default() -> Self {
        Self::new(|_, _, _| Ok(done(|_| {})))
    }
}

impl Scripted {
    /// Parts that decide by `script`.
    pub fn new(script: impl FnMut(&Address, &[RangeRows], &TurnInput) -> Result<Turned, String> + 'static) -> Self {
        Self { script: Box::new(script), turns: Vec::new(), made: HashMap::new(), makes: 0, catalog: 0 }
    }
}

/// A call that says no more than who is called.
pub fn call(id: &str, url: &str) -> AppCall {
    AppCall {
        id: id.to_owned(),
        kind: CallKind::App,
        method: "POST".to_owned(),
        url: url.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        time_ms_max: 1,
        answer_bytes_max: 1,
        redirects_max: 0,
    }
}

/// A finished turn.
pub fn done(fill: impl FnOnce(&mut Done)) -> Turned {
    let mut done = Done { writes: Vec::new(), effects: Vec::new(), wake_at: None, owing: false };
    fill(&mut done);
    Ok(Outcome::Done(done))
}

impl Parts for Scripted {
    type Actor = u64;

    fn preload(&mut self, _: &Address) -> Result<Vec<Range>, Trap> {
        Ok(vec![Range { start: String::new(), end: "\u{10ffff}".to_owned(), limit: u32::MAX, descending: false }])
    }

    fn make(&mut self, address: &Address, rows: &[RangeRows]) -> Result<u64, Trap> {
        self.makes += 1;
        self.made.insert(self.makes, (Part::of(address.kind), rows.to_vec()));
        Ok(self.makes)
    }

    fn turn(&mut self, address: &Address, actor: &u64, input: &TurnInput) -> Result<Turned, Trap> {
        let kind = match input.message {
            Message::Tell(_) => "tell",
            Message::Ask(_) => "ask",
            Message::Answered(_) => "answered",
            Message::Wake => "wake",
            Message::Resume => "resume",
            Message::Lost(_) => "lost",
        };
        self.turns.push((address.to_text(), kind));
        let part = Part::of(address.kind);
        let Some((_, rows)) = self.made.get(actor) else {
            return Err(Trap { part, cause: "this actor's instance is gone".to_owned() });
        };
        (self.script)(address, rows, input).map_err(|cause| {
            self.made.retain(|_, (of, _)| *of != part);
            Trap { part, cause }
        })
    }

    fn release(&mut self, _: &Address, actor: u64) {
        self.made.remove(&actor);
    }

    fn install(&mut self, catalog: &CatalogVersion) {
        self.catalog = catalog.version;
    }

    fn restart(&mut self) {
        self.made.clear();
    }
}
