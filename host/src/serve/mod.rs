//! A server, from its options to its end.

mod banner;
mod compiled;
mod house;
mod sync;

pub use compiled::compile;

use crate::config::{CatchUp, Kind, ServeOptions};
use crate::{discovery, server, shutdown};
use anyhow::Context as _;
use house::House;
use std::time::Instant;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

/// Threads that talk to sockets. Decisions have a thread of their own, and the common machine has two cores.
const IO_THREADS: usize = 2;

/// Runs a server until the process is told to stop. What its tasks are doing then (calls in flight) is left: it is owed
/// after the next start.
///
/// # Errors
/// Whatever keeps it from starting, or ended it: a sentence for the user.
pub fn until_told(options: ServeOptions) -> anyhow::Result<()> {
    let began = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(IO_THREADS)
        .thread_name("io")
        .enable_all()
        .build()?;
    let ended = runtime.block_on(async { tokio::spawn(run(options, began)).await })?;
    runtime.shutdown_background();
    ended
}

async fn run(options: ServeOptions, began: Instant) -> anyhow::Result<()> {
    let stop = shutdown::on_signal().context("cannot listen to signals")?;
    // Each call and each request is a file descriptor; the usual soft limit of 1,024 is for programs that use select().
    if let Err(cause) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::debug!(%cause, "the limit of open files stays as it is");
    }
    let listener = server::bind(&options.host, options.port, options.may_move_port).await?;
    let house = House::open(&options).await?;
    let (url, port) = url_of(&listener, &options.host)?;
    tracing::info!(url, started_in_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX), "ready");
    banner::show(&options, &url);

    let keeping = tokio::spawn(discovery::keep_synced(
        sync::options(&options, port),
        sync::through(house.gateway.clone(), options.signing_keys.first().cloned()),
    ));
    let (stop_serving, stopped) = watch::channel(false);
    let serving = tokio::spawn(server::serve(listener, house.gateway.clone(), stopped));
    let outcome = told(stop, &house.ended).await;

    keeping.abort();
    // Requests that wait for news are answered now.
    house.hub.close();
    let _ = stop_serving.send(true);
    drop(serving.await);
    house.partitions.stop();
    for thread in house.threads {
        let joined = tokio::task::spawn_blocking(move || thread.join()).await?;
        joined.map_err(|_| anyhow::anyhow!("a partition panicked"))?;
    }
    outcome
}

/// Waits for a signal, or for a partition to end of itself, which it must not.
async fn told(mut stop: watch::Receiver<bool>, ended: &Notify) -> anyhow::Result<()> {
    tokio::select! {
        _ = stop.wait_for(|stop| *stop) => Ok(()),
        () = ended.notified() => Err(anyhow::anyhow!("a partition ended; see the log. What was acknowledged is in its file")),
    }
}

/// The URL that a person on this machine would open, and its port.
fn url_of(listener: &TcpListener, host: &str) -> anyhow::Result<(String, u16)> {
    let address = listener.local_addr()?;
    let shown = if address.ip().is_unspecified() {
        "127.0.0.1".to_owned()
    } else if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    Ok((format!("http://{shown}:{}", address.port()), address.port()))
}

/// What the engine is told of the options.
fn settings(options: &ServeOptions) -> crate::wit::Settings {
    crate::wit::Settings {
        kind: match options.kind {
            Kind::Dev => crate::wit::ServerKind::Dev,
            Kind::Start => crate::wit::ServerKind::Cloud,
        },
        signing_keys: options.signing_keys.clone(),
        event_keys: options.event_keys.clone(),
        retry_interval_ms: options.retry_interval.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX)),
        wait_look_back_ms: options.wait_look_back.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX)),
        cron_catch_up: match options.cron_catch_up {
            CatchUp::None => crate::wit::CatchUp::None,
            CatchUp::Last => crate::wit::CatchUp::Last,
            CatchUp::All => crate::wit::CatchUp::All,
        },
        shards: options.partitions,
        private_addresses: options.private_addresses,
        backlog_max: options.backlog_max,
        // Bounded where calls are made: all of them are, in this process.
        calls_per_app_max: None,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}
