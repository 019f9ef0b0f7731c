//! From a path and a method to an endpoint.

use super::endpoint::{Opened, Opening, Respond};
use super::response::Manner;
use super::{
    Request, Response, accept, apps, cancellations, checkpoint, crons, events, functions, home, key, run_state, runs,
    signals, sync, watch,
};
use crate::error::{Code, Refusal};

/// Opens the endpoint that the request is for, and says how its refusals are written.
pub(super) fn open(opening: &Opening<'_>) -> (Manner, Opened) {
    let segments = match opening.request.segments() {
        Ok(segments) => segments,
        Err(refusal) => return (Manner::Api, Err(refusal)),
    };
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let Some(route) = Route::find(&segments) else { return (Manner::Api, Err(unknown(opening.request, &segments))) };
    let manner = if route.is_for_events() { Manner::Events } else { Manner::Api };
    // A shell leaves the body of an answer to HEAD away.
    let method = match opening.request.method.as_str() {
        "HEAD" => "GET",
        method => method,
    };
    if route.is_for_events() && method == "OPTIONS" {
        return (manner, Ok(Box::new(Respond(preflight(opening.request, route.methods())))));
    }
    if !route.methods().split(", ").any(|allowed| allowed == method) {
        return (Manner::NotAllowed(route.methods()), Err(not_allowed(opening.request, route.methods())));
    }
    (manner, route.open(opening, method))
}

