//! The application under Spin, with each of its stores in turn, on the floor of the same minutes.

use crate::app::{self, App};
use crate::args::{Args, Phase};
use crate::bench::{self, Bench};
use crate::floor;
use crate::report::{Report, Row, Value};
use crate::scale::Scale;
use crate::server::{Program, Server};
use anyhow::Context as _;
use std::path::Path;

const PHASES: [Phase; 4] = [Phase::FirstCall, Phase::Steps, Phase::Throughput, Phase::Ingest];
/// How the stores are called in `spin.toml`, in headings, and in names of rows.
const STORES: [(&str, &str, &str); 2] = [
    ("key-value", "under Spin, state in key-value", "spin-kv"),
    ("sqlite", "under Spin, state in SQLite", "spin-sqlite"),
];
/// What is compared: the name of a row, and what it is.
const COMPARED: [(&str, &str); 5] = [
    ("first-call", "event to first call"),
    ("step", "overhead of a sequential step"),
    ("steps", "steps a second with 64 runs"),
    ("ingest-1", "events a second, one connection"),
    ("ingest-16", "events a second, sixteen connections"),
];

/// Measures and prints; there are no bars to hold.
///
/// # Errors
/// Something could not be measured.
pub async fn run(
    args: &Args,
    program: &Path,
    manifest: &Path,
    folder: &Path,
    scale: Scale,
    app: App,
    mut report: Report,
) -> anyhow::Result<bool> {
    let floor = floor::measure(&scale, folder, app.port, &mut report).await?;
    let (mut app, mut keys) = (app, 0);
    for (store, heading, prefix) in STORES {
        report.section(heading);
        report.without_bars(prefix);
        report.progress(&format!("the application with its state in {store}"));
        let folder = folder.join(store);
        std::fs::create_dir_all(&folder)?;
        let server = Server::start(Program::Spin { program, manifest, store }, &folder).await?;
        app.know_server(server.port);
        let mut connection = crate::client::Connection::open(server.port).await?;
        app::register(&mut connection, app.port).await?;
        let mut bench = Bench::new(scale, app, server, floor, report, keys);
        let measured = bench::measure(args, &mut bench, &PHASES).await;
        measured.with_context(|| format!("the log ends with:\n{}\n", Server::log(&folder)))?;
        (app, report, keys) = bench.into_parts();
    }
    compare(&mut report);
    bench::tell(args, &report)
}

/// How many times as much the one store is as the other.
fn compare(report: &mut Report) {
    report.section("key-value against SQLite");
    report.without_bars("spin-kv-by-sqlite");
    for (name, label) in COMPARED {
        let [of_key_value, of_sqlite] = STORES.map(|(_, _, prefix)| format!("{prefix}-{name}"));
        if let Some(times) = report.times(&of_key_value, &of_sqlite) {
            report.row(Row::new(name, label, Value::Times(times)));
        }
    }
}
