//! The component for Spin's cron trigger, called as the trigger calls it: by a synchronous export, with WASI 0.2.
//!
//! `STEPWELL_SPIN_CRON` names the component file.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of this is test code, and a test reports by panicking"
)]

use http_body_util::{BodyExt, Empty};
use std::collections::BTreeMap;
use wasmtime::component::{Component, HasSelf, Linker, ResourceTable};
use wasmtime::{Engine, Result, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView};

#[allow(missing_docs, reason = "generated")]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../../spin/cron/wit",
        world: "tick",
        imports: { default: async | trappable },
        exports: { default: async },
    });
}

use bindings::fermyon::spin::variables;
use bindings::fermyon::spin_cron::cron_types::{self, Metadata};

/// What an instance is given, and the requests that it made.
struct Instance {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    variables: BTreeMap<&'static str, &'static str>,
    server: Server,
}

/// Answers every request alike.
struct Server {
    status: u16,
    requests: Vec<http::request::Parts>,
}

impl WasiView for Instance {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Instance {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.server }
    }
}

type Done = Box<dyn Future<Output = Result<(), wasmtime_wasi_http::Error>> + Send>;

impl WasiHttpHooks for Server {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _outcome: Done,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Done), wasmtime_wasi_http::Error>> + Send> {
        self.requests.push(request.into_parts().0);
        let mut response = http::Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
        *response.status_mut() = self.status.try_into().unwrap();
        let done: Done = Box::new(async { Ok(()) });
        Box::new(async move { Ok((response, done)) })
    }
}

impl variables::Host for Instance {
    async fn get(&mut self, name: String) -> Result<std::result::Result<String, variables::Error>> {
        let value = self.variables.get(name.as_str()).map(|value| (*value).to_owned());
        Ok(value.ok_or(variables::Error::Undefined(name)))
    }
}

impl cron_types::Host for Instance {}

/// Lets the trigger's time come once; what the component says, and what it asked of a server that answers with `status`.
async fn tick(
    server: &'static str,
    tick_key: &'static str,
    status: u16,
) -> (Result<(), String>, Vec<http::request::Parts>) {
    let file = std::env::var("STEPWELL_SPIN_CRON").expect("STEPWELL_SPIN_CRON names cron.wasm: use `cargo xtask test`");
    let engine = Engine::default();
    let component = Component::from_file(&engine, file).unwrap();
    let mut linker = Linker::<Instance>::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker).unwrap();
    bindings::Tick::add_to_linker::<_, HasSelf<Instance>>(&mut linker, |instance| instance).unwrap();
    let instance = Instance {
        wasi: WasiCtx::builder().build(),
        http: WasiHttpCtx::new(),
        table: ResourceTable::new(),
        variables: BTreeMap::from([("server", server), ("tick_key", tick_key)]),
        server: Server { status, requests: Vec::new() },
    };
    let mut store = Store::new(&engine, instance);
    let tick = bindings::Tick::instantiate_async(&mut store, &component, &linker).await.unwrap();
    let said = tick.call_handle_cron_event(&mut store, Metadata { timestamp: 1 }).await.unwrap();
    (said.map_err(|cron_types::Error::Other(why)| why), store.into_data().server.requests)
}

#[tokio::test]
async fn a_time_of_the_trigger_is_a_tick_with_its_key() {
    let (said, requests) = tick("http://127.0.0.1:8288/", "secret", 200).await;
    assert_eq!(said, Ok(()));
    let [request] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!((request.method.as_str(), request.uri.to_string().as_str()), ("POST", "http://127.0.0.1:8288/tick"));
    assert_eq!(request.headers["authorization"], "Bearer secret");
    assert_eq!(request.headers["content-length"], "0");
}

#[tokio::test]
async fn a_server_for_development_is_shown_no_key() {
    let (said, requests) = tick("http://127.0.0.1:8288", "", 200).await;
    assert_eq!(said, Ok(()));
    assert_eq!(requests.len(), 1);
    assert!(!requests[0].headers.contains_key("authorization"));
}

#[tokio::test]
async fn what_goes_wrong_is_told_to_the_trigger() {
    let (said, _) = tick("http://127.0.0.1:8288", "wrong", 401).await;
    assert!(said.unwrap_err().contains("401"));
    let (said, requests) = tick("nowhere", "", 200).await;
    assert!(said.unwrap_err().contains("nowhere"));
    assert!(requests.is_empty());
}
