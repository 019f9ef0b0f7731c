//! The engine's part that is composed into a component.

use crate::bindings::stepwell::engine::{actors, http};
use crate::translate as to;
use stepwell_spin_home::engine::{Desk, Engine};
use stepwell_spin_home::types::{
    Address, Answer, Fault, Outcome, Progress, Range, RangeRows, Request, RequestLimits, Response, Settings, TurnInput,
};

/// A part that other parts talk to.
pub struct Inside;

/// The part that the world talks to: it has a front desk as well.
pub struct EventApi;

macro_rules! engine {
    ($part:ty) => {
        impl Engine for $part {
            type Actor = actors::Actor;

            fn configure(&self, settings: &Settings) {
                actors::configure(&to::settings(settings));
            }

            fn install(&self, version: u64, snapshot: &[u8]) -> Result<(), Fault> {
                actors::install_catalog(version, snapshot).map_err(to::fault)
            }

            fn preload(&self, address: &Address) -> Vec<Range> {
                actors::preload(&to::address_out(address)).into_iter().map(to::range).collect()
            }

            fn actor(&self, address: &Address, rows: Vec<RangeRows>) -> Self::Actor {
                let rows: Vec<_> = rows.into_iter().map(to::range_rows).collect();
                actors::Actor::new(&to::address_out(address), &rows)
            }

            fn turn(&self, actor: &Self::Actor, input: TurnInput) -> Result<Outcome, Fault> {
                actor.turn(&to::turn_input(input)).map(to::outcome).map_err(to::fault)
            }
        }
    };
}

engine!(Inside);
engine!(EventApi);

impl Desk for EventApi {
    type Exchange = http::Exchange;

    fn request_limits(&self) -> RequestLimits {
        let limits = http::request_limits();
        RequestLimits { body_bytes_max: limits.body_bytes_max, body_time_ms_max: limits.body_time_ms_max }
    }

    fn refuse(&self, code: &str) -> Response {
        to::response(http::refuse(code))
    }

    fn exchange(&self, now: u64, entropy: (u64, u64), catalog: u64, request: Request) -> http::Exchange {
        http::Exchange::new(now, entropy, catalog, &to::request(request))
    }

    fn start(&self, exchange: &http::Exchange) -> Progress {
        to::progress(exchange.start())
    }

    fn resume(&self, exchange: &http::Exchange, now: u64, answers: Vec<Answer>) -> Progress {
        let answers: Vec<_> = answers.into_iter().map(to::answer).collect();
        to::progress(exchange.resume(now, &answers))
    }
}
