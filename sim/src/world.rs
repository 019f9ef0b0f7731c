//! The world: one clock, one agenda of everything that may happen next, and the seed that decides.
//!
//! The loop takes the next thing of the agenda, lets it happen, and checks what must hold. Whatever takes time (a message,
//! a call, a commit) is put back into the agenda with a delay that the dice give: that is all the reordering there is.

use crate::app::program::Program;
use crate::app::{self, App, Move};
use crate::dice::Dice;
use crate::fault::{Fault, Faults};
use crate::home::{Cell, Home, Hot, Kind, file, objects};
use crate::invariant::{Invariant, Violation, Watched, require, starts_once};
use crate::script::Script;
use crate::server::{Asker, Open};
use crate::trace::Trace;
use crate::user::Users;
use serde_json::Value;
use std::collections::BTreeMap;
use stepwell_engine::http::{Request, Response};
use stepwell_engine::ids::{Entropy, Millis};
use stepwell_engine::turn::{
    ActorKind, Address, AppAnswer, AppCall, CallFailure, CallOutcome, Done, Message, Settings, Supplied, Turn,
};

/// The moment at which every world begins, in milliseconds since the Unix epoch.
pub const BEGIN_MS: u64 = 1_800_000_000_000;
/// For so long things go wrong.
const WILD_MS: u64 = 600_000;
/// More than this never happens in a world that comes to rest.
const THINGS_MAX: usize = 300_000;
/// Calls of one run that may go wrong: fewer than its retries, so that its program decides how it ends.
const CALL_FAILURES_MAX: u32 = 4;
/// The longest that anything takes to travel.
const TRAVEL_MS_MAX: u64 = 40;
/// The longest that it takes when it is late.
const LATE_MS_MAX: u64 = 30_000;

/// Something that happens.
pub enum Thing {
    /// The file's process takes messages in (of this life).
    Drain(u64),
    /// A message for an actor in the file (of this life).
    Queue(u64, Address, Message),
    /// The file's process is back.
    Restart(u64),
    /// A message of an outbox arrives.
    Carry(Address, u64),
    /// A message of an outbox is sent again unless it was confirmed.
    Resend(Address, u64),
    /// A message of an outbox was taken in.
    Confirm(Address, u64),
    /// A message for an object.
    Deliver(Address, Message),
    /// An alarm, by its number; none: it comes although nobody set it.
    Alarm(Address, Option<u64>),
    /// A call reaches the app.
    CallArrives(Address, Sent, Box<AppCall>),
    /// The app goes on with a request.
    AppGoesOn(u64),
    /// An answer, or the lack of one, reaches the server.
    Answered(Address, u64, Box<CallOutcome>),
    /// A request reaches the server.
    Http(Asker, Box<Request>),
    /// A response, or the lack of one, reaches who asked.
    Heard(Asker, Option<Response>),
    /// A user does what comes next.
    User(usize),
}

/// When a call was made, and by whom.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// Which life of the file's process made it.
    pub life: u64,
    /// Its place among all that happened.
    pub number: u64,
    /// No other attempt of its unit follows: what goes wrong now would be the end of the run.
    pub is_last: bool,
}

/// What is simulated.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Which home.
    pub kind: Kind,
    /// The app's functions.
    pub programs: Vec<Program>,
    /// Events that users send.
    pub events: usize,
    /// Whether users also send things twice and cancel runs.
    pub restless: bool,
    /// Dies at this crash point, counted from 1.
    pub crash_at: Option<u64>,
}

/// The world.
pub struct World {
    /// The true time in milliseconds since the Unix epoch.
    pub now: u64,
    /// The seed's numbers.
    pub dice: Dice,
    /// What goes wrong.
    pub faults: Faults,
    /// Where actors live.
    pub home: Home,
    /// What happened.
    pub trace: Trace,
    /// What the engine was asked and gave.
    pub script: Script,
    /// Crash points so far.
    pub points: u64,
    /// The app.
    pub app: App,
    /// The users.
    pub users: Users,
    /// Requests that the server is working on.
    pub(crate) open: BTreeMap<u64, Open>,
    pub(crate) next: u64,
    pub(crate) settings: Settings,
    skew_ms: i64,
    crash_at: Option<u64>,
    agenda: BTreeMap<(u64, u64), Thing>,
    runs: BTreeMap<String, Watched>,
    live: BTreeMap<String, String>,
    alarms: BTreeMap<Address, u64>,
    failures: BTreeMap<String, u32>,
}

