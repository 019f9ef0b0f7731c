//! One thread, virtual time, many instances. Every operation of the store, every message and every call is a step; which task
//! takes the next one is drawn.

use crate::app;
use crate::engine::{EventApi, Inside, Linked};
use crate::memory::{Memory, Operation, Said, Seen};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use stepwell_spin_home::Home;
use stepwell_spin_home::outside::{Came, Door, Outside, SendError};
use stepwell_spin_home::setup::Setup;
use stepwell_spin_home::store::{Put, Store, StoreError};
use stepwell_spin_home::types::{AppCall, Part, Request, Response};

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// An instance of a component.
#[derive(Clone)]
pub enum Instance {
    Public(Rc<Home<Handle, EventApi, Seat>>),
    EventApi(Rc<Home<Handle, EventApi, Seat>>),
    Scheduler(Rc<Home<Handle, Inside, Seat>>),
    Executor(Rc<Home<Handle, Inside, Seat>>),
}

pub struct World {
    pub now: Cell<u64>,
    seed: Cell<u64>,
    tasks: RefCell<Vec<(u64, Work)>>,
    timers: RefCell<BTreeSet<u64>>,
    has_moved: Cell<bool>,
    pub memory: Memory,
    pub instances: RefCell<BTreeMap<u64, Instance>>,
    last: Cell<u64>,
    /// Whoever performs this operation of the store dies before it.
    pub dies_at: Cell<Option<u64>>,
    /// Whoever has performed this operation of the store is held up for so many ms, with all that it does.
    pub holds_up_at: Cell<Option<(u64, u64)>>,
    /// Who is, and until when.
    held_up: RefCell<BTreeMap<u64, u64>>,
    /// Who waits for the answer to which call.
    callers: RefCell<Vec<(u64, String)>>,
    /// Calls of the app, by run and what it was asked: how often it ran what.
    pub app: RefCell<app::App>,
    pub variables: BTreeMap<&'static str, &'static str>,
    /// How long messages and calls take at most.
    pub latency_ms_max: u64,
    pub log: RefCell<Vec<String>>,
}

/// An instance's view of the world.
pub struct Seat {
    world: Rc<World>,
    of: u64,
}

/// An instance's view of the store.
pub struct Handle(Seat);

pub const DOORS: [Part; 4] = [Part::EventApi, Part::EventApi, Part::Scheduler, Part::Executor];

impl World {
    /// A world with `each` instances of every component.
    pub fn new(seed: u64, each: usize) -> Rc<Self> {
        let world = Self::empty(seed);
        world.populate(each);
        world
    }

    pub fn empty(seed: u64) -> Rc<Self> {
        Rc::new(Self {
            now: Cell::new(1_700_000_000_000),
            seed: Cell::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            tasks: RefCell::default(),
            timers: RefCell::default(),
            has_moved: Cell::new(false),
            memory: Memory::default(),
            instances: RefCell::default(),
            last: Cell::new(0),
            dies_at: Cell::new(None),
            holds_up_at: Cell::new(None),
            held_up: RefCell::default(),
            callers: RefCell::default(),
            app: RefCell::default(),
            variables: BTreeMap::from([("kind", "dev"), ("retry_interval_ms", "100"), ("lease_ms", "10000")]),
            latency_ms_max: 5,
            log: RefCell::default(),
        })
    }

    pub fn populate(self: &Rc<Self>, each: usize) {
        for _ in 0..each {
            for place in 0..DOORS.len() {
                self.start(place);
            }
        }
    }

    fn start(self: &Rc<Self>, place: usize) {
        let of = self.last.get() + 1;
        self.last.set(of);
        let mut setup = Setup::read(|name| (*self.variables.get(name).unwrap_or(&"")).to_owned()).unwrap();
        setup.is_public = place == 0;
        let seat = || Seat { world: self.clone(), of };
        let inside = || Rc::new(Home::new(DOORS[place], setup.clone(), Handle(seat()), Linked::new(), seat()));
        let desk = || Rc::new(Home::new(DOORS[place], setup.clone(), Handle(seat()), Linked::new(), seat()));
        let instance = match place {
            0 => Instance::Public(desk()),
            1 => Instance::EventApi(desk()),
            2 => Instance::Scheduler(inside()),
            _ => Instance::Executor(inside()),
        };
        self.instances.borrow_mut().insert(of, instance);
    }

