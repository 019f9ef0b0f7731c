//! A tick for each time of Spin's cron trigger: `POST /tick` of the server that the variable `server` names.
#![cfg(target_family = "wasm")]

mod bindings;
mod request;

use bindings::fermyon::spin::variables;
use bindings::{Error, Guest, Metadata};

struct Tick;

impl Guest for Tick {
    fn handle_cron_event(_metadata: Metadata) -> Result<(), Error> {
        tick().map_err(|why| Error::Other(format!("no tick: {why}")))
    }
}

fn tick() -> Result<(), String> {
    let (server, key) = (variable("server")?, variable("tick_key")?);
    match request::post(&format!("{}/tick", server.trim_end_matches('/')), &key)? {
        200 => Ok(()),
        status => Err(format!("{server} answers {status}")),
    }
}

fn variable(name: &str) -> Result<String, String> {
    variables::get(name).map_err(|error| format!("the variable {name} cannot be read: {error:?}"))
}