impl World {
    /// A world at its beginning.
    #[must_use]
    pub fn new(setup: Setup, faults: Faults, dice: Dice) -> Self {
        let users = Users::new(setup.events, setup.restless);
        let mut world = Self {
            now: BEGIN_MS,
            dice,
            faults,
            home: Home::new(setup.kind),
            trace: Trace::default(),
            script: Script::default(),
            points: 0,
            app: App::new(setup.programs),
            users,
            open: BTreeMap::new(),
            next: 0,
            settings: Settings {
                retry_interval: Some(Millis(2_000)),
                version: "sim".to_owned(),
                ..Settings::default()
            },
            skew_ms: 0,
            crash_at: setup.crash_at,
            agenda: BTreeMap::new(),
            runs: BTreeMap::new(),
            live: BTreeMap::new(),
            alarms: BTreeMap::new(),
            failures: BTreeMap::new(),
        };
        world.after(0, Thing::User(0));
        world
    }

    /// Keeps the script, which is otherwise only hashed. To be asked for before anything happens.
    pub fn record(&mut self) {
        self.script.keep(&self.settings);
    }

    /// Lets everything happen, and checks what must hold.
    ///
    /// # Errors
    /// The first promise that is broken.
    pub fn run(&mut self) -> Result<(), Violation> {
        for _ in 0..THINGS_MAX {
            let Some(((at, _), thing)) = self.agenda.pop_first() else { return self.at_rest() };
            self.now = at;
            if at > BEGIN_MS.saturating_add(WILD_MS) {
                self.faults.stop();
            }
            if self.strikes(Fault::ClockSteps) {
                let step = i64::try_from(self.dice.below(120_000)).unwrap_or(0).saturating_sub(60_000);
                self.skew_ms = self.skew_ms.saturating_add(step).clamp(-120_000, 120_000);
                self.say(&format!("the clock steps by {step} ms"));
            }
            self.happen(thing)?;
        }
        require(false, Invariant::EverythingEnds, || format!("{THINGS_MAX} things happened and there is no end"))
    }

    fn happen(&mut self, thing: Thing) -> Result<(), Violation> {
        match thing {
            Thing::Drain(life) if life == self.home.life => file::drain(self),
            Thing::Queue(life, to, message) if life == self.home.life => {
                self.queue(to, message);
                Ok(())
            }
            Thing::Restart(life) if life == self.home.life => file::restart(self),
            Thing::Drain(_) | Thing::Queue(..) | Thing::Restart(_) => Ok(()),
            Thing::Carry(from, number) => objects::carry(self, &from, number),
            Thing::Resend(from, number) => {
                objects::resend(self, &from, number);
                Ok(())
            }
            Thing::Confirm(from, number) => {
                if let Some(cell) = self.home.cells.get_mut(&from) {
                    cell.outbox.remove(&number);
                }
                Ok(())
            }
            Thing::Deliver(to, message) => objects::deliver(self, &to, message, None),
            Thing::Alarm(at, number) => self.alarm(&at, number),
            Thing::CallArrives(from, sent, call) => {
                let id = self.fresh();
                self.app.open(id, from, sent, &call);
                self.app_goes_on(id)
            }
            Thing::AppGoesOn(id) => self.app_goes_on(id),
            Thing::Answered(to, life, outcome) => self.answered(to, life, *outcome),
            Thing::Http(from, request) => {
                self.serve(from, *request);
                Ok(())
            }
            Thing::Heard(Asker::App(id), response) => self.checkpointed(id, response.map(|response| response.status)),
            Thing::Heard(Asker::User(user), response) => {
                crate::user::heard(self, user, response);
                Ok(())
            }
            Thing::User(user) => {
                crate::user::act(self, user);
                Ok(())
            }
        }
    }

    /// Adds a line to the story.
    pub fn say(&mut self, what: &str) {
        self.trace.say(self.now.saturating_sub(BEGIN_MS), what);
    }

    /// Whether a fault strikes here.
    pub fn strikes(&mut self, fault: Fault) -> bool {
        self.faults.strikes(fault, &mut self.dice)
    }

    /// A point where the home may die; whether it does.
    pub fn point(&mut self) -> bool {
        self.points = self.points.saturating_add(1);
        self.crash_at == Some(self.points) || self.strikes(Fault::Crash)
    }

    /// A number that was not used before.
    pub fn fresh(&mut self) -> u64 {
        self.next = self.next.saturating_add(1);
        self.next
    }

    /// Lets something happen after `ms`.
    pub fn after(&mut self, ms: u64, thing: Thing) {
        let number = self.fresh();
        self.agenda.insert((self.now.saturating_add(ms), number), thing);
    }

