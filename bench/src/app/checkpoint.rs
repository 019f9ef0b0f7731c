//! Steps reported while the call runs, as the TypeScript SDK 4 does by default (PROTOCOL §7.12).

use super::call::Call;
use super::function::epoch_ns;
use super::ops;
use crate::client::{Connection, text};
use hyper::StatusCode;
use hyper::body::Bytes;
use std::time::{Duration, Instant};

/// Reports all steps that are not finished, one by one, and adds how long each report took to `times`.
///
/// # Errors
/// The server did not take one.
pub async fn report_all(call: &Call<'_>, server_port: u16, times: &mut Vec<Duration>) -> anyhow::Result<()> {
    let mut connection = Connection::open(server_port).await?;
    let path = format!("/v1/checkpoint/{}/async", call.ctx.run_id);
    for n in call.steps()..call.event.data.steps {
        let body = body(call, n)?;
        let began = Instant::now();
        let (status, answer) = connection.post(&path, &[], body).await?;
        times.push(began.elapsed());
        anyhow::ensure!(status == StatusCode::OK, "the server answered {status} to a checkpoint: {}", text(&answer));
    }
    Ok(())
}

fn body(call: &Call<'_>, n: usize) -> anyhow::Result<Bytes> {
    let now_ms = epoch_ns().div_euclid(1_000_000);
    let head = serde_json::json!({
        "run_id": call.ctx.run_id, "fn_id": call.ctx.fn_id, "qi_id": call.ctx.qi_id, "request_id": call.ctx.request_id,
        "generation_id": call.ctx.generation_id, "request_started_at": u64::try_from(now_ms)?, "ts": u64::try_from(now_ms)?,
    });
    let head = head.to_string();
    let open = head.strip_suffix('}').unwrap_or_default();
    Ok(format!(r#"{open},"steps":[{}]}}"#, ops::step_run_op(n)).into())
}
