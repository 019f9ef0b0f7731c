//! The actor that owns the catalog.

use super::change::{Change, live_apps_at};
use super::message::Ask;
use super::overview::{Overview, functions_of};
use super::registration::{self, Refused};
use super::serve_url::{is_callable, url_fault};
use super::sync::{self, AppReport, Report, Sync, Target, Verdict, Waiting};
use super::{Catalog, SyncError, rows};
use crate::actor::Actor;
use crate::cron::message::Tell::Look;
use crate::error::{Code, Fault, Refusal};
use crate::gate::place::{self, Kind};
use crate::gate::slots;
use crate::ids::{AppId, uuid_of};
use crate::limits::SYNCS_WAITING_MAX;
use crate::turn::{Address, CallFailure, CallOutcome, Done, Effect, Message, Outcome, Range, Row, Turn};
use serde::Serialize;
use std::collections::BTreeSet;

/// The actor that owns the catalog. Every change is a new version of it, installed everywhere before it is answered.
pub struct CatalogActor {
    pub(super) catalog: Catalog,
    /// No part of the rows: lost with whoever asked (see [`super::sync`]).
    syncs: Waiting,
}

impl Actor for CatalogActor {
    fn preload(_key: &str) -> Vec<Range> {
        vec![Range::all()]
    }

    fn load(_key: &str, rows: &[(Range, Vec<Row>)]) -> Result<Self, Fault> {
        let catalog = rows::fold(rows.iter().flat_map(|(_, rows)| rows))?;
        Ok(Self { catalog, syncs: Waiting::default() })
    }

    fn turn(&mut self, turn: &Turn<'_>, message: Message) -> Result<Outcome, Fault> {
        let mut done = match message {
            Message::Ask { token, body } => {
                let ask = serde_json::from_slice(&body).map_err(|e| Fault::new("question to the catalog", e))?;
                self.asked(turn, token, ask)?
            }
            Message::Answered(outcome) => self.answered(turn, &outcome)?,
            Message::Resume => self.resumed()?,
            Message::Lost(calls) => self.lost(turn, calls)?,
            Message::Wake => self.told_again()?,
            Message::Tell(_) => return Err(Fault::new("message to the catalog", "nobody tells it anything")),
        };
        done.owing = !self.syncs.is_empty();
        Ok(Outcome::Done(done))
    }
}

impl CatalogActor {
    fn asked(&mut self, turn: &Turn<'_>, token: u64, ask: Ask) -> Result<Done, Fault> {
        let mut done = Done::default();
        match ask {
            Ask::Register { body, deploy_id } => {
                let answer = self.register(turn, body.get().as_bytes(), deploy_id, &mut done)?;
                done.reply(token, &answer)?;
            }
            Ask::RemoveUrl { url } => {
                let answer = self.remove(&url, &mut done)?;
                done.reply(token, &answer)?;
            }
            Ask::Overview => done.reply(token, &Ok::<_, Refusal>(Overview::of(&self.catalog)))?,
            Ask::Functions { app } => {
                let functions = functions_of(&self.catalog, &app.as_str().into());
                let unknown = || Refusal::new(Code::AppUnknown, format!("no app is named {app:?}"));
                done.reply(token, &functions.ok_or_else(unknown))?;
            }
            Ask::Pause { function, paused } => {
                let mut change = Change::default();
                let is_known = change.pause(&self.catalog, &function, paused);
                self.commit(&change, &mut done)?;
                let unknown =
                    || Refusal::new(Code::FunctionUnknown, format!("no app has synced a function {function}"));
                done.reply(token, &is_known.then_some(()).ok_or_else(unknown))?;
            }
            Ask::Sync { url, only_failed } => self.sync(turn, token, url, only_failed, &mut done)?,
        }
        Ok(done)
    }

    fn register(
        &mut self,
        turn: &Turn<'_>,
        body: &[u8],
        deploy_id: Option<String>,
        done: &mut Done,
    ) -> Result<Result<impl Serialize + use<>, Refusal>, Fault> {
        let mut change = Change::default();
        let answer = match registration::read(body, deploy_id, &self.catalog) {
            Ok(registration) => change.register(&self.catalog, registration, turn.now),
            Err(refused) => {
                let error = refusal_error(&refused.refusal);
                if let Some(app) = &refused.app {
                    change.note_sync_of(&self.catalog, app, Some(&error));
                }
                if let Some(url) = &refused.url {
                    self.syncs.note_refusal(url, &error);
                }
                Err(refused.refusal)
            }
        };
        self.commit(&change, done)?;
        Ok(answer)
    }

