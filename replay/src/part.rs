//! One instance of a component, and the resources that were made in it.

use crate::{value, words};
use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use std::collections::BTreeMap;
use wasmtime::component::{Component, ComponentExportIndex, Func, Instance, Linker, ResourceAny, Type, Val};
use wasmtime::{Engine, Store};

/// The components, by the names of their files.
pub const PARTS: [&str; 3] = ["event-api", "scheduler", "executor"];

const ACTORS: &str = "stepwell:engine/actors@0.1.0";
const HTTP: &str = "stepwell:engine/http@0.1.0";

/// An instance.
pub struct Running {
    store: Store<()>,
    instance: Instance,
    functions: BTreeMap<&'static str, Func>,
    resources: BTreeMap<String, ResourceAny>,
}

impl Running {
    /// A fresh one.
    pub fn new(engine: &Engine, component: &Component) -> Result<Self> {
        let mut store = Store::new(engine, ());
        // The components import nothing at all.
        let instance = Linker::new(engine).instantiate(&mut store, component).map_err(words)?;
        Ok(Self { store, instance, functions: BTreeMap::new(), resources: BTreeMap::new() })
    }

    /// What `step` of a script comes to, as JSON; `on` names the resource that is made or used.
    pub fn call(&mut self, step: &str, on: Option<&str>, args: &[Value]) -> Result<String> {
        let (interface, name) = match step {
            "configure" => (ACTORS, "configure"),
            "install" => (ACTORS, "install-catalog"),
            "preload" => (ACTORS, "preload"),
            "make" => (ACTORS, "[constructor]actor"),
            "turn" => (ACTORS, "[method]actor.turn"),
            "open" => (HTTP, "[constructor]exchange"),
            "start" => (HTTP, "[method]exchange.start"),
            "resume" => (HTTP, "[method]exchange.resume"),
            _ => bail!("there is no such step"),
        };
        let function = self.function(interface, name)?;
        let ty = function.ty(&self.store);
        let types: Vec<Type> = ty.params().map(|(_, ty)| ty).collect();
        let used = if name.starts_with("[method]") { Some(self.resource(on)?) } else { None };
        let mut params: Vec<Val> = used.into_iter().map(Val::Resource).collect();
        for (arg, ty) in args.iter().zip(types.iter().skip(params.len())) {
            params.push(value::read(arg, ty)?);
        }
        let result = ty.results().next();
        let mut results = vec![Val::Bool(false); usize::from(result.is_some())];
        function.call(&mut self.store, &params, &mut results).map_err(words)?;
        match (results.pop(), result) {
            (Some(Val::Resource(made)), _) => {
                self.keep(on.context("nothing says what is made")?, made)?;
                Ok("null".to_owned())
            }
            (Some(given), Some(ty)) => {
                let gives = value::write(&given, &ty)?;
                if matches!(&given, Val::Variant(case, _) if case == "respond") {
                    self.release(on.unwrap_or_default())?;
                }
                Ok(gives)
            }
            _ => Ok("null".to_owned()),
        }
    }

    fn function(&mut self, interface: &str, name: &'static str) -> Result<Func> {
        if let Some(known) = self.functions.get(name) {
            return Ok(*known);
        }
        let index = |running: &mut Self, within: Option<&ComponentExportIndex>, name: &str| {
            let found = running.instance.get_export_index(&mut running.store, within, name);
            found.with_context(|| format!("the component does not export {name}"))
        };
        let interface = index(self, None, interface)?;
        let found = index(self, Some(&interface), name)?;
        let function =
            self.instance.get_func(&mut self.store, found).with_context(|| format!("{name} is no function"))?;
        self.functions.insert(name, function);
        Ok(function)
    }

    fn resource(&self, on: Option<&str>) -> Result<ResourceAny> {
        let on = on.context("nothing says what is used")?;
        self.resources.get(on).copied().with_context(|| format!("{on} was not made"))
    }

    /// What is made takes the place of an earlier one of that name.
    fn keep(&mut self, on: &str, made: ResourceAny) -> Result<()> {
        self.release(on)?;
        self.resources.insert(on.to_owned(), made);
        Ok(())
    }

    fn release(&mut self, on: &str) -> Result<()> {
        match self.resources.remove(on) {
            Some(held) => held.resource_drop(&mut self.store).map_err(words),
            None => Ok(()),
        }
    }
}
