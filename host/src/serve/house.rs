//! What runs behind the sockets: the partition's thread, and the way to it.

use super::{compiled, settings};
use crate::calls::Calls;
use crate::catalog_cell::CatalogCell;
use crate::config::{Data, ServeOptions};
use crate::hub::Hub;
use crate::limits;
use crate::partition::{CallsMax, Inbox, Item, Partitions, Turns, TurnsConfig};
use crate::parts::{Code, WasmParts};
use crate::server::{Gateway, Pool};
use crate::store::Store;
use crate::world::World;
use anyhow::Context as _;
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// The file that holds everything, in the data folder.
pub const FILE_NAME: &str = "stepwell.db";

/// A partition that has its catalog back, and what it takes to ask it.
pub struct House {
    /// Answers requests.
    pub gateway: Gateway,
    /// To be stopped at the end.
    pub partitions: Partitions,
    /// Requests that wait for news.
    pub hub: Hub,
    /// The partition's thread.
    pub thread: JoinHandle<()>,
    /// Resolves when that thread is gone.
    pub ended: oneshot::Receiver<()>,
}

impl House {
    /// Loads the engine, opens the file, and brings the catalog back.
    ///
    /// # Errors
    /// A file that cannot be used, an engine that does not run: a sentence for the user.
    pub async fn open(options: &ServeOptions) -> anyhow::Result<Self> {
        let code = tokio::task::block_in_place(compiled::load)?;
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
        let partition = Partition { options: options.clone(), code: code.clone(), world, items };
        let thread = std::thread::Builder::new().name("partition-0".to_owned()).spawn(move || {
            // Dropped when the thread ends, however it does.
            let _alive: oneshot::Sender<()> = alive;
            partition.run(started);
        })?;
        ready.await.context("the partition ended before it began")??;
        let pool = Pool::new(code, settings(options), memory_bytes_max(options), catalog);
        let partitions = Partitions::new(vec![inbox]);
        let gateway = Gateway::new(pool, partitions.clone(), hub.clone()).await?;
        Ok(Self { gateway, partitions, hub, thread, ended })
    }
}

/// What the partition's thread is made of.
struct Partition {
    options: ServeOptions,
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
        let store = match &self.options.data {
            Data::InMemory => Store::in_memory()?,
            Data::Folder(folder) => Store::open(&folder.join(FILE_NAME))?,
        };
        let memory_bytes_max = memory_bytes_max(&self.options);
        let parts = WasmParts::new(self.code, settings(&self.options), memory_bytes_max);
        let bounds = TurnsConfig {
            calls_max: CallsMax { total: limits::CALLS_IN_FLIGHT_MAX, per_app: limits::CALLS_OF_APP_IN_FLIGHT_MAX },
            hot_actors_max: limits::HOT_ACTORS_MAX,
            hot_bytes_max: memory_bytes_max / limits::HOT_BYTES_PART,
        };
        let mut turns = Turns::new(parts, store, self.world, self.items, bounds);
        turns.start().context("cannot bring back the catalog")?;
        Ok(turns)
    }
}

fn memory_bytes_max(options: &ServeOptions) -> usize {
    usize::try_from(options.engine_memory_bytes_max).unwrap_or(usize::MAX)
}