    pub fn draw(&self) -> u64 {
        let mut seed = self.seed.get();
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        self.seed.set(seed);
        seed.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&self, most: u64) -> u64 {
        self.draw() % most.max(1)
    }

    /// One of the instances behind a door.
    fn anyone(&self, wanted: impl Fn(&Instance) -> bool) -> (u64, Instance) {
        let instances = self.instances.borrow();
        let there: Vec<_> = instances.iter().filter(|(_, instance)| wanted(instance)).collect();
        let (of, instance) = there[usize::try_from(self.below(there.len() as u64)).unwrap()];
        (*of, instance.clone())
    }

    /// An instance is gone, with all that it was doing; another one comes up.
    pub fn kill(self: &Rc<Self>, of: u64) {
        let gone = self.instances.borrow_mut().remove(&of);
        let place = match gone {
            Some(Instance::Public(_)) => 0,
            Some(Instance::EventApi(_)) => 1,
            Some(Instance::Scheduler(_)) => 2,
            Some(Instance::Executor(_)) => 3,
            None => return,
        };
        self.start(place);
    }

    /// Kills some instance or other.
    pub fn kill_anyone(self: &Rc<Self>) {
        let (of, _) = self.anyone(|_| true);
        self.kill(of);
    }

    /// An instance does nothing for so long.
    pub fn hold_up(&self, of: u64, ms: u64) {
        let until = self.now.get() + ms;
        self.held_up.borrow_mut().insert(of, until);
        self.timers.borrow_mut().insert(until);
    }

    fn is_held_up(&self, of: u64) -> bool {
        self.held_up.borrow().get(&of).is_some_and(|until| *until > self.now.get())
    }

    /// Who waits for the answer to a call, and which, but for those who are held up.
    pub fn callers(&self) -> Vec<(u64, String)> {
        self.callers.borrow().iter().filter(|(of, _)| !self.is_held_up(*of)).cloned().collect()
    }

    pub fn spawn(&self, of: u64, work: impl Future<Output = ()> + 'static) {
        self.tasks.borrow_mut().push((of, Box::pin(work)));
        self.has_moved.set(true);
    }

