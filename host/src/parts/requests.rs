//! An instance of event-api that says what requests mean. It holds many half-answered requests at once.

use super::instance::{self, Bounds};
use super::{Code, Part};
use crate::wit::{Answer, CatalogVersion, Limits, Progress, Request, RequestsWorld, Response, Settings};
use wasmtime::Store;
use wasmtime::component::{Linker, ResourceAny};

/// A configured instance. After any error it must be thrown away.
pub struct RequestInstance {
    store: Store<Bounds>,
    world: RequestsWorld,
    catalog_version: u64,
    exchanges: usize,
}

/// A request that is being answered, in the instance that it was opened in.
#[derive(Clone, Copy)]
pub struct OpenExchange(ResourceAny);

impl RequestInstance {
    /// A fresh instance.
    ///
    /// # Errors
    /// A trap.
    pub fn new(code: &Code, settings: &Settings, memory_bytes_max: usize) -> wasmtime::Result<Self> {
        let component = code.component(Part::EventApi).map_err(|cause| wasmtime::Error::msg(cause.to_string()))?;
        let linker = Linker::new(&code.engine);
        let mut store = instance::store(&code.engine, memory_bytes_max);
        instance::start_time(&mut store);
        let world = RequestsWorld::instantiate(&mut store, component, &linker)?;
        world.stepwell_engine_actors().call_configure(&mut store, settings)?;
        Ok(Self { store, world, catalog_version: 0, exchanges: 0 })
    }

    /// Whether it holds no request.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.exchanges == 0
    }

    /// What its memory has grown to.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.store.data().memory_bytes
    }

    /// What the shell enforces while it reads a request.
    ///
    /// # Errors
    /// A trap.
    pub fn limits(&mut self) -> wasmtime::Result<Limits> {
        instance::start_time(&mut self.store);
        self.world.stepwell_engine_http().call_request_limits(&mut self.store)
    }

    /// The answer to a request that could not be taken in.
    ///
    /// # Errors
    /// A trap.
    pub fn refuse(&mut self, code: &str) -> wasmtime::Result<Response> {
        instance::start_time(&mut self.store);
        self.world.stepwell_engine_http().call_refuse(&mut self.store, code)
    }

    /// Makes a newer catalog known.
    ///
    /// # Errors
    /// A trap, or a catalog that cannot be read.
    pub fn install(&mut self, catalog: &CatalogVersion) -> wasmtime::Result<()> {
        if catalog.version <= self.catalog_version {
            return Ok(());
        }
        instance::start_time(&mut self.store);
        let actors = self.world.stepwell_engine_actors();
        let installed = actors.call_install_catalog(&mut self.store, catalog.version, &catalog.snapshot)?;
        installed.map_err(|fault| wasmtime::Error::msg(format!("catalog refused: {}", fault.message)))?;
        self.catalog_version = catalog.version;
        Ok(())
    }

    /// Takes a request in: its first progress.
    ///
    /// # Errors
    /// A trap.
    pub fn open(
        &mut self,
        now: u64,
        entropy: (u64, u64),
        request: &Request,
    ) -> wasmtime::Result<(OpenExchange, Progress)> {
        instance::start_time(&mut self.store);
        let exchange = self.world.stepwell_engine_http().exchange();
        let opened = exchange.call_constructor(&mut self.store, now, entropy, self.catalog_version, request)?;
        self.exchanges = self.exchanges.saturating_add(1);
        let progress = exchange.call_start(&mut self.store, opened)?;
        Ok((OpenExchange(opened), progress))
    }

    /// Goes on with a request.
    ///
    /// # Errors
    /// A trap.
    pub fn resume(&mut self, exchange: OpenExchange, now: u64, answers: &[Answer]) -> wasmtime::Result<Progress> {
        instance::start_time(&mut self.store);
        self.world.stepwell_engine_http().exchange().call_resume(&mut self.store, exchange.0, now, answers)
    }

    /// Frees a request that has been answered, or whose sender is gone.
    ///
    /// # Errors
    /// A trap.
    pub fn close(&mut self, exchange: OpenExchange) -> wasmtime::Result<()> {
        instance::start_time(&mut self.store);
        self.exchanges = self.exchanges.saturating_sub(1);
        exchange.0.resource_drop(&mut self.store)
    }
}
