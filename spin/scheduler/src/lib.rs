//! The scheduler under Spin.
#![cfg(target_family = "wasm")]
#![allow(unsafe_code, reason = "the generated exports are unsafe functions")]

use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    stepwell_spin_shell::scheduler(request).await
}