    /// Goes on until something holds; whether it came to that before so much time had passed.
    pub fn run(self: &Rc<Self>, ms_max: u64, until: impl Fn() -> bool) -> bool {
        let end = self.now.get() + ms_max;
        // Whether nobody was passed over in the last round.
        let mut is_thorough = false;
        while !until() {
            self.has_moved.set(false);
            let tasks = std::mem::take(&mut *self.tasks.borrow_mut());
            let mut order: Vec<_> = tasks.into_iter().map(|task| (self.draw(), task)).collect();
            order.sort_by_key(|(at, _)| *at);
            for (_, (of, mut work)) in order {
                if of != 0 && !self.instances.borrow().contains_key(&of) {
                    continue;
                }
                if self.is_held_up(of) || !is_thorough && self.below(3) == 0 {
                    self.tasks.borrow_mut().push((of, work));
                    continue;
                }
                if work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
                    self.tasks.borrow_mut().push((of, work));
                } else {
                    self.has_moved.set(true);
                }
            }
            let was_thorough = std::mem::replace(&mut is_thorough, !self.has_moved.get());
            if was_thorough && is_thorough {
                is_thorough = false;
                let next = self.timers.borrow().first().copied().filter(|at| *at <= end);
                let Some(at) = next else {
                    self.now.set(end);
                    return until();
                };
                self.timers.borrow_mut().remove(&at);
                self.now.set(self.now.get().max(at));
            }
        }
        true
    }

    fn sleep(self: &Rc<Self>, ms: u64) -> impl Future<Output = ()> + 'static {
        let (world, at, mut is_set) = (self.clone(), self.now.get() + ms, false);
        std::future::poll_fn(move |_| {
            if world.now.get() >= at {
                world.has_moved.set(true);
                return Poll::Ready(());
            }
            if !std::mem::replace(&mut is_set, true) {
                world.timers.borrow_mut().insert(at);
            }
            Poll::Pending
        })
    }

    fn step(self: &Rc<Self>) -> impl Future<Output = ()> + 'static {
        let (world, mut is_over) = (self.clone(), false);
        std::future::poll_fn(move |_| {
            world.has_moved.set(true);
            if std::mem::replace(&mut is_over, true) { Poll::Ready(()) } else { Poll::Pending }
        })
    }

    /// A request from the world; `None` where whoever was at it died.
    pub fn ask(self: &Rc<Self>, request: Request) -> Rc<RefCell<Option<Option<Response>>>> {
        let (of, instance) = self.anyone(|instance| matches!(instance, Instance::Public(_)));
        let Instance::Public(home) = instance else { unreachable!() };
        let answer = Rc::new(RefCell::new(None));
        let (slot, held) = (Rc::new(RefCell::new(None)), answer.clone());
        let made = slot.clone();
        self.spawn(of, async move {
            *made.borrow_mut() = Some(home.public(request).await);
        });
        let world = self.clone();
        self.spawn(0, async move { *held.borrow_mut() = Some(world.answer_of(of, slot).await) });
        answer
    }

    /// What an instance answers, or that it is gone.
    async fn answer_of(self: &Rc<Self>, of: u64, slot: Rc<RefCell<Option<Response>>>) -> Option<Response> {
        std::future::poll_fn(|_| {
            if let Some(response) = slot.borrow_mut().take() {
                self.has_moved.set(true);
                return Poll::Ready(Some(response));
            }
            if self.instances.borrow().contains_key(&of) { Poll::Pending } else { Poll::Ready(None) }
        })
        .await
    }

    /// The same, to its end.
    pub fn answer(self: &Rc<Self>, method: &str, path: &str, body: &[u8]) -> Option<Response> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: vec![("host".to_owned(), "stepwell.test".to_owned())],
            body: body.to_vec(),
        };
        let answer = self.ask(request);
        assert!(self.run(120_000, || answer.borrow().is_some()), "no answer: {:?}", self.log.borrow());
        answer.take().unwrap()
    }
}

impl Outside for Seat {
    fn now(&self) -> u64 {
        self.world.now.get()
    }

    fn draw(&self) -> u64 {
        self.world.draw()
    }

