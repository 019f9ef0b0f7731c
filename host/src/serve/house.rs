//! What runs behind the sockets: the partitions' threads, and the way to them.

use super::{compiled, settings};
use crate::calls::Calls;
use crate::catalog_cell::CatalogCell;
use crate::config::{Data, ServeOptions};
use crate::hub::Hub;
use crate::limits;
use crate::partition::{CallsMax, Inbox, Item, Partitions, Turns, TurnsConfig};
use crate::parts::{Code, WasmParts};
use crate::place::Place;
use crate::server::{Gateway, Pool};
use crate::store::Store;
use crate::world::World;
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};

/// The file of the first partition in the data folder, and all that there is where there is one partition.
pub const FILE_NAME: &str = "stepwell.db";

/// Partitions that have their catalog, and what it takes to ask them.
pub struct House {
    /// Answers requests.
    pub gateway: Gateway,
    /// To be stopped at the end.
    pub partitions: Partitions,
    /// Requests that wait for news.
    pub hub: Hub,
    /// The partitions' threads.
    pub threads: Vec<JoinHandle<()>>,
    /// Told when one of those threads is gone.
    pub ended: Arc<Notify>,
}

impl House {
    /// Loads the engine, opens the files, and brings the catalog back.
    ///
    /// # Errors
    /// A file that cannot be used, an engine that does not run: a sentence for the user.
    pub async fn open(options: &ServeOptions) -> anyhow::Result<Self> {
        let code = tokio::task::block_in_place(compiled::load)?;
        let (hub, catalog, ended) = (Hub::default(), CatalogCell::default(), Arc::new(Notify::new()));
        let calls = Calls::new(Handle::current());
        let (inboxes, items): (Vec<Inbox>, Vec<_>) = (0..options.partitions).map(|_| Inbox::new()).unzip();
        let inboxes: Arc<[Inbox]> = inboxes.into();
        let mut threads = Vec::with_capacity(items.len());
        for (place, items) in Place::all(options.partitions).zip(items) {
            let world = World {
                calls: calls.clone(),
                place,
                inboxes: Arc::clone(&inboxes),
                hub: hub.clone(),
                catalog: catalog.clone(),
            };
            let partition = Partition { options: options.clone(), place, code: code.clone(), world, items };
            // One after the other: the first brings the catalog that all decide by.
            threads.push(partition.spawn(Alive(Arc::clone(&ended))).await?);
        }
        let pool = Pool::new(code, settings(options), memory_bytes_max(options), catalog);
        let partitions = Partitions::new(inboxes);
        let gateway = Gateway::new(pool, partitions.clone(), hub.clone()).await?;
        Ok(Self { gateway, partitions, hub, threads, ended })
    }
}

/// The file of a partition.
fn file(folder: &Path, place: Place) -> PathBuf {
    folder.join(if place.index == 0 { FILE_NAME.to_owned() } else { format!("stepwell-{}.db", place.index) })
}

/// Says that a thread is gone, however it went.
struct Alive(Arc<Notify>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// What a partition's thread is made of.
struct Partition {
    options: ServeOptions,
    place: Place,
    code: Code,
    world: World,
    items: Receiver<Item>,
}

impl Partition {
    /// Starts the thread, and waits until it works.
    async fn spawn(self, alive: Alive) -> anyhow::Result<JoinHandle<()>> {
        let (started, ready) = oneshot::channel();
        let name = format!("partition-{}", self.place.index);
        let thread = std::thread::Builder::new().name(name).spawn(move || {
            let _alive = alive;
            self.run(started);
        })?;
        ready.await.context("the partition ended before it began")??;
        Ok(thread)
    }

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
        let store = match &self.options.data {
            Data::InMemory => Store::in_memory()?,
            Data::Folder(folder) => Store::open(&file(folder, self.place), self.place)?,
        };
        let memory_bytes_max = memory_bytes_max(&self.options);
        let parts = WasmParts::new(self.code, settings(&self.options), memory_bytes_max);
        // What the server may hold is divided: at least something for everybody.
        let share = |all: usize| {
            let count = usize::try_from(self.place.count).unwrap_or(usize::MAX);
            all.checked_div(count).unwrap_or(all).max(1)
        };
        let bounds = TurnsConfig {
            place: self.place,
            calls_max: CallsMax {
                total: share(limits::CALLS_IN_FLIGHT_MAX),
                per_app: share(self.options.calls_per_app_max),
            },
            hot_actors_max: share(limits::HOT_ACTORS_MAX),
            hot_bytes_max: share(memory_bytes_max / limits::HOT_BYTES_PART),
        };
        let mut turns = Turns::new(parts, store, self.world, self.items, bounds);
        turns.start().context("cannot bring back the catalog")?;
        Ok(turns)
    }
}

fn memory_bytes_max(options: &ServeOptions) -> usize {
    usize::try_from(options.engine_memory_bytes_max).unwrap_or(usize::MAX)
}
