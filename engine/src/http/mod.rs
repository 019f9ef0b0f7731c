//! HTTP requests to the server: what they mean, whom they ask, what is answered.
//!
//! A request is an [`Exchange`], the mirror of wit/http.wit: `start` it once, then `resume` it until it responds.
//!
//! ```text
//! route -> method -> key -> open the endpoint -> (ask -> resume)* -> respond
//! ```
//!
//! Each file is one family of endpoints, in the same inner order: how each endpoint opens (parameters, then the body, then
//! what it asks), then how it goes on, then the shapes it answers with.

mod accept;
mod answer;
mod apps;
mod cancellations;
mod checkpoint;
mod crons;
mod endpoint;
mod events;
mod functions;
mod home;
mod key;
mod page;
mod request;
mod response;
mod route;
mod run_state;
mod runs;
mod signals;
mod sync;
mod watch;

pub(crate) use accept::{Members, merged_sessions, readable};
pub use answer::{AskFailure, Progress, Question};
pub use request::{Request, RequestLimits, request_limits};
pub use response::{Response, refuse};

use crate::catalog::Catalog;
use crate::error::{Code, Refusal};
use crate::ids::{Entropy, Millis};
use crate::turn::Settings;
use endpoint::{Endpoint, Opening, Respond};
use response::Manner;

/// One request on its way to a response. Keeps nothing of the catalog but what it needs.
pub struct Exchange {
    cloud: bool,
    manner: Manner,
    endpoint: Box<dyn Endpoint>,
}

impl Exchange {
    /// Reads the request and decides what it asks. Never fails: a bad request starts with its refusal.
    #[must_use]
    pub fn new(now: Millis, entropy: Entropy, catalog: &Catalog, settings: &Settings, request: Request) -> Self {
        let opening = Opening { now, entropy, catalog, settings, request: &request };
        let (manner, opened) = route::open(&opening);
        let endpoint = opened.unwrap_or_else(|refusal| Box::new(Respond(Response::refusal(manner, &refusal))));
        Self { cloud: settings.cloud, manner, endpoint }
    }

    /// What comes first: once, before any [`Exchange::resume`].
    pub fn start(&mut self) -> Progress {
        let progress = self.endpoint.start();
        self.told(progress)
    }

    /// What comes next: with one answer per question after [`Progress::Ask`], with none after [`Progress::Watch`].
    pub fn resume(&mut self, now: Millis, answers: Vec<Result<Vec<u8>, AskFailure>>) -> Progress {
        let answers = answers.into_iter().map(answer::decode).collect();
        let progress = self.endpoint.resume(now, answers);
        self.told(progress)
    }

    fn told(&self, progress: Result<Progress, Refusal>) -> Progress {
        match progress {
            Ok(Progress::Respond(response)) => Progress::Respond(response.from_kind(self.cloud)),
            Ok(progress) => progress,
            Err(refusal) => Progress::Respond(Response::refusal(self.manner, &refusal).from_kind(self.cloud)),
        }
    }
}

/// A shell that resumes with other answers than were asked for.
fn out_of_step() -> Refusal {
    Refusal::new(
        Code::EngineFault,
        "the server lost track of this request; nothing is known to have changed, try again",
    )
}

#[cfg(test)]
mod tests;
