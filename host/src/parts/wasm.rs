//! The parts as instances of their components, each made when it is first needed and kept until it traps.

use super::instance::{self, Bounds};
use super::{Code, Part, Parts, Trap, Turned};
use crate::wit::{ActorsWorld, Address, CatalogVersion, Range, RangeRows, Settings, TurnInput};
use std::collections::HashMap;
use wasmtime::Store;
use wasmtime::component::{Linker, ResourceAny};

/// The three parts of one partition.
pub struct WasmParts {
    code: Code,
    linker: Linker<Bounds>,
    settings: Settings,
    memory_bytes_max: usize,
    catalog: Option<CatalogVersion>,
    instances: HashMap<Part, Instance>,
}

struct Instance {
    store: Store<Bounds>,
    world: ActorsWorld,
}

impl WasmParts {
    /// The parts, none of them instantiated yet; each instance may take `memory_bytes_max`.
    #[must_use]
    pub fn new(code: Code, settings: Settings, memory_bytes_max: usize) -> Self {
        // The components import nothing at all.
        let linker = Linker::new(&code.engine);
        Self { code, linker, settings, memory_bytes_max, catalog: None, instances: HashMap::new() }
    }

    /// Calls into the instance of `part`; where that traps, the instance is gone.
    fn call<T>(&mut self, part: Part, call: impl FnOnce(&mut Instance) -> wasmtime::Result<T>) -> Result<T, Trap> {
        let result = self.instance(part).and_then(|instance| {
            instance::start_time(&mut instance.store);
            call(instance)
        });
        result.map_err(|trap| {
            self.instances.remove(&part);
            Trap { part, cause: instance::describe(&trap) }
        })
    }

    fn instance(&mut self, part: Part) -> wasmtime::Result<&mut Instance> {
        if !self.instances.contains_key(&part) {
            let made = self.make_instance(part)?;
            self.instances.insert(part, made);
        }
        self.instances.get_mut(&part).ok_or_else(|| wasmtime::Error::msg("an instance vanished"))
    }

    fn make_instance(&self, part: Part) -> wasmtime::Result<Instance> {
        let component = self.code.component(part).map_err(|cause| wasmtime::Error::msg(cause.to_string()))?;
        let mut store = instance::store(&self.code.engine, self.memory_bytes_max);
        instance::start_time(&mut store);
        let world = ActorsWorld::instantiate(&mut store, component, &self.linker)?;
        world.stepwell_engine_actors().call_configure(&mut store, &self.settings)?;
        let mut made = Instance { store, world };
        if let Some(catalog) = &self.catalog {
            made.install(catalog)?;
        }
        Ok(made)
    }
}

impl Instance {
    fn install(&mut self, catalog: &CatalogVersion) -> wasmtime::Result<()> {
        let actors = self.world.stepwell_engine_actors();
        let installed = actors.call_install_catalog(&mut self.store, catalog.version, &catalog.snapshot)?;
        installed.map_err(|fault| wasmtime::Error::msg(format!("catalog refused: {}: {}", fault.code, fault.message)))
    }
}

impl Parts for WasmParts {
    type Actor = ResourceAny;

    fn preload(&mut self, address: &Address) -> Result<Vec<Range>, Trap> {
        self.call(Part::of(address.kind), |instance| {
            instance.world.stepwell_engine_actors().call_preload(&mut instance.store, address)
        })
    }

    fn make(&mut self, address: &Address, rows: &[RangeRows]) -> Result<ResourceAny, Trap> {
        self.call(Part::of(address.kind), |instance| {
            instance.world.stepwell_engine_actors().actor().call_constructor(&mut instance.store, address, rows)
        })
    }

    fn turn(&mut self, address: &Address, actor: &ResourceAny, input: &TurnInput) -> Result<Turned, Trap> {
        self.call(Part::of(address.kind), |instance| {
            instance.world.stepwell_engine_actors().actor().call_turn(&mut instance.store, *actor, input)
        })
    }

    fn release(&mut self, address: &Address, actor: ResourceAny) {
        let part = Part::of(address.kind);
        let Some(instance) = self.instances.get_mut(&part) else { return };
        instance::start_time(&mut instance.store);
        if let Err(trap) = actor.resource_drop(&mut instance.store) {
            // The next call into this instance says so once more, and is handled there.
            tracing::error!(?part, cause = instance::describe(&trap), "freeing an actor failed");
        }
    }

    fn install(&mut self, catalog: &CatalogVersion) {
        self.catalog = Some(catalog.clone());
        let failed: Vec<_> = self
            .instances
            .iter_mut()
            .filter_map(|(part, instance)| {
                instance::start_time(&mut instance.store);
                instance.install(catalog).err().map(|cause| (*part, cause))
            })
            .collect();
        for (part, cause) in failed {
            tracing::error!(
                ?part,
                cause = instance::describe(&cause),
                version = catalog.version,
                "cannot install a catalog"
            );
        }
    }

    fn restart(&mut self) {
        self.instances.clear();
    }

    fn outgrown(&mut self) -> Vec<Part> {
        let limit = self.memory_bytes_max.saturating_sub(self.memory_bytes_max / 4);
        let grown: Vec<Part> = self
            .instances
            .iter()
            .filter(|(_, instance)| instance.store.data().memory_bytes > limit)
            .map(|(part, _)| *part)
            .collect();
        for part in &grown {
            self.instances.remove(part);
        }
        grown
    }
}