    fn remove(&mut self, url: &str, done: &mut Done) -> Result<Result<impl Serialize + use<>, Refusal>, Fault> {
        #[derive(Serialize)]
        struct Removed {
            ok: bool,
            apps: Vec<AppId>,
        }

        let mut change = Change::default();
        let apps = change.remove(&self.catalog, url);
        self.commit(&change, done)?;
        if apps.is_empty() {
            return Ok(Err(Refusal::new(Code::AppUnknown, format!("no app is served at {url:?}"))));
        }
        Ok(Ok(Removed { ok: true, apps }))
    }

    /// Calls the apps in question, or answers at once where there is none to call.
    fn sync(
        &mut self,
        turn: &Turn<'_>,
        token: u64,
        url: Option<String>,
        only_failed: bool,
        done: &mut Done,
    ) -> Result<(), Fault> {
        if self.syncs.len() >= SYNCS_WAITING_MAX {
            let message = format!("{SYNCS_WAITING_MAX} syncs are under way already; try again");
            return done.reply(token, &Err::<Report, _>(Refusal::new(Code::Overloaded, message)));
        }
        let urls = url.map_or_else(|| self.known_urls(only_failed), |url| vec![url]);
        if urls.is_empty() {
            return done.reply(token, &Ok::<_, Refusal>(Report { apps: Vec::new() }));
        }
        let mut targets = Vec::new();
        for (position, url) in urls.into_iter().enumerate() {
            // The time tells this ask from one with the same token before a restart.
            let id = format!("sync/{}/{token}/{position}", turn.now.0);
            let report = unsupported(&url).map(|error| AppReport::failed(url.clone(), None, error));
            if report.is_none() {
                done.effects.push(Effect::Call(sync::call(turn, id.clone(), &url)?));
            }
            targets.push(Target { call: id, url, refused: None, report });
        }
        let at_once: Option<Vec<_>> = targets.iter().map(|target| target.report.clone()).collect();
        if let Some(apps) = at_once {
            return done.reply(token, &Ok::<_, Refusal>(Report { apps }));
        }
        self.syncs.push(Sync { token, targets });
        Ok(())
    }

    /// One address for apps that share it, and none for workers that connect by themselves.
    fn known_urls(&self, only_failed: bool) -> Vec<String> {
        let wanted = self.catalog.apps.values().filter(|app| !app.archived && (app.error.is_some() || !only_failed));
        let urls: BTreeSet<&String> = wanted.map(|app| &app.url).filter(|url| is_callable(url)).collect();
        urls.into_iter().cloned().collect()
    }

    fn answered(&mut self, turn: &Turn<'_>, outcome: &CallOutcome) -> Result<Done, Fault> {
        let mut done = Done::default();
        // A call of before a restart, or a second answer: nobody waits for it.
        let Some(target) = self.syncs.target(&outcome.id) else { return Ok(done) };
        let (url, refused) = (target.url.clone(), target.refused.clone());
        let mut change = Change::default();
        let report = match (sync::judge(&outcome.answer, turn.settings, turn.now), &outcome.answer) {
            (Verdict::Failed(error), _) => self.failed(&mut change, url, None, refused.unwrap_or(error)),
            (Verdict::Registered { modified, app_uuid }, _) => {
                change.note_sync(&self.catalog, &url, None);
                let app = self.app_of(&url, app_uuid.as_deref());
                AppReport { url, app, ok: true, modified, error: None }
            }
            (Verdict::InBand, Ok(answer)) => self.register_in_band(turn, url, &answer.body, &mut change),
            (Verdict::InBand, Err(_)) => return Err(Fault::new("verdict on a sync", "in-band without an answer")),
        };
        self.commit(&change, &mut done)?;
        if let Some((token, report)) = self.syncs.settle(&outcome.id, report) {
            done.reply(token, &Ok::<_, Refusal>(report))?;
        }
        Ok(done)
    }

    /// Nobody will answer these: each is judged as an app that could not be reached.
    fn lost(&mut self, turn: &Turn<'_>, calls: Vec<String>) -> Result<Done, Fault> {
        let mut done = Done::default();
        for id in calls {
            let answer = Err(CallFailure::Unreachable("the server lost the call on its way".to_owned()));
            let one = self.answered(turn, &CallOutcome { id, answer })?;
            done.writes.extend(one.writes);
            done.effects.extend(one.effects);
        }
        Ok(done)
    }

