//! The app makes itself known (PROTOCOL §§1.4-1.5).

use super::function::Function;
use super::path;
use crate::client::{Connection, text};
use hyper::StatusCode;
use serde_json::{Value, json};

/// Registers the app at `app_port` with the server at the other end of `server`.
///
/// # Errors
/// The server refused.
pub async fn register(server: &mut Connection, app_port: u16) -> anyhow::Result<()> {
    let body = body(app_port).to_string();
    let headers = [("x-inngest-sync-kind", "out_of_band"), ("x-inngest-req-version", "2")];
    let (status, answer) = server.post("/fn/register", &headers, body.into()).await?;
    anyhow::ensure!(status == StatusCode::OK, "the server answered {status} to the registration: {}", text(&answer));
    Ok(())
}

fn body(app_port: u16) -> Value {
    let functions: Vec<Value> = Function::REGISTERED.iter().map(|(_, name)| function(name, app_port)).collect();
    json!({
        "url": format!("http://127.0.0.1:{app_port}/api/inngest"), "deployType": "ping", "framework": "bench",
        "appName": "bench", "functions": functions, "sdk": "bench:v0.0.1", "v": "0.1",
        "capabilities": {"trust_probe": "v1", "connect": "v1"},
    })
}

fn function(name: &str, app_port: u16) -> Value {
    json!({
        "id": format!("bench-{name}"), "name": name, "triggers": [{"event": format!("bench/{name}")}],
        "steps": {"step": {
            "id": "step", "name": "step",
            "runtime": {"type": "http", "url": format!("http://127.0.0.1:{app_port}{}", path(name))},
            "retries": {"attempts": 4},
        }},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_function_has_a_trigger_and_an_url_that_names_it() {
        let body = body(4_000);
        let first = &body["functions"][0];
        assert_eq!(first["triggers"][0]["event"], "bench/steps");
        assert_eq!(
            first["steps"]["step"]["runtime"]["url"],
            "http://127.0.0.1:4000/api/inngest?fnId=bench-steps&stepId=step"
        );
        assert_eq!(body["functions"].as_array().unwrap().len(), Function::REGISTERED.len());
    }
}