/// Every path there is.
enum Route<'a> {
    Health,
    Dev,
    Register,
    Remove,
    Sync,
    Accept(&'a str),
    Invoke(&'a str),
    Events,
    Event(&'a str),
    EventRuns(&'a str),
    Runs,
    Run(&'a str),
    Timeline(&'a str),
    Journal(&'a str),
    Rerun(&'a str),
    RunV0(&'a str),
    Actions(&'a str),
    Batch(&'a str),
    Checkpoint(&'a str),
    AppFunctions(&'a str),
    Flow(&'a str),
    Pause(&'a str),
    Resume(&'a str),
    Crons,
    Signals,
    Cancellations,
    Cancellation(&'a str),
}

impl<'a> Route<'a> {
    fn find(segments: &[&'a str]) -> Option<Self> {
        Some(match *segments {
            ["health"] => Self::Health,
            ["dev"] => Self::Dev,
            ["fn", "register"] => Self::Register,
            ["fn", "remove"] => Self::Remove,
            ["fn", "sync"] => Self::Sync,
            ["e"] => Self::Accept(""),
            ["e", key] => Self::Accept(key),
            ["invoke", slug] => Self::Invoke(slug),
            ["v1", "events"] => Self::Events,
            ["v1", "events", id] => Self::Event(id),
            ["v1", "events", id, "runs"] => Self::EventRuns(id),
            ["v1", "runs"] => Self::Runs,
            ["v1", "runs", id] => Self::Run(id),
            ["v1", "runs", id, "timeline"] => Self::Timeline(id),
            ["v1", "runs", id, "journal"] => Self::Journal(id),
            ["v1", "runs", id, "rerun"] => Self::Rerun(id),
            ["v0", "runs", id] => Self::RunV0(id),
            ["v0", "runs", id, "actions"] => Self::Actions(id),
            ["v0", "runs", id, "batch"] => Self::Batch(id),
            ["v1", "checkpoint", id, "async"] => Self::Checkpoint(id),
            ["v1", "apps", app, "functions"] => Self::AppFunctions(app),
            ["v1", "functions", id, "flow"] => Self::Flow(id),
            ["v1", "functions", id, "pause"] => Self::Pause(id),
            ["v1", "functions", id, "resume"] => Self::Resume(id),
            ["v1", "crons"] => Self::Crons,
            ["v1", "signals"] => Self::Signals,
            ["v1", "cancellations"] => Self::Cancellations,
            ["v1", "cancellations", id] => Self::Cancellation(id),
            _ => return None,
        })
    }

    const fn is_for_events(&self) -> bool {
        matches!(self, Self::Accept(_) | Self::Invoke(_))
    }

    /// As the `allow` header tells them.
    const fn methods(&self) -> &'static str {
        match self {
            Self::Register => "POST, PUT",
            Self::Remove | Self::RunV0(_) | Self::Cancellation(_) => "DELETE",
            Self::Cancellations => "GET, HEAD, POST",
            Self::Sync | Self::Checkpoint(_) | Self::Signals | Self::Rerun(_) | Self::Pause(_) | Self::Resume(_) => {
                "POST"
            }
            Self::Accept(_) | Self::Invoke(_) => "POST, OPTIONS",
            Self::Run(_) => "GET, HEAD, DELETE",
            _ => "GET, HEAD",
        }
    }

    /// Checks the key that the route needs.
    fn admit(&self, opening: &Opening<'_>) -> Result<(), Refusal> {
        match self {
            Self::Health => Ok(()),
            Self::Accept(key) => key::event(opening, key),
            _ => key::signing(opening),
        }
    }

    fn open(&self, opening: &Opening<'_>, method: &str) -> Opened {
        self.admit(opening)?;
        match self {
            Self::Health => home::health(),
            Self::Dev => home::dev(opening),
            Self::Register => sync::register(opening),
            Self::Remove => sync::remove(opening),
            Self::Sync => sync::sync(opening),
            Self::Accept(_) => accept::events(opening),
            Self::Invoke(slug) => accept::invoke(opening, slug),
            Self::Events => events::list(opening),
            Self::Event(id) => events::one(opening, id),
            Self::EventRuns(id) => events::runs(opening, id),
            Self::Runs => runs::list(opening),
            Self::Run(id) if method == "DELETE" => runs::cancel(id, 200),
            Self::Run(id) => watch::run(opening, id),
            Self::Timeline(id) => watch::timeline(opening, id),
            Self::Journal(id) => runs::journal(id),
            Self::Rerun(id) => runs::rerun(opening, id),
            Self::RunV0(id) => runs::cancel(id, 204),
            Self::Actions(id) => run_state::actions(id),
            Self::Batch(id) => run_state::batch(id),
            Self::Checkpoint(id) => checkpoint::background(opening, id),
            Self::AppFunctions(app) => apps::functions(app),
            Self::Flow(id) => functions::flow(opening, id),
            Self::Pause(id) => functions::pause(opening, id),
            Self::Resume(id) => functions::resume(opening, id),
            Self::Crons => crons::list(opening),
            Self::Signals => signals::send(opening),
            Self::Cancellations if method == "POST" => cancellations::create(opening),
            Self::Cancellations => cancellations::list(opening),
            Self::Cancellation(id) => cancellations::forget(opening, id),
        }
    }
}

/// Browsers may post events from anywhere; the event key is what guards them (SERVER §1.2).
fn preflight(request: &Request, methods: &str) -> Response {
    let headers = request.header("access-control-request-headers").unwrap_or("*");
    Response::json(200, &())
        .with("access-control-allow-origin", "*")
        .with("access-control-allow-methods", methods)
        .with("access-control-allow-headers", headers)
        .with("access-control-max-age", "3600")
}

fn unknown(request: &Request, segments: &[&str]) -> Refusal {
    if let Some(feature) = unbuilt(segments) {
        let message = format!("{}: this server does not support {feature} yet", request.path);
        return Refusal::new(Code::FeatureUnsupported, message);
    }
    let hint = match request.path.trim_matches('/').split('/').next() {
        Some("e") => "events are posted to /e/<event key>",
        Some("v2" | "api") => "the REST API is at /v1, and v2 is not built yet",
        Some("") => "this is an API; ask /health whether the server is well, /dev what it knows, /v1/runs for runs",
        _ => "see /dev for what the server knows, /v1/events and /v1/runs for what happened",
    };
    Refusal::new(Code::RouteUnknown, format!("there is nothing at {}: {hint}", request.path))
}

/// What SDKs would use a path for that is not built here yet (PROTOCOL §7.11, §7.13, §9, §10): said at once, so that nothing waits for it.
fn unbuilt(segments: &[&str]) -> Option<&'static str> {
    match segments {
        ["v1", "realtime", ..] => Some("realtime channels"),
        ["v1", "checkpoint"] | ["v1", "checkpoint", _, "steps" | "output"] | ["v1", "http", "runs", ..] => {
            Some("durable endpoints")
        }
        ["v1", "traces", ..] => Some("traces from apps"),
        ["v1", "runs", _, "metadata"] => Some("metadata on runs"),
        ["v0", "connect", ..] => Some("Connect: serve your functions over HTTP"),
        ["v0", "gql"] => Some("GraphQL: use the REST API at /v1"),
        _ => None,
    }
}

fn not_allowed(request: &Request, methods: &str) -> Refusal {
    let message = format!("{} does not take {}; it takes {methods}", request.path, request.method);
    Refusal::new(Code::MethodNotAllowed, message)
}
