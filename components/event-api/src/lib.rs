//! The event-api component: what an HTTP request means, and the actors `catalog`, `stream` and `history`.
#![cfg(target_family = "wasm")]
#![allow(unsafe_code, reason = "the generated exports are unsafe functions")]

use stepwell_engine::actor::EventApi;
use stepwell_glue::{Desk, House};

type EventApiHouse = House<EventApi>;

stepwell_glue::bindings::actors::export_actors!(EventApiHouse);
stepwell_glue::bindings::http::export_http!(Desk);
