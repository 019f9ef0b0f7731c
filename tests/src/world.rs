//! One server and the apps that it serves.

use crate::{App, Client, Finished, Keys, Mode, Sdk, Server, until};
use serde_json::{Value, json};

/// A server and its apps, all synced.
pub struct World {
    /// The server.
    pub server: Server,
    /// The apps by their SDK.
    pub apps: Vec<(Sdk, App)>,
}

impl World {
    /// A dev server with one app process per SDK, every lane of it synced.
    pub fn dev(sdks: &[Sdk]) -> Self {
        Self::dev_with(&[], sdks)
    }

    /// As [`World::dev`], with a server that is given these arguments.
    pub fn dev_with(arguments: &[&str], sdks: &[Sdk]) -> Self {
        Self::new(Server::start(Mode::Dev, arguments), sdks, &Keys::None)
    }

    /// As [`World::dev`], with a server of the caller's.
    pub fn new(server: Server, sdks: &[Sdk], keys: &Keys) -> Self {
        let apps: Vec<_> = sdks.iter().map(|sdk| (*sdk, App::start(*sdk, &server.origin(), keys))).collect();
        for (sdk, app) in &apps {
            for lane in sdk.lanes() {
                let answer = app.sync(lane);
                assert_eq!(answer.status, 200, "sync of {lane}: {answer:?}");
            }
        }
        Self { server, apps }
    }

    /// All lanes of all apps.
    pub fn lanes(&self) -> Vec<Lane<'_>> {
        let client = self.server.client();
        let mut all = Vec::new();
        for (sdk, app) in &self.apps {
            all.extend(sdk.lanes().iter().map(|id| Lane { id, sdk: *sdk, app, client: client.clone() }));
        }
        all
    }

    /// One lane by its name.
    pub fn lane(&self, id: &str) -> Lane<'_> {
        self.lanes().into_iter().find(|lane| lane.id == id).expect("a lane of this world")
    }
}

/// One registered app.
pub struct Lane<'a> {
    /// Its name, which begins the names of its functions and events.
    pub id: &'static str,
    /// Its SDK.
    pub sdk: Sdk,
    /// The process that serves it.
    pub app: &'a App,
    /// The server.
    pub client: Client,
}

impl Lane<'_> {
    /// A function's slug.
    pub fn slug(&self, function: &str) -> String {
        format!("{}-{function}", self.id)
    }

    /// An event of this lane.
    pub fn event(&self, name: &str, data: &Value) -> Value {
        json!({"name": format!("{}/{name}", self.id), "data": data})
    }

    /// Starts a function by its event; the run's id.
    pub fn start(&self, function: &str, data: &Value) -> String {
        let ids = self.client.send(&self.event(function, data));
        self.client.run_of(&ids[0], &self.slug(function))
    }

    /// Starts a function and waits for its end.
    pub fn run(&self, function: &str, data: &Value) -> Finished {
        let run = self.start(function, data);
        self.finish(&run)
    }

    /// Waits for a run's end, and until the app has seen the end of every call.
    pub fn finish(&self, run: &str) -> Finished {
        let summary = self.client.over(run);
        let seen = until("the app has answered all calls", || {
            let seen = self.app.seen(Some(run));
            let calls = seen["calls"].as_array()?;
            calls.iter().all(|call| !call["answer"].is_null()).then_some(seen)
        });
        Finished::new(run, summary, self.client.journal(run), &seen)
    }

    /// Whether the SDK saves steps by checkpoints here.
    pub fn checkpoints(&self) -> bool {
        self.sdk == Sdk::Js4 && self.id != "js4-plain"
    }

    /// Whether it answers with version 1, whose discoveries are not coalesced.
    pub fn is_version_1(&self) -> bool {
        self.sdk == Sdk::Js3 || self.id == "js4-v1"
    }
}