    /// Lets something happen once it has travelled.
    pub fn travels(&mut self, thing: Thing) {
        let late = self.strikes(Fault::MessageLate);
        let ms = self.dice.below(if late { LATE_MS_MAX } else { TRAVEL_MS_MAX });
        self.after(ms, thing);
    }

    /// The server's clock.
    #[must_use]
    pub fn clock(&self) -> u64 {
        self.now.saturating_add_signed(self.skew_ms)
    }

    /// Hands a message to an actor, in the manner of the home.
    pub fn queue(&mut self, to: Address, message: Message) {
        match self.home.kind {
            // What reaches a process that is down is lost; it looks at its file when it is back.
            Kind::File if !self.home.is_up => {}
            Kind::File => {
                if self.home.inbox.is_empty() {
                    self.after(1, Thing::Drain(self.home.life));
                }
                self.home.inbox.push_back((to, message));
            }
            Kind::Objects => self.travels(Thing::Deliver(to, message)),
        }
    }

    /// A turn of the actor at `to`, whose rows are `cell`.
    ///
    /// # Errors
    /// The engine failed, which it must not.
    pub fn turn(&mut self, to: &Address, message: &Message, cell: &Cell) -> Result<Done, Violation> {
        let fault = |what: String| Violation { invariant: Invariant::NoFault, what };
        let mut hot = match self.home.hot.remove(to) {
            Some(hot) => hot,
            None => {
                let rows = Hot::rows(to, cell);
                self.script.loaded(to, &rows);
                Hot::load(to, &rows).map_err(|e| fault(format!("{to:?} cannot be made: {e}")))?
            }
        };
        self.say(&format!("{:?}/{} <- {}", to.kind, to.key, file::kind(message)));
        let catalog = self.home.catalog.clone();
        self.script.decides_by(&catalog);
        let turn = Turn {
            now: Millis(self.clock()),
            entropy: Entropy(self.dice.entropy()),
            catalog: &catalog,
            settings: &self.settings,
            supplied: &Supplied::default(),
        };
        let done = hot.turn(to, &turn, message, cell, &mut self.script);
        let done = done.map_err(|e| fault(format!("{to:?}: {e}")))?;
        self.home.hot.insert(to.clone(), hot);
        Ok(done)
    }

    /// Makes the rows of an actor durable.
    ///
    /// # Errors
    /// A promise is broken.
    pub fn commit(&mut self, address: &Address, cell: Cell) -> Result<(), Violation> {
        let before = self.home.cells.get(address);
        if address.kind == ActorKind::Run {
            let fresh = cell.rows.iter().filter(|(key, _)| !before.is_some_and(|cell| cell.rows.contains_key(*key)));
            let watched = self.runs.entry(address.key.clone()).or_default();
            for (_, value) in fresh {
                watched.row(&address.key, &serde_json::from_slice(value).unwrap_or_default())?;
            }
        }
        if let Some(hot) = self.home.hot.get(address) {
            let fold = Hot::load(address, &Hot::rows(address, &cell));
            let fold = fold.map_err(|e| Violation { invariant: Invariant::NoFault, what: e.to_string() })?;
            require(hot.state() == fold.state(), Invariant::HotIsTheFold, || {
                format!("{address:?} is {:?}, but its rows say {:?}", hot.state(), fold.state())
            })?;
        }
        self.home.cells.insert(address.clone(), cell);
        Ok(())
    }

    /// When an actor's alarm is due, by the true clock.
    fn due(&self, address: &Address) -> Option<u64> {
        let cell = self.home.cells.get(address)?;
        let wake = cell.wake_at.map(|at| at.saturating_add_signed(self.skew_ms.saturating_neg()));
        wake.into_iter().chain(cell.leases.values().copied()).min()
    }

    /// Sets the alarm that an actor wants, in place of the one that it had.
    pub fn arm(&mut self, address: &Address) {
        let Some(due) = self.due(address) else {
            self.alarms.remove(address);
            return;
        };
        let wait = due.saturating_sub(self.now);
        if self.strikes(Fault::AlarmEarly) {
            let early = self.dice.below(wait);
            self.after(early, Thing::Alarm(address.clone(), None));
        }
        if self.strikes(Fault::AlarmTwice) {
            self.after(wait, Thing::Alarm(address.clone(), None));
        }
        let late = if self.strikes(Fault::AlarmLate) { self.dice.below(LATE_MS_MAX) } else { 0 };
        self.arm_after(address, wait.saturating_add(late));
    }

    /// Sets an actor's alarm for `ms` from now.
    pub fn arm_after(&mut self, address: &Address, ms: u64) {
        let number = self.fresh();
        self.alarms.insert(address.clone(), number);
        self.after(ms, Thing::Alarm(address.clone(), Some(number)));
    }

