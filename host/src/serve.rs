//! A server, from its configuration to its end.

use crate::calls::Calls;
use crate::catalog_cell::CatalogCell;
use crate::config::{Config, Data};
use crate::discovery::Discovery;
use crate::hub::Hub;
use crate::partition::{Inbox, Item, Partitions, Turns, TurnsConfig};
use crate::parts::{Code, WasmParts, code};
use crate::server::{self, Gateway, Pool};
use crate::store::Store;
use crate::wit::ServerKind;
use crate::world::World;
use crate::{limits, shutdown};
use anyhow::Context as _;
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};

/// Runs a server until the process is told to stop. `ready` is told its URL once it answers.
///
/// # Errors
/// Whatever keeps it from starting, or ended it: a sentence for the user.
pub async fn run(config: Config, ready: impl FnOnce(&str)) -> anyhow::Result<()> {
    let began = Instant::now();
    let stop = shutdown::on_signal().context("cannot listen to signals")?;
    // Each call and each request is a file descriptor; the usual soft limit of 1,024 is for programs that use select().
    if let Err(cause) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::debug!(%cause, "the limit of open files stays as it is");
    }
    let may_move = config.kind == ServerKind::Dev;
    let listener = server::bind(&config.host, config.port, may_move).await?;
    let house = House::open(&config).await?;
    let url = url_of(&listener, &config.host)?;
    tracing::info!(url, started_in_ms = began.elapsed().as_millis(), "stepwell is ready");
    ready(&url);

    let (serving, gateway) = (house.gateway.clone(), house.gateway.clone());
    let discovery = tokio::spawn(Discovery::new(&config, gateway).run());
    let mut ended = house.ended;
    let (stop_serving, stopped) = watch::channel(false);
    let server = tokio::spawn(server::serve(listener, serving, stopped));
    let outcome = until_told(stop, &mut ended).await;

    discovery.abort();
    // Requests that wait for news are answered now.
    house.hub.close();
    let _ = stop_serving.send(true);
    drop(server.await);
    house.partitions.stop();
    let thread = house.thread;
    tokio::task::spawn_blocking(move || thread.join()).await?.map_err(|_| anyhow::anyhow!("the partition panicked"))?;
    outcome
}

/// Waits for a signal, or for the partition to end of itself, which it must not.
async fn until_told(mut stop: watch::Receiver<bool>, ended: &mut oneshot::Receiver<()>) -> anyhow::Result<()> {
    tokio::select! {
        _ = stop.wait_for(|stop| *stop) => Ok(()),
        _ = ended => Err(anyhow::anyhow!("the partition ended; see the log. What was acknowledged is in the file")),
    }
}

/// What runs behind the sockets.
struct House {
    gateway: Gateway,
    partitions: Partitions,
    hub: Hub,
    thread: JoinHandle<()>,
    /// Resolves when the partition's thread is gone.
    ended: oneshot::Receiver<()>,
}

impl House {
    async fn open(config: &Config) -> anyhow::Result<Self> {
        let code = tokio::task::block_in_place(|| Code::load(code::cache_folder().as_deref()))?;
        let (hub, catalog) = (Hub::default(), CatalogCell::default());
        let (inbox, items) = Inbox::new();
        let world = World {
            calls: Calls::new(Handle::current()),
            inbox: inbox.clone(),
            hub: hub.clone(),
            catalog: catalog.clone(),
        };
        let (started, ready) = oneshot::channel();
        let (alive, ended) = oneshot::channel();
        let partition = Partition { config: config.clone(), code: code.clone(), world, items };
        let thread = std::thread::Builder::new().name("partition-0".to_owned()).spawn(move || {
            // Dropped when the thread ends, however it does.
            let _alive: oneshot::Sender<()> = alive;
            partition.run(started);
        })?;
        ready.await.context("the partition ended before it began")??;
        let pool = Pool::new(code, config.settings(), config.engine_memory_bytes, catalog);
        let partitions = Partitions::new(vec![inbox]);
        let gateway = Gateway::new(pool, partitions.clone(), hub.clone()).await?;
        Ok(Self { gateway, partitions, hub, thread, ended })
    }
}

/// What the partition's thread is made of.
struct Partition {
    config: Config,
    code: Code,
    world: World,
    items: Receiver<Item>,
}

impl Partition {
    fn run(self, started: oneshot::Sender<anyhow::Result<()>>) {
        match self.start() {
            Ok(mut turns) => {
                drop(started.send(Ok(())));
                turns.run();
            }
            Err(cause) => drop(started.send(Err(cause))),
        }
    }

    fn start(self) -> anyhow::Result<Turns<WasmParts, World>> {
        let store = match &self.config.data {
            Data::Memory => Store::in_memory()?,
            Data::Folder(folder) => Store::open(&folder.join("stepwell.db"))?,
        };
        let memory_bytes_max = self.config.engine_memory_bytes;
        let parts = WasmParts::new(self.code, self.config.settings(), memory_bytes_max);
        let bounds = TurnsConfig {
            calls_max: self.config.calls_max,
            hot_actors_max: limits::HOT_ACTORS_MAX,
            hot_bytes_max: memory_bytes_max / limits::HOT_BYTES_PART,
        };
        let mut turns = Turns::new(parts, store, self.world, self.items, bounds);
        turns.start().context("cannot bring back the catalog")?;
        Ok(turns)
    }
}

/// The URL that a person on this machine would open.
fn url_of(listener: &TcpListener, host: &str) -> anyhow::Result<String> {
    let address = listener.local_addr()?;
    let shown = if address.ip().is_unspecified() {
        "127.0.0.1".to_owned()
    } else if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    Ok(format!("http://{shown}:{}", address.port()))
}
