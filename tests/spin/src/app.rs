//! An application: its components, and where its requests go.

use crate::chaos::Chaos;
use crate::compiled::told;
use crate::handler::{Handler, Maker, Reuse};
use crate::headers::{self, Way};
use crate::instance::{Given, Instance};
use crate::key_value::Stores;
use crate::manifest::{self, Manifest};
use crate::outbound::AllowedHosts;
use crate::outgoing::Pool;
use crate::route::{self, Route};
use crate::variables::{self, Values};
use crate::{bindings, compiled};
use anyhow::{Context, Result};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, Weak};
use wasmtime::Engine;
use wasmtime::component::Linker;
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::ProxyHandler;
use wasmtime_wasi_http::p3::bindings::ServicePre;

/// Paths that Spin answers itself.
const WELL_KNOWN: &str = "/.well-known/spin/";

/// What an application is run with, beside its manifest.
pub struct Settings {
    /// Where its state is.
    pub state_directory: PathBuf,
    /// Values of its variables.
    pub variables: Values,
    /// How long instances live.
    pub reuse: Reuse,
    /// Which of them are killed.
    pub chaos: Arc<Chaos>,
    /// Whether its stores have compare-and-swap and increment.
    pub has_atomics: bool,
}

/// A running application.
pub struct App {
    routes: Vec<(Route, String)>,
    components: HashMap<String, Served>,
    pool: Pool,
    listens: OnceLock<SocketAddr>,
}

/// A component with its instances.
pub(crate) struct Served(Handler);

/// What a component may do.
pub(crate) struct Component {
    pub(crate) name: String,
    pub(crate) variables: Values,
    pub(crate) allowed_hosts: AllowedHosts,
    pub(crate) key_value_stores: Vec<String>,
    pub(crate) sqlite_databases: Vec<String>,
    pub(crate) stores: Arc<Stores>,
    pub(crate) state_directory: PathBuf,
    pub(crate) chaos: Arc<Chaos>,
}

impl App {
    /// Loads all components that a route leads to.
    ///
    /// # Errors
    /// A component that cannot be loaded or imports what Spin does not give; a variable without a value; a state directory that cannot be used.
    pub fn load(manifest: &Manifest, settings: Settings) -> Result<Arc<Self>> {
        let Settings { state_directory, variables, reuse, chaos, has_atomics } = settings;
        std::fs::create_dir_all(&state_directory).with_context(|| state_directory.display().to_string())?;
        let stores =
            Stores::open(&state_directory, has_atomics).with_context(|| state_directory.display().to_string())?;
        let stores = Arc::new(stores);
        let engine = compiled::engine()?;
        let linker = linker(&engine).map_err(told)?;
        let mut loaded = Vec::new();
        for name in manifest.routed().collect::<BTreeSet<_>>() {
            let written = manifest.component.get(name).with_context(|| format!("no component {name:?}"))?;
            let code = compiled::load(&engine, &manifest.folder.join(&written.source))?;
            let code = linker.instantiate_pre(&code).and_then(ServicePre::new).map_err(told);
            let code = code.with_context(|| format!("component {name:?}"))?;
            let component = Component {
                name: name.to_owned(),
                variables: filled(&written.variables, &variables)?,
                allowed_hosts: allowed_hosts(written, &variables).with_context(|| format!("component {name:?}"))?,
                key_value_stores: written.key_value_stores.clone(),
                sqlite_databases: written.sqlite_databases.clone(),
                stores: Arc::clone(&stores),
                state_directory: state_directory.clone(),
                chaos: Arc::clone(&chaos),
            };
            loaded.push((Arc::new(component), code));
        }
        let routes = manifest.public_routes().map(|(route, to)| Ok((Route::parse(route)?, to.to_owned())));
        let routes = routes.collect::<Result<Vec<_>>>()?;
        let serve = |app: &Weak<Self>, (component, code): (Arc<Component>, ServicePre<Instance>)| {
            let name = component.name.clone();
            (
                name,
                Served(ProxyHandler::new(Maker {
                    app: Weak::clone(app),
                    component,
                    engine: engine.clone(),
                    code,
                    reuse,
                })),
            )
        };
        Ok(Arc::new_cyclic(|app| Self {
            routes,
            components: loaded.into_iter().map(|one| serve(app, one)).collect(),
            pool: Client::builder(TokioExecutor::new()).build_http(),
            listens: OnceLock::new(),
        }))
    }

    /// The written routes, with the components that they lead to.
    pub fn routes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.routes.iter().map(|(route, to)| (route.written(), to.as_str()))
    }

    /// Answers a request from outside.
    pub async fn answer(self: &Arc<Self>, mut request: Request<WasiBody>, client: SocketAddr) -> Response<WasiBody> {
        let path = request.uri().path().to_owned();
        if let Some(asked) = path.strip_prefix(WELL_KNOWN) {
            return if asked == "health" { text("OK") } else { empty(StatusCode::NOT_FOUND) };
        }
        let found = route::find(&self.routes, &path);
        let found = found.and_then(|(route, to, rest)| Some((route, self.component(to)?, rest)));
        let Some((route, component, rest)) = found else { return empty(StatusCode::NOT_FOUND) };
        if let Err(fault) = headers::complete(&mut request) {
            eprintln!("a request that cannot be served: {fault:#}");
            return empty(StatusCode::INTERNAL_SERVER_ERROR);
        }
        component.serve(request, &Way { route: Some(route), rest, client }).await
    }

    pub(crate) fn component(&self, name: &str) -> Option<&Served> {
        self.components.get(name)
    }

    pub(crate) const fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Where it listens, for calls of itself.
    pub(crate) fn listens(&self) -> SocketAddr {
        self.listens.get().copied().unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    pub(crate) fn listen_on(&self, address: SocketAddr) {
        // Once: a second address would be a second server of one application.
        let _ = self.listens.set(address);
    }
}

impl Served {
    /// Gives a request to an instance; one that traps, or is killed, answers 500.
    pub(crate) async fn serve(&self, mut request: Request<WasiBody>, way: &Way<'_>) -> Response<WasiBody> {
        let served = match headers::prepare(&mut request, way) {
            Ok(()) => self.0.handle((), request).await.map_err(|fault| format!("{fault:?}")),
            Err(fault) => Err(format!("{fault:#}")),
        };
        served.unwrap_or_else(|fault| {
            eprintln!("a request failed: {fault}");
            empty(StatusCode::INTERNAL_SERVER_ERROR)
        })
    }
}

/// WASI 0.2, which Rust's standard library imports, WASI 0.3 with HTTP, and Spin's own.
fn linker(engine: &Engine) -> wasmtime::Result<Linker<Instance>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    bindings::Host_::add_to_linker::<_, Given>(&mut linker, |instance| instance)?;
    Ok(linker)
}

fn filled(written: &Values, values: &Values) -> Result<Values> {
    written.iter().map(|(name, template)| Ok((name.clone(), variables::fill(template, values)?))).collect()
}

fn allowed_hosts(written: &manifest::Component, values: &Values) -> Result<AllowedHosts> {
    let entries = written.allowed_outbound_hosts.iter().map(|entry| variables::fill(entry, values));
    AllowedHosts::parse(&entries.collect::<Result<Vec<_>>>()?)
}

fn empty(status: StatusCode) -> Response<WasiBody> {
    let mut response = Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response
}

fn text(text: &'static str) -> Response<WasiBody> {
    Response::new(Full::new(text.into()).map_err(|never| match never {}).boxed_unsync())
}