    fn alarm(&mut self, at: &Address, number: Option<u64>) -> Result<(), Violation> {
        if number.is_some() && self.alarms.get(at).copied() != number {
            return Ok(());
        }
        let Some(due) = self.due(at) else { return Ok(()) };
        if number.is_some() && due > self.now {
            // The clock was set back.
            self.arm(at);
            return Ok(());
        }
        match self.home.kind {
            Kind::File => {
                self.queue(at.clone(), Message::Wake);
                Ok(())
            }
            Kind::Objects => {
                let now = self.now;
                let lost = self.home.cells.get(at).is_some_and(|cell| cell.leases.values().any(|until| *until <= now));
                if lost {
                    let run = format!("{}/", at.key);
                    self.live.retain(|unit, _| !unit.starts_with(&run));
                }
                objects::alarm(self, at)
            }
        }
    }

    /// Makes a call.
    ///
    /// # Errors
    /// Another one of the same unit is alive, or what it carries has changed.
    pub fn call(&mut self, from: &Address, call: AppCall) -> Result<(), Violation> {
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        self.runs.entry(from.key.clone()).or_default().call(&from.key, &body["steps"])?;
        let unit = call.id.rsplit_once('/').map_or(call.id.as_str(), |(unit, _)| unit).to_owned();
        let other = self.live.insert(unit, call.id.clone());
        require(other.is_none(), Invariant::OneLiveAttempt, || format!("{} is called beside {other:?}", call.id))?;
        self.say(&format!("call {}", call.id));
        let life = self.home.life;
        let ctx = &body["ctx"];
        let attempt = ctx["attempt"].as_u64().unwrap_or(0);
        let is_last = ctx["max_attempts"].as_u64().is_some_and(|attempts| attempt.saturating_add(1) >= attempts);
        let sent = Sent { life, number: self.fresh(), is_last };
        if self.call_fails(&from.key, sent, Fault::CallLost) {
            let answer = Err(CallFailure::Unreachable("the connection is refused".to_owned()));
            self.travels(Thing::Answered(from.clone(), life, Box::new(CallOutcome { id: call.id, answer })));
        } else if self.call_fails(&from.key, sent, Fault::AppHangs) {
            let answer = Err(CallFailure::TimedOut("the app hangs".to_owned()));
            let outcome = Box::new(CallOutcome { id: call.id, answer });
            self.after(call.time_max.0, Thing::Answered(from.clone(), life, outcome));
        } else {
            self.travels(Thing::CallArrives(from.clone(), sent, Box::new(call)));
        }
        Ok(())
    }

    fn call_fails(&mut self, run: &str, sent: Sent, fault: Fault) -> bool {
        let spent = self.failures.get(run).copied().unwrap_or(0);
        if sent.is_last || spent >= CALL_FAILURES_MAX || !self.strikes(fault) {
            return false;
        }
        self.failures.insert(run.to_owned(), spent.saturating_add(1));
        self.say(&format!("{} for {run}", fault.name()));
        true
    }

    fn app_goes_on(&mut self, id: u64) -> Result<(), Violation> {
        match self.app.go_on(id) {
            None => Ok(()),
            Some(Move::Answer(answer)) => {
                self.answer(id, answer);
                Ok(())
            }
            Some(Move::Save { path, body }) => {
                self.request(Asker::App(id), "POST", &path, body);
                Ok(())
            }
            Some(Move::Wronged(what)) => Err(Violation { invariant: Invariant::AcknowledgedStays, what }),
        }
    }

    fn checkpointed(&mut self, id: u64, status: Option<u16>) -> Result<(), Violation> {
        let now = self.fresh();
        match self.app.saved(id, status, now) {
            None => {}
            Some(None) => {
                let ms = self.dice.below(TRAVEL_MS_MAX);
                self.after(ms, Thing::AppGoesOn(id));
            }
            Some(Some(answer)) => self.answer(id, answer),
        }
        Ok(())
    }