    fn sleep(&self, ms: u64) -> impl Future<Output = ()> + 'static {
        self.world.sleep(ms)
    }

    fn spawn(&self, work: impl Future<Output = ()> + 'static) {
        self.world.spawn(self.of, work);
    }

    async fn tell(&self, door: Door, path: &str, body: Vec<u8>) -> Result<Vec<u8>, String> {
        let world = &self.world;
        world.sleep(world.below(world.latency_ms_max)).await;
        let (of, instance) = world.anyone(|instance| {
            matches!(
                (door, instance),
                (Door::EventApi, Instance::EventApi(_))
                    | (Door::Scheduler, Instance::Scheduler(_))
                    | (Door::Executor, Instance::Executor(_))
            )
        });
        let request = Request {
            method: "POST".to_owned(),
            path: path.to_owned(),
            query: String::new(),
            headers: Vec::new(),
            body,
        };
        let slot = Rc::new(RefCell::new(None));
        let made = slot.clone();
        world.spawn(of, async move {
            let response = match instance {
                Instance::Public(home) | Instance::EventApi(home) => home.inside(request).await,
                Instance::Scheduler(home) | Instance::Executor(home) => home.inside(request).await,
            };
            *made.borrow_mut() = Some(response);
        });
        match world.answer_of(of, slot).await {
            Some(response) if response.status == 200 => Ok(response.body),
            Some(response) => Err(String::from_utf8_lossy(&response.body).into_owned()),
            None => Err("it is gone".to_owned()),
        }
    }

    async fn send(&self, call: &AppCall, url: &str, until: u64) -> Result<Came, SendError> {
        self.world.step().await;
        if self.now() >= until {
            return Err(SendError::Late);
        }
        let (world, call, url) = (self.world.clone(), call.clone(), url.to_owned());
        let _waits = Waits::new(&self.world, self.of, &call.id);
        let slot = Rc::new(RefCell::new(None));
        let held = slot.clone();
        // What was sent arrives, whatever becomes of its sender.
        self.world.spawn(0, async move {
            world.sleep(world.below(world.latency_ms_max)).await;
            let came = world.app.borrow_mut().answer(&call, &url);
            world.sleep(came.1 + world.below(world.latency_ms_max)).await;
            *held.borrow_mut() = Some(came.0);
        });
        Ok(std::future::poll_fn(|_| slot.borrow_mut().take().map_or(Poll::Pending, Poll::Ready)).await)
    }

    fn log(&self, line: &str) {
        self.world.log.borrow_mut().push(line.to_owned());
    }
}

/// Somebody waits for the answer to a call.
struct Waits {
    world: Rc<World>,
    what: (u64, String),
}

impl Waits {
    fn new(world: &Rc<World>, of: u64, call: &str) -> Self {
        let what = (of, call.to_owned());
        world.callers.borrow_mut().push(what.clone());
        Self { world: world.clone(), what }
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        let mut callers = self.world.callers.borrow_mut();
        let place = callers.iter().position(|held| *held == self.what).unwrap();
        callers.remove(place);
    }
}

impl Handle {
    async fn perform(&self, operation: Operation<'_>) -> Result<Said, StoreError> {
        let Seat { world, of } = &self.0;
        world.step().await;
        if world.dies_at.get() == Some(world.memory.operations.get()) {
            world.dies_at.set(None);
            world.kill(*of);
            return std::future::pending().await;
        }
        let number = world.memory.operations.get();
        let said = world.memory.perform(operation, world.draw());
        if let Some((_, ms)) = world.holds_up_at.get().filter(|(at, _)| *at == number) {
            world.hold_up(*of, ms);
            world.sleep(ms).await;
        }
        said
    }
}

impl Store for Handle {
    type Seen = Seen;

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match self.perform(Operation::Get(key)).await? {
            Said::Value(value) => Ok(value),
            _ => unreachable!(),
        }
    }

    async fn look(&self, key: &str) -> Result<(Option<Vec<u8>>, Seen), StoreError> {
        match self.perform(Operation::Look(key)).await? {
            Said::Seen(value, seen) => Ok((value, seen)),
            _ => unreachable!(),
        }
    }

    async fn put(&self, put: Put) -> Result<(), StoreError> {
        self.perform(Operation::Put(&put.key, put.value)).await.map(drop)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.perform(Operation::Delete(key)).await.map(drop)
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        match self.perform(Operation::Increment(key, delta)).await? {
            Said::Number(number) => Ok(number),
            _ => unreachable!(),
        }
    }

    async fn swap(&self, seen: Seen, value: Vec<u8>) -> Result<bool, StoreError> {
        match self.perform(Operation::Swap(seen, value)).await? {
            Said::Swapped(swapped) => Ok(swapped),
            _ => unreachable!(),
        }
    }
}

impl World {
    /// A seat that belongs to no instance, for tests of documents alone.
    pub fn seat(self: &Rc<Self>) -> Rc<Seat> {
        Rc::new(Seat { world: self.clone(), of: 0 })
    }

    pub fn handle(self: &Rc<Self>) -> Handle {
        Handle(Seat { world: self.clone(), of: 0 })
    }
}
