//! What belongs to one instance: the data of its wasmtime store.

use crate::app::Component;
use crate::bindings::spin::variables::variables;
use crate::outgoing::Outgoing;
use std::sync::Arc;
use wasmtime::Result;
use wasmtime::component::{Accessor, HasData, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// The state of an instance.
pub(crate) struct Instance {
    pub(crate) component: Arc<Component>,
    pub(crate) table: ResourceTable,
    /// Open now.
    pub(crate) connections: usize,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outgoing: Outgoing,
}

impl Instance {
    pub(crate) fn new(component: Arc<Component>, outgoing: Outgoing) -> Self {
        let wasi = WasiCtxBuilder::new().inherit_stdout().inherit_stderr().build();
        let (table, http) = (ResourceTable::new(), WasiHttpCtx::new());
        Self { component, table, connections: 0, wasi, http, outgoing }
    }
}

/// Names [`Instance`] as what Spin's interfaces are served from.
pub(crate) struct Given;

impl HasData for Given {
    type Data<'a> = &'a mut Instance;
}

impl WasiView for Instance {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Instance {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outgoing }
    }
}

impl variables::Host for Instance {}

impl<S: Send> variables::HostWithStore<S> for Given {
    async fn get(accessor: &Accessor<S, Self>, name: String) -> Result<std::result::Result<String, variables::Error>> {
        let component = accessor.with(|mut access| Arc::clone(&access.get().component));
        let value = component.variables.get(&name).cloned();
        Ok(value
            .ok_or_else(|| variables::Error::Undefined(format!("no variable for {:?} is {name:?}", component.name))))
    }
}