    fn answer(&mut self, id: u64, answer: AppAnswer) {
        let Some(request) = self.app.requests.remove(&id) else { return };
        let run = request.run.clone();
        let answer = if self.call_fails(&run, request.sent, Fault::AppFails) {
            Ok(app::refusal(500))
        } else if self.call_fails(&run, request.sent, Fault::AppBabbles) {
            Ok(AppAnswer { status: 206, body: b"[{]".to_vec(), ..answer })
        } else if self.call_fails(&run, request.sent, Fault::AnswerLost) {
            if self.home.kind == Kind::Objects {
                // Who made the call is gone as well: only the lease knows of it.
                return;
            }
            Err(CallFailure::Unreachable("the connection is reset".to_owned()))
        } else {
            Ok(answer)
        };
        let outcome = CallOutcome { id: request.call, answer };
        let late = if self.strikes(Fault::AnswerLate) { self.dice.below(LATE_MS_MAX) } else { 0 };
        let ms = late.saturating_add(self.dice.below(500));
        if self.strikes(Fault::AnswerTwice) {
            let again = ms.saturating_add(self.dice.below(LATE_MS_MAX));
            self.after(again, Thing::Answered(request.from.clone(), request.sent.life, Box::new(outcome.clone())));
        }
        self.after(ms, Thing::Answered(request.from, request.sent.life, Box::new(outcome)));
    }

    fn answered(&mut self, to: Address, life: u64, outcome: CallOutcome) -> Result<(), Violation> {
        if self.home.kind == Kind::File {
            if life == self.home.life {
                self.home.in_flight.remove(&outcome.id);
                self.live.retain(|_, call| *call != outcome.id);
                self.queue(to, Message::Answered(outcome));
            }
            return Ok(());
        }
        let id = outcome.id.clone();
        let leased = |world: &Self| world.home.cells.get(&to).is_some_and(|cell| cell.leases.contains_key(&id));
        let before = leased(self);
        // The next call of the unit goes out within this delivery: by then the old one is over, if it is taken in at all.
        let held =
            before.then(|| self.live.iter().find(|(_, call)| **call == id).map(|(unit, _)| unit.clone())).flatten();
        if let Some(unit) = &held {
            self.live.remove(unit);
        }
        objects::deliver(self, &to, Message::Answered(outcome), None)?;
        if let Some(unit) = held
            && leased(self)
        {
            self.live.insert(unit, id);
        }
        Ok(())
    }

    /// Sends a request to the server.
    pub fn request(&mut self, from: Asker, method: &str, path: &str, body: Vec<u8>) {
        if self.strikes(Fault::RequestLost) {
            self.after(1_000, Thing::Heard(from, None));
            return;
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body,
        };
        self.travels(Thing::Http(from, Box::new(request)));
    }

    /// The process is gone: nobody hears of what it was asked, and no attempt of it is alive.
    pub fn lose_exchanges(&mut self) {
        self.live.clear();
        for (_, open) in std::mem::take(&mut self.open) {
            self.after(1, Thing::Heard(open.from, None));
        }
    }

    fn at_rest(&self) -> Result<(), Violation> {
        for (run, watched) in &self.runs {
            let function = watched.function.strip_prefix("app-").unwrap_or_default();
            require(watched.ended.is_some(), Invariant::EverythingEnds, || {
                format!("{run} of {function} has not ended")
            })?;
            if let Some(program) = self.app.programs.iter().find(|program| program.name == function) {
                watched.end(run, program, self.users.cancelled.contains(run))?;
            }
        }
        for (address, cell) in &self.home.cells {
            let owes = cell.owing || !cell.outbox.is_empty() || !cell.leases.is_empty();
            require(!owes, Invariant::EverythingEnds, || format!("{address:?} owes something for ever"))?;
        }
        require(self.users.are_done(), Invariant::EverythingEnds, || "a user waits for ever".to_owned())?;
        self.news_came_once()?;
        starts_once(&self.runs, &self.app.programs, &self.users.acknowledged)
    }

    /// The end of every run is in the stream and in the history.
    fn news_came_once(&self) -> Result<(), Violation> {
        let mut told: BTreeMap<String, usize> = BTreeMap::new();
        let events = self.home.cells.get(&Address::stream()).map(|cell| &cell.rows);
        for (_, value) in events.into_iter().flatten().filter(|(key, _)| key.starts_with("event/")) {
            let row: Value = serde_json::from_slice(value).unwrap_or_default();
            let event = &row["event"];
            if event["name"] == "inngest/function.finished" {
                let count = told.entry(event["data"]["run_id"].as_str().unwrap_or_default().to_owned()).or_default();
                *count = count.saturating_add(1);
            }
        }
        let history = self.home.cells.get(&Address::history()).map(|cell| &cell.rows);
        for run in self.runs.keys() {
            let count = told.get(run).copied().unwrap_or(0);
            require(count == 1, Invariant::EndsOnce, || format!("the end of {run} was told {count} times"))?;
            for part in ["started", "ended"] {
                let known = history.is_some_and(|rows| rows.contains_key(&format!("run/{run}/{part}")));
                require(known, Invariant::EndsOnce, || format!("the history does not know that {run} has {part}"))?;
            }
        }
        Ok(())
    }

    /// How many runs there were.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.runs.len()
    }
}
