//! Calls to others.

use anyhow::{Result, anyhow};
use http_body_util::BodyExt;

/// A GET; its status and body.
pub(crate) async fn call(url: &str) -> Result<String> {
    let response = spin_sdk::http::get(url).await.map_err(|fault| anyhow!("{fault:?}"))?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.map_err(|fault| anyhow!("{fault:?}"))?.to_bytes();
    Ok(format!("{status} {}", String::from_utf8_lossy(&body)))
}
