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
    tell(server, &body(app_port)).await
}

/// Registers another app of so many functions, each of which starts every minute; of none to have them stop.
///
/// # Errors
/// The server refused.
pub async fn register_scheduled(server: &mut Connection, app_port: u16, count: usize) -> anyhow::Result<()> {
    let functions: Vec<Value> =
        (0..count).map(|n| function(&format!("scheduled-{n}"), &json!({"cron": "* * * * *"}), app_port)).collect();
    tell(server, &app("by-the-clock", "?by-the-clock", &functions, app_port)).await
}

async fn tell(server: &mut Connection, body: &Value) -> anyhow::Result<()> {
    let body = body.to_string();
    let headers = [("x-inngest-sync-kind", "out_of_band"), ("x-inngest-req-version", "2")];
    let (status, answer) = server.post("/fn/register", &headers, body.into()).await?;
    anyhow::ensure!(status == StatusCode::OK, "the server answered {status} to the registration: {}", text(&answer));
    Ok(())
}

fn body(app_port: u16) -> Value {
    let event = |name: &str| json!({"event": format!("bench/{name}")});
    let limited = |(_, name, limit): &(_, &str, Option<&str>)| {
        let mut function = function(name, &event(name), app_port);
        if let (Some(limit), Some(members)) = (limit, function.as_object_mut()) {
            members.insert("concurrency".to_owned(), serde_json::from_str(limit).unwrap_or_default());
        }
        function
    };
    app("bench", "", &Function::REGISTERED.iter().map(limited).collect::<Vec<_>>(), app_port)
}

/// `query` makes the URL another one: an app is known by its URL.
fn app(name: &str, query: &str, functions: &[Value], app_port: u16) -> Value {
    json!({
        "url": format!("http://127.0.0.1:{app_port}/api/inngest{query}"), "deployType": "ping", "framework": "bench",
        "appName": name, "functions": functions, "sdk": "bench:v0.0.1", "v": "0.1",
        "capabilities": {"trust_probe": "v1", "connect": "v1"},
    })
}

fn function(name: &str, trigger: &Value, app_port: u16) -> Value {
    json!({
        "id": format!("bench-{name}"), "name": name, "triggers": [trigger],
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
