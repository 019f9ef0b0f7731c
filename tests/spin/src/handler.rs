//! Instances of one component, and which of them gets a request.

use crate::app::{App, Component};
use crate::instance::Instance;
use crate::outgoing::Outgoing;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::time::Sleep;
use wasmtime::component::GuestTaskId;
use wasmtime::{Engine, Result, Store, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance as Made, Proxy, ProxyHandler, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::p3::bindings::ServicePre;

/// Gives requests to instances of a component.
pub(crate) type Handler = ProxyHandler<Maker>;

/// How long instances live and what they take, as Spin's flags of the same names say.
#[derive(Clone, Copy, Debug)]
pub struct Reuse {
    /// How many requests an instance is given.
    pub requests_max: usize,
    /// How many of them at once.
    pub concurrent_max: usize,
    /// How long one that has nothing to do is kept.
    pub idle_time_max: Duration,
}

impl Default for Reuse {
    /// Spin's.
    fn default() -> Self {
        Self { requests_max: 128, concurrent_max: 16, idle_time_max: Duration::from_secs(1) }
    }
}

/// Makes instances.
pub(crate) struct Maker {
    pub(crate) app: Weak<App>,
    pub(crate) component: Arc<Component>,
    pub(crate) engine: Engine,
    pub(crate) code: ServicePre<Instance>,
    pub(crate) reuse: Reuse,
}

impl HandlerState for Maker {
    type StoreData = Instance;
    type WorkerExpiration = Idle;
    type WorkerState = Life;

    async fn instantiate(&self) -> Result<Made<Instance, Idle, Life>> {
        let outgoing = Outgoing { app: Weak::clone(&self.app), component: Arc::clone(&self.component) };
        let mut store = Store::new(&self.engine, Instance::new(Arc::clone(&self.component), outgoing));
        let proxy = Proxy::P3(self.code.instantiate_async(&mut store).await?);
        let expiration =
            Idle { time_max: self.reuse.idle_time_max, sleep: Box::pin(tokio::time::sleep(Duration::MAX)) };
        let state = Life { component: Arc::clone(&self.component), reuse: self.reuse };
        Ok(Made { store, proxy, view: Instance::http, expiration, state })
    }
}

/// Ends an instance that has had nothing to do for a while.
pub(crate) struct Idle {
    time_max: Duration,
    sleep: Pin<Box<Sleep>>,
}

impl WorkerExpiration for Idle {
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>, status: WorkerStatus, since: Instant) -> Poll<()> {
        let (WorkerStatus::Idle, Some(end)) = (status, since.checked_add(self.time_max)) else { return Poll::Pending };
        if self.sleep.deadline() != end.into() {
            self.sleep.as_mut().reset(end.into());
        }
        self.sleep.as_mut().poll(context)
    }
}

/// Says what an instance takes, and what it came to.
pub(crate) struct Life {
    component: Arc<Component>,
    reuse: Reuse,
}

impl WorkerState for Life {
    type StoreData = Instance;
    type RequestData = ();

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= self.reuse.requests_max {
            ShouldAccept::Never
        } else if concurrent >= self.reuse.concurrent_max {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _store: StoreContextMut<'_, Instance>,
        (): (),
        _task: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        // Spin has no timeout of requests unless one is asked for.
        Box::pin(std::future::pending())
    }

    fn drop(&self, store: Store<Instance>, result: Result<()>) {
        if let Err(fault) = result {
            eprintln!("an instance of {} is gone: {fault:?}", self.component.name);
        }
        drop(store);
    }
}
