//! Apps and functions as people and tools read them; archived ones are not shown.

use super::triggers::TriggerView;
use super::{App, Catalog, Function, SyncError};
use crate::ids::{AppId, uuid_of};
use serde::Serialize;

/// Everything.
#[derive(Serialize)]
pub(super) struct Overview<'a> {
    apps: Vec<AppView<'a>>,
    functions: Vec<FunctionView<'a>>,
}

#[derive(Serialize)]
struct AppView<'a> {
    id: String,
    name: &'a str,
    url: &'a str,
    sdk: &'a str,
    framework: &'a str,
    synced_at_ms: u64,
    error: Option<&'a SyncError>,
    function_count: usize,
}

/// A function.
#[derive(Serialize)]
pub(super) struct FunctionView<'a> {
    id: String,
    slug: &'a str,
    name: &'a str,
    app: &'a str,
    url: &'a str,
    version: u32,
    retries: u32,
    triggers: Vec<TriggerView<'a>>,
}

impl<'a> Overview<'a> {
    pub(super) fn of(catalog: &'a Catalog) -> Self {
        let apps = catalog.apps.values().filter(|app| !app.archived);
        Self {
            apps: apps.map(|app| AppView::of(app, live_functions(catalog, &app.id).count())).collect(),
            functions: catalog.functions.values().filter(|function| !function.archived).map(FunctionView::of).collect(),
        }
    }
}

/// The functions of `app`; `None` where there is no such app.
pub(super) fn functions_of<'a>(catalog: &'a Catalog, app: &AppId) -> Option<Vec<FunctionView<'a>>> {
    catalog.apps.get(app).filter(|app| !app.archived)?;
    Some(live_functions(catalog, app).map(FunctionView::of).collect())
}

fn live_functions<'a>(catalog: &'a Catalog, app: &AppId) -> impl Iterator<Item = &'a Function> {
    catalog.functions.values().filter(move |function| !function.archived && function.app == *app)
}

impl<'a> AppView<'a> {
    fn of(app: &'a App, function_count: usize) -> Self {
        Self {
            id: uuid_of(app.id.as_str()),
            name: app.id.as_str(),
            url: &app.url,
            sdk: &app.sdk,
            framework: &app.framework,
            synced_at_ms: app.synced_at.0,
            error: app.error.as_ref(),
            function_count,
        }
    }
}

impl<'a> FunctionView<'a> {
    fn of(function: &'a Function) -> Self {
        Self {
            id: uuid_of(function.id.as_str()),
            slug: function.id.as_str(),
            name: &function.name,
            app: function.app.as_str(),
            url: &function.url,
            version: function.version,
            retries: function.retries,
            triggers: TriggerView::all(function),
        }
    }
}
