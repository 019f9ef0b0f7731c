//! The executor component: what happens in a run, the actor `run`.
#![cfg(target_family = "wasm")]
#![allow(unsafe_code, reason = "the generated exports are unsafe functions")]

use stepwell_engine::actor::Executor;
use stepwell_glue::House;

type ExecutorHouse = House<Executor>;

stepwell_glue::bindings::export_actors!(ExecutorHouse);
