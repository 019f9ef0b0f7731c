//! The server under measurement.

use crate::app::{APP, FUNCTIONS, Function};
use crate::client::Client;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const START_TIME_MAX: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_micros(500);

/// A running `stepwell dev`; killed and waited for on drop.
pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
    client: Client,
    /// From the start of the process to its first healthy answer.
    pub(crate) started_in: Duration,
}

impl Server {
    /// Starts a server that keeps its data in `folder`, and waits until it is healthy.
    pub(crate) async fn start(binary: &Path, folder: &Path, cache: &Path) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let url = format!("http://127.0.0.1:{port}");
        let mut command = Command::new(binary);
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy();
            if name_text.starts_with("INNGEST_") || name_text.starts_with("STEPWELL_") {
                command.env_remove(&name);
            }
        }
        command.args(["dev", "--no-discovery", "--no-poll", "--log-level", "warn", "--port", &port.to_string()]);
        command.arg("--data-dir").arg(folder).env("STEPWELL_CACHE_DIR", cache).current_dir(cache);
        let log = std::fs::File::options().create(true).append(true).open(cache.join("server.log"))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let start = Instant::now();
        let process = command.spawn().with_context(|| format!("cannot start {}", binary.display()))?;
        let mut server = Self { process, url, client: Client::default(), started_in: Duration::ZERO };
        while server.client.get(&server.at("/health")).await.is_err() {
            ensure!(
                server.process.try_wait()?.is_none(),
                "the server ended: see {}",
                cache.join("server.log").display()
            );
            ensure!(start.elapsed() < START_TIME_MAX, "the server did not become healthy");
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        server.started_in = start.elapsed();
        Ok(server)
    }

    /// Registers the bench's functions, as an SDK would (PROTOCOL §1.4).
    pub(crate) async fn register(&self, app_url: &str) -> Result<()> {
        let body = json!({
            "url": app_url, "deployType": "ping", "framework": "raw", "appName": APP, "sdk": "js:v4.24.0", "v": "0.1",
            "functions": FUNCTIONS.map(|function| config(function, app_url)),
        });
        self.client.post(&self.at("/fn/register"), body.to_string()).await.map(drop).context("registration")
    }

    /// Sends one event, or an array of them; gives their ids.
    pub(crate) async fn send(&self, events: &Value) -> Result<()> {
        self.client.post(&self.at("/e/bench"), events.to_string()).await.map(drop)
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        Ok(serde_json::from_slice(&self.client.get(&self.at(path)).await?)?)
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// PROTOCOL §1.5.
fn config(function: Function, app_url: &str) -> Value {
    let id = function.slug();
    json!({
        "id": id, "name": id, "triggers": [{ "event": function.event() }],
        "steps": { "step": { "id": "step", "name": "step", "retries": { "attempts": 0 },
            "runtime": { "type": "http", "url": format!("{app_url}?fnId={id}&stepId=step") } } },
    })
}