    fn register_in_band(&self, turn: &Turn<'_>, url: String, body: &[u8], change: &mut Change) -> AppReport {
        let registered = registration::read(body, None, &self.catalog).and_then(|registration| {
            let app = registration.app.clone();
            let refused = |refusal| Box::new(Refused { refusal, app: Some(app.clone()), url: None });
            let registered = change.register(&self.catalog, registration, turn.now).map_err(refused)?;
            Ok((app, registered.modified))
        });
        match registered {
            Ok((app, modified)) => {
                change.note_sync(&self.catalog, &url, None);
                AppReport { url, app: Some(app), ok: true, modified: Some(modified), error: None }
            }
            Err(refused) => self.failed(change, url, refused.app, refusal_error(&refused.refusal)),
        }
    }

    /// Notes a failure with whichever app is concerned.
    fn failed(&self, change: &mut Change, url: String, app: Option<AppId>, error: SyncError) -> AppReport {
        change.note_sync(&self.catalog, &url, Some(&error));
        if let Some(app) = &app {
            change.note_sync_of(&self.catalog, app, Some(&error));
        }
        let app = app.or_else(|| self.app_of(&url, None));
        AppReport::failed(url, app, error)
    }

    /// Which app it was: the one with this UUID, or else the one at this address that synced last.
    fn app_of(&self, url: &str, app_uuid: Option<&str>) -> Option<AppId> {
        let by_uuid = app_uuid.and_then(|uuid| self.catalog.apps.keys().find(|name| uuid_of(name.as_str()) == uuid));
        let newest = || live_apps_at(&self.catalog, url).max_by_key(|app| app.synced_at).map(|app| &app.id);
        by_uuid.or_else(newest).cloned()
    }

    /// The snapshot, whatever its version, for a shell that has made this actor anew and knows no other.
    fn told_again(&self) -> Result<Done, Fault> {
        let mut done = Done::default();
        done.effects.push(install(&self.catalog)?);
        Ok(done)
    }

    /// The shell has lost what it knew: it gets the snapshot. Syncs under way are lost with it.
    fn resumed(&mut self) -> Result<Done, Fault> {
        let mut done = self.told_again()?;
        // Not only after a sync: schedules go on when the server comes back, also those that an older version did not plan.
        for function in self.catalog.functions.values().filter(|function| function.schedules().next().is_some()) {
            done.send(Address::cron(&function.id), &Look)?;
        }
        self.syncs.clear();
        Ok(done)
    }

    /// Writes `change`, applies it as a reload would, and has the new version installed; nothing where nothing changes.
    fn commit(&mut self, change: &Change, done: &mut Done) -> Result<(), Fault> {
        if change.is_empty() {
            return Ok(());
        }
        change.write(self.catalog.version.saturating_add(1), done)?;
        let next = rows::applied(&self.catalog, &done.writes)?;
        done.effects.push(install(&next)?);
        let has_schedules =
            |catalog: &Catalog, id| catalog.function(id).is_some_and(|f| f.schedules().next().is_some());
        for id in change.functions() {
            if has_schedules(&self.catalog, id) || has_schedules(&next, id) {
                done.send(Address::cron(id), &Look)?;
            }
            let limits = |catalog: &Catalog| catalog.function(id).and_then(slots::limits_of);
            if limits(&self.catalog) != limits(&next) {
                done.send(Address::gate(&place::key(Kind::Slots, id, "")), &slots::message::Tell::Configured)?;
            }
        }
        self.catalog = next;
        Ok(())
    }
}

fn install(catalog: &Catalog) -> Result<Effect, Fault> {
    Ok(Effect::Install { version: catalog.version, snapshot: catalog.encode()? })
}

/// Why the server cannot call `url` at all, if it cannot.
fn unsupported(url: &str) -> Option<SyncError> {
    if let Some(fault) = url_fault(url) {
        return Some(SyncError::new("unsupported_protocol", fault));
    }
    (!is_callable(url)).then(|| SyncError::new("unsupported_protocol", format!("{url:?} is neither http nor https")))
}

/// A refusal as the sync errors name it (PROTOCOL §1.9).
fn refusal_error(refusal: &Refusal) -> SyncError {
    let code = match refusal.code {
        Code::ConfigInvalid => "invalid_function",
        other => other.as_str(),
    };
    SyncError::new(code, refusal.message.clone())
}
