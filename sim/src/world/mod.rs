//! The world: one clock, one agenda of everything that may happen next, and the seed that decides.
//!
//! The loop takes the next thing of the agenda, lets it happen, and checks what must hold. Whatever takes time (a message,
//! a call, a commit) is put back into the agenda with a delay that the dice give: that is all the reordering there is.
//!
//! | file | what happens there |
//! | --- | --- |
//! | [`agenda`] | what may happen, and when |
//! | `turns` | an actor decides; its rows become durable; both are checked |
//! | [`calls`] | calls to the app, its answers, and what goes wrong between |
//! | [`alarms`] | one alarm per actor, early, late, twice |
//! | `rest` | what must hold when nothing happens any more |

pub mod agenda;
pub mod alarms;
pub mod calls;
mod rest;
mod turns;

use crate::app::App;
use crate::app::program::Program;
use crate::dice::{Dice, Purpose};
use crate::fault::{Fault, Faults};
use crate::home::{Home, Kind, file, kv, objects};
use crate::invariant::watch::Watch;
use crate::invariant::{Invariant, Violation, require};
use crate::sabotage::{Sabotage, Saboteur};
use crate::script::Script;
use crate::server::{Asker, Requests};
use crate::trace::{Tone, Trace};
use crate::user::{self, Deed, Users};
use agenda::{Agenda, Thing};
use calls::Calls;
use std::fmt::Arguments;
use stepwell_engine::ids::Millis;
use stepwell_engine::shard::Shards;
use stepwell_engine::turn::{CatchUp, Settings};

/// The moment at which every world begins, in milliseconds since the Unix epoch.
pub const BEGIN_MS: u64 = 1_800_000_000_000;
/// The keys of a server that has some.
const SIGNING_KEY: &str = "signkey-test-abcdef0123456789abcdef0123456789";
/// What users post events with.
pub const EVENT_KEY: &str = "key";
/// For so long things go wrong.
const WILD_MS: u64 = 600_000;
/// More than this never happens in a world that comes to rest.
const THINGS_MAX: usize = 400_000;
/// How far the server's clock is from the true one, at most.
const SKEW_MS_MAX: i64 = 120_000;

/// What is simulated.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Where it all is drawn from.
    pub seed: u64,
    /// Which home.
    pub kind: Kind,
    /// The app's functions.
    pub programs: Vec<Program>,
    /// Events that users send.
    pub events: usize,
    /// Whether users also send things twice, in batches and wrongly, cancel runs, and look.
    pub restless: bool,
    /// What users do besides, and when.
    pub deeds: Vec<(u64, Deed)>,
    /// The server has keys: calls are signed, and requests need one.
    pub is_signed: bool,
    /// Into so many shards the streams and histories are divided.
    pub shards: u32,
    /// An event that came so long before a wait still ends it.
    pub look_back_ms: Option<u64>,
    /// What becomes of times of schedules that were missed.
    pub catch_up: CatchUp,
    /// Dies at this crash point, counted from 1.
    pub crash_at: Option<u64>,
    /// What is wrong with the engine, to see that it is found.
    pub sabotage: Option<Sabotage>,
    /// Whether the story is kept.
    pub is_told: bool,
}

impl Setup {
    /// These functions in this home, one event, and nothing besides.
    #[must_use]
    pub const fn of(seed: u64, kind: Kind, programs: Vec<Program>) -> Self {
        Self {
            seed,
            kind,
            programs,
            events: 1,
            restless: false,
            deeds: Vec::new(),
            is_signed: false,
            shards: 1,
            look_back_ms: None,
            catch_up: CatchUp::All,
            crash_at: None,
            sabotage: None,
            is_told: false,
        }
    }
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
    /// What was seen of it, and what follows from that.
    pub watch: Watch,
    /// Crash points so far.
    pub points: u64,
    /// Turns so far.
    pub turns: u64,
    /// The app.
    pub app: App,
    /// The users.
    pub users: Users,
    /// Requests that the server is working on.
    pub(crate) requests: Requests,
    pub(crate) calls: Calls,
    pub(crate) settings: Settings,
    pub(crate) sabotage: Option<Saboteur>,
    agenda: Agenda,
    skew_ms: i64,
    crash_at: Option<u64>,
}

