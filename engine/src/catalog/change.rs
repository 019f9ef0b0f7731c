//! What a turn changes in the catalog: decided first, then written as rows, then applied by reading those rows.

use super::registration::Registration;
use super::serve_url::comparable;
use super::{App, Catalog, Function, Pause, SyncError};
use crate::error::{Code, Fault, Refusal};
use crate::ids::{AppId, FunctionId, Millis, uuid_of};
use crate::limits::{APPS_MAX, FUNCTIONS_PER_APP_MAX};
use crate::turn::Done;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The answer to a register call (PROTOCOL §1.6).
#[derive(Debug, Serialize)]
pub(super) struct Registered {
    pub(super) ok: bool,
    pub(super) modified: bool,
    pub(super) sync_id: String,
    pub(super) app_id: String,
}

/// Apps and functions as they are to be.
#[derive(Debug, Default)]
pub(super) struct Change {
    apps: BTreeMap<AppId, App>,
    functions: BTreeMap<FunctionId, Function>,
    forgotten: BTreeSet<FunctionId>,
}

impl Change {
    pub(super) fn is_empty(&self) -> bool {
        self.apps.is_empty() && self.functions.is_empty() && self.forgotten.is_empty()
    }

    /// The functions that change.
    pub(super) fn functions(&self) -> impl Iterator<Item = &FunctionId> {
        self.functions.keys().chain(&self.forgotten)
    }

    /// Writes the rows of this change; the catalog's next version with them.
    ///
    /// # Errors
    /// None in practice; JSON's in principle.
    pub(super) fn write(&self, version: u64, done: &mut Done) -> Result<(), Fault> {
        for (id, app) in &self.apps {
            done.write(super::rows::app_key(id), app)?;
        }
        for (id, function) in &self.functions {
            done.write(super::rows::function_key(id), function)?;
        }
        for id in &self.forgotten {
            done.delete(super::rows::function_key(id));
        }
        done.write(super::rows::META_KEY, &super::rows::Meta { version })
    }

    /// Takes a registration over (PROTOCOL §1.6, SERVER §3.8). The payload that is already there changes nothing.
    ///
    /// # Errors
    /// `config_invalid` where there are too many apps.
    pub(super) fn register(
        &mut self,
        catalog: &Catalog,
        registration: Registration,
        now: Millis,
    ) -> Result<Registered, Refusal> {
        let known = self.app(catalog, &registration.app);
        let app_id = uuid_of(registration.app.as_str());
        if let Some(same) = known.filter(|app| !app.archived && app.checksum == registration.checksum) {
            let sync_id = sync_id(same);
            if same.error.is_some() {
                let healed = App { error: None, ..same.clone() };
                self.apps.insert(healed.id.clone(), healed);
            }
            return Ok(Registered { ok: true, modified: false, sync_id, app_id });
        }
        if known.is_none() && catalog.apps.len() >= APPS_MAX {
            let message = format!("there are {APPS_MAX} apps already, removed ones among them");
            return Err(Refusal::new(Code::ConfigInvalid, message));
        }
        let Registration { app, url, sdk, framework, deploy_id, checksum, functions } = registration;
        self.replace_functions(catalog, &app, functions);
        let app =
            App { id: app, url, sdk, framework, synced_at: now, checksum, deploy_id, error: None, archived: false };
        let sync_id = sync_id(&app);
        self.apps.insert(app.id.clone(), app);
        Ok(Registered { ok: true, modified: true, sync_id, app_id })
    }

    /// Archives the live apps at `url` and their functions; answers their names.
    pub(super) fn remove(&mut self, catalog: &Catalog, url: &str) -> Vec<AppId> {
        let names: Vec<_> = live_apps_at(catalog, url).map(|app| app.id.clone()).collect();
        for name in &names {
            self.replace_functions(catalog, name, Vec::new());
            if let Some(app) = catalog.apps.get(name) {
                self.apps.insert(name.clone(), App { archived: true, error: None, ..app.clone() });
            }
        }
        names
    }

    /// Notes how the newest attempt to sync went, for the live apps at `url`; only where that is news.
    pub(super) fn note_sync(&mut self, catalog: &Catalog, url: &str, error: Option<&SyncError>) {
        let names: Vec<_> = live_apps_at(catalog, url).map(|app| app.id.clone()).collect();
        for name in names {
            self.note_sync_of(catalog, &name, error);
        }
    }

    /// As [`Change::note_sync`], for one app.
    pub(super) fn note_sync_of(&mut self, catalog: &Catalog, name: &AppId, error: Option<&SyncError>) {
        let Some(app) = self.app(catalog, name) else { return };
        if !app.archived && app.error.as_ref() != error {
            let app = App { error: error.cloned(), ..app.clone() };
            self.apps.insert(app.id.clone(), app);
        }
    }

    /// Pauses or resumes a function; false where there is none.
    pub(super) fn pause(&mut self, catalog: &Catalog, id: &FunctionId, paused: Option<Pause>) -> bool {
        let Some(function) = catalog.function(id).filter(|function| !function.archived) else { return false };
        if function.paused != paused {
            self.functions.insert(id.clone(), Function { paused, ..function.clone() });
        }
        true
    }

    fn app<'a>(&'a self, catalog: &'a Catalog, name: &AppId) -> Option<&'a App> {
        self.apps.get(name).or_else(|| catalog.apps.get(name))
    }

    /// The app has exactly `functions` from now on: new ones begin at version 1, changed and revived ones count on, and
    /// those that vanished are archived.
    fn replace_functions(&mut self, catalog: &Catalog, app: &AppId, functions: Vec<Function>) {
        let mut kept = BTreeSet::new();
        for function in functions {
            kept.insert(function.id.clone());
            let known = catalog.function(&function.id);
            let version = known.map_or(0, |known| known.version);
            let paused = known.and_then(|known| known.paused);
            let unchanged = Function { version, paused, ..function };
            if known != Some(&unchanged) {
                let changed = Function { version: version.saturating_add(1), ..unchanged };
                self.functions.insert(changed.id.clone(), changed);
            }
        }
        let gone = || catalog.functions.values().filter(|known| known.app == *app && !kept.contains(&known.id));
        for function in gone().filter(|function| !function.archived) {
            self.functions.insert(function.id.clone(), Function { archived: true, ..function.clone() });
        }
        // Archived functions are kept for the runs they still have, but not without end.
        let excess = gone().count().saturating_sub(FUNCTIONS_PER_APP_MAX);
        let forgettable = gone().filter(|function| function.archived).take(excess).map(|function| function.id.clone());
        self.forgotten.extend(forgettable);
    }
}

/// The live apps whose address is the same as `url`.
pub(super) fn live_apps_at<'a>(catalog: &'a Catalog, url: &str) -> impl Iterator<Item = &'a App> {
    let wanted = comparable(url);
    catalog.apps.values().filter(move |app| !app.archived && comparable(&app.url) == wanted)
}

/// The same for the same sync, and another for every later one.
fn sync_id(app: &App) -> String {
    uuid_of(&format!("sync of {} at {}: {}", app.id, app.synced_at.0, app.checksum))
}
