//! The event-api component: what an HTTP request means, and the actors `catalog`, `stream` and `history`.
#![cfg(target_family = "wasm")]
#![allow(unsafe_code, reason = "the generated exports are unsafe functions")]

mod bindings;
mod desk;

use desk::Desk;
use stepwell_engine::actor::EventApi;
use stepwell_glue::House;

type EventApiHouse = House<EventApi>;

stepwell_glue::bindings::export_actors!(EventApiHouse);
bindings::export_http!(Desk);
