//! Questions that have not been answered yet.

use crate::wit::{Answer, AskFailure};
use std::collections::HashMap;
use tokio::sync::oneshot;

/// Below this many open questions nobody looks for abandoned ones.
const SWEEP_ABOVE: usize = 1_024;

/// The askers, by the token that their question carries.
#[derive(Default)]
pub struct Asks {
    waiting: HashMap<u64, oneshot::Sender<Answer>>,
    last_token: u64,
    sweep_above: usize,
}

impl Asks {
    /// Remembers an asker; gives the token of its question.
    pub fn open(&mut self, asker: oneshot::Sender<Answer>) -> u64 {
        self.last_token = self.last_token.wrapping_add(1);
        self.waiting.insert(self.last_token, asker);
        if self.waiting.len() > self.sweep_above.max(SWEEP_ABOVE) {
            self.waiting.retain(|_, asker| !asker.is_closed());
            self.sweep_above = self.waiting.len().saturating_mul(2);
        }
        self.last_token
    }

    /// Answers a question. One that nobody waits for any more is let go.
    pub fn answer(&mut self, token: u64, answer: Answer) {
        if let Some(asker) = self.waiting.remove(&token) {
            drop(asker.send(answer));
        }
    }

    /// Answers a question with a failure of the server.
    pub fn fail(&mut self, token: u64, why: &str) {
        self.answer(token, Err(AskFailure::Fault(why.to_owned())));
    }
}
