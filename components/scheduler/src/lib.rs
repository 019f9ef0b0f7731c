//! The scheduler component: which runs start and when, the actors `waits` and `cron`.
#![cfg(target_family = "wasm")]
#![allow(unsafe_code, reason = "the generated exports are unsafe functions")]

use stepwell_engine::actor::Scheduler;
use stepwell_glue::House;

type SchedulerHouse = House<Scheduler>;

stepwell_glue::bindings::export_actors!(SchedulerHouse);