impl World {
    /// A world at its beginning.
    #[must_use]
    pub fn new(setup: Setup, faults: Faults) -> Self {
        let users = Users::new(setup.seed, setup.events, setup.restless, setup.deeds);
        let keys = |key: &str| if setup.is_signed { vec![key.to_owned()] } else { Vec::new() };
        let mut world = Self {
            now: BEGIN_MS,
            dice: Dice::new(setup.seed, Purpose::World),
            faults,
            home: Home::new(setup.kind),
            trace: if setup.is_told { Trace::kept() } else { Trace::default() },
            script: Script::default(),
            watch: Watch::new(&setup.programs, setup.kind, (setup.is_signed, setup.look_back_ms.unwrap_or(0))),
            points: 0,
            turns: 0,
            app: App::new(setup.programs),
            users,
            requests: Requests::default(),
            calls: Calls::default(),
            settings: Settings {
                cloud: setup.is_signed,
                signing_keys: keys(SIGNING_KEY),
                event_keys: keys(EVENT_KEY),
                retry_interval: Some(Millis(2_000)),
                cron_catch_up: setup.catch_up,
                shards: Shards::new(setup.shards),
                wait_look_back: setup.look_back_ms.map(Millis),
                version: "sim".to_owned(),
                ..Settings::default()
            },
            sabotage: setup.sabotage.map(Saboteur::new),
            agenda: Agenda::default(),
            skew_ms: 0,
            crash_at: setup.crash_at,
        };
        world.watch.catches_up(setup.catch_up);
        if world.sabotage.is_some() {
            world.watch.be_thorough();
        }
        world.after(0, Thing::User(0));
        kv::begin(&mut world);
        world
    }

    /// From now on this is wrong.
    pub fn be_sabotaged(&mut self, what: Sabotage) {
        self.sabotage = Some(Saboteur::new(what));
        self.watch.be_thorough();
    }

    /// Nothing is wrong after all.
    pub fn spare(&mut self) {
        self.sabotage = None;
    }

    /// Keeps the script, which is otherwise only hashed. To be asked for before anything happens.
    pub fn record(&mut self) {
        self.script.keep(&self.settings);
    }

    /// The hash of all that happened: the story, and all that the engine gave.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.trace.fingerprint(&self.script.fingerprint())
    }

    /// Lets everything happen, and checks what must hold.
    ///
    /// # Errors
    /// The first promise that is broken.
    pub fn run(&mut self) -> Result<(), Violation> {
        for _ in 0..THINGS_MAX {
            let Some((at, thing)) = self.agenda.pop() else {
                self.everything_has_ended()?;
                if user::look_back(self) {
                    continue;
                }
                return self.at_rest();
            };
            self.now = at;
            if at > BEGIN_MS.saturating_add(WILD_MS) {
                self.faults.stop();
            }
            if self.strikes(Fault::ClockSteps) {
                let step = i64::try_from(self.dice.below(120_000)).unwrap_or(0).saturating_sub(60_000);
                self.skew_ms = self.skew_ms.saturating_add(step).clamp(-SKEW_MS_MAX, SKEW_MS_MAX);
                self.watch.clock_stepped();
                self.say(Tone::Fault, format_args!("the clock steps by {step} ms"));
            }
            self.happen(thing)?;
        }
        require(false, Invariant::EverythingEnds, || format!("{THINGS_MAX} things happened and there is no end"))
    }

    fn happen(&mut self, thing: Thing) -> Result<(), Violation> {
        match thing {
            Thing::File(event) => file::happen(self, event),
            Thing::Objects(event) => objects::happen(self, event),
            Thing::Kv(event) => kv::happen(self, event),
            Thing::Alarm(at, number) => self.alarm(&at, number),
            Thing::CallArrives(from, sent, call) => self.call_arrives(from, sent, &call),
            Thing::AppGoesOn(id) => self.app_goes_on(id),
            Thing::Answered(to, sent, outcome) => self.answered(&to, sent, *outcome),
            Thing::Http(from, request) => {
                self.serve(from, *request);
                Ok(())
            }
            Thing::Heard(Asker::App(id), response) => self.app_heard(id, response.as_ref()),
            Thing::Heard(Asker::Saving(id), response) => {
                self.app_saved(id, response.as_ref());
                Ok(())
            }
            Thing::Heard(Asker::User(user), response) => user::heard(self, user, response),
            Thing::Heard(Asker::Nobody, _) => Ok(()),
            Thing::User(user) => {
                user::act(self, user);
                Ok(())
            }
        }
    }

    /// Adds a line to the story.
    pub fn say(&mut self, tone: Tone, what: Arguments<'_>) {
        self.trace.say(self.now.saturating_sub(BEGIN_MS), tone, what);
    }

    /// Whether a fault strikes here.
    pub fn strikes(&mut self, fault: Fault) -> bool {
        self.faults.strikes(fault)
    }

    /// A point where the home may die; whether it does.
    pub fn point(&mut self) -> bool {
        self.points = self.points.saturating_add(1);
        self.crash_at == Some(self.points) || self.strikes(Fault::Crash)
    }

    /// The server's clock.
    #[must_use]
    pub fn clock(&self) -> u64 {
        self.now.saturating_add_signed(self.skew_ms)
    }

    /// The true moment of a moment by the server's clock, as it goes now.
    #[must_use]
    pub fn true_moment(&self, at: u64) -> u64 {
        at.saturating_add_signed(self.skew_ms.saturating_neg())
    }

    /// How many runs there were.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.watch.runs().len()
    }
}
