//! A partition over a real file, with scripted actors in place of wasm.

use super::outside::Outside;
use super::post::{Letter, Receipt};
use super::{CallsMax, Inbox, Turns, TurnsConfig};
use crate::parts::scripted::{self, Scripted, done};
use crate::parts::{Part, Turned};
use crate::place::Place;
use crate::store::{Store, WakeRow};
use crate::wit::{
    Address, Answer, AppCall, AskFailure, CallFailure, CallOutcome, CatalogVersion, Done, Effect, Message, Outcome,
    Publish, Range, RangeRows, Reply, Send, TurnInput, Write,
};
use crate::{clock, limits};
use std::cell::RefCell;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

mod calls;
mod letters;
mod traps;
mod wakes;

/// What reached the world, in order.
#[derive(Clone, Default)]
struct Recorded {
    effects: Rc<RefCell<Vec<String>>>,
    letters: Rc<RefCell<Vec<(u32, Letter)>>>,
    receipts: Rc<RefCell<Vec<(u32, Receipt)>>>,
    catalog: Rc<RefCell<Option<Arc<CatalogVersion>>>>,
}

impl Recorded {
    fn all(&self) -> Vec<String> {
        self.effects.borrow().clone()
    }
}

impl Outside for Recorded {
    fn call(&self, from: &Address, call: AppCall) {
        self.effects.borrow_mut().push(format!("call {} of {}", call.id, from.to_text()));
    }

    fn publish(&self, channel: &str) {
        self.effects.borrow_mut().push(format!("publish {channel}"));
    }

    fn install(&self, catalog: &CatalogVersion) {
        self.effects.borrow_mut().push(format!("install {}", catalog.version));
    }

    fn newest_catalog(&self) -> Option<Arc<CatalogVersion>> {
        self.catalog.borrow().clone()
    }

    fn send(&self, to: u32, letter: Letter) {
        self.letters.borrow_mut().push((to, letter));
    }

    fn receipt(&self, to: u32, receipt: Receipt) {
        self.receipts.borrow_mut().push((to, receipt));
    }
}

/// A partition's file, which outlives the partition.
struct Disk {
    place: Place,
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
}

struct Running {
    turns: Turns<Scripted, Recorded>,
    inbox: Inbox,
    world: Recorded,
}

type Asking = Pin<Box<dyn Future<Output = Answer>>>;

impl Disk {
    fn new() -> Self {
        Self::of(Place::ALONE)
    }

    fn of(place: Place) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        Self { place, folder: tempfile::tempdir().unwrap(), runtime }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("stepwell.db")
    }

    fn sql(&self, statements: &str) {
        rusqlite::Connection::open(self.path()).unwrap().execute_batch(statements).unwrap();
    }

    fn count(&self, query: &str) -> i64 {
        rusqlite::Connection::open(self.path()).unwrap().query_row(query, [], |row| row.get(0)).unwrap()
    }

    fn run(
        &self,
        script: impl FnMut(&Address, &[RangeRows], &TurnInput) -> Result<Turned, String> + 'static,
    ) -> Running {
        self.run_with(script, 100)
    }

    fn run_with(
        &self,
        script: impl FnMut(&Address, &[RangeRows], &TurnInput) -> Result<Turned, String> + 'static,
        calls_max: usize,
    ) -> Running {
        let (inbox, items) = Inbox::new();
        let world = Recorded::default();
        let calls_max = CallsMax { total: calls_max, per_app: calls_max };
        let config = TurnsConfig { place: self.place, calls_max, hot_actors_max: 100, hot_bytes_max: 1 << 20 };
        let store = Store::open(&self.path(), self.place).unwrap();
        let turns = Turns::new(Scripted::new(script), store, world.clone(), items, config);
        Running { turns, inbox, world }
    }

    /// A question that is in the queue.
    fn ask(&self, running: &Running, to: &Address, body: &[u8]) -> Asking {
        let (inbox, to, body) = (running.inbox.clone(), to.clone(), body.to_vec());
        let mut asking: Asking = Box::pin(async move { inbox.ask(to, body).await });
        assert!(self.answer(&mut asking).is_pending());
        asking
    }

    fn answer(&self, asking: &mut Asking) -> Poll<Answer> {
        let _time = self.runtime.enter();
        asking.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }
}

fn run(key: &str) -> Address {
    Address::from_text(&format!("run/{key}")).unwrap()
}

fn stream() -> Address {
    Address::from_text("stream/0").unwrap()
}

fn put(done: &mut Done, key: &str) {
    done.writes.push(Write { key: key.to_owned(), value: Some(key.as_bytes().to_vec()) });
}

fn reply(done: &mut Done, input: &TurnInput) {
    if let Message::Ask((token, body)) = &input.message {
        done.effects.push(Effect::Reply(Reply { token: *token, body: body.clone() }));
    }
}

fn call(id: &str) -> Effect {
    Effect::Call(scripted::call(id, "http://app/"))
}

fn outcome(id: &str) -> CallOutcome {
    CallOutcome { id: id.to_owned(), answer: Err(CallFailure::TimedOut("late".to_owned())) }
}

fn rows_of(running: &Running, actor: &str) -> Vec<String> {
    let all = Range { start: String::new(), end: "\u{10ffff}".to_owned(), limit: 100, descending: false };
    running.turns.store.read(actor, &all).unwrap().into_iter().map(|row| row.key).collect()
}

/// Commits with a row `poison` fail, and only at the commit: the row is taken, the constraint looked at last.
const POISON: &str = "
    CREATE TABLE antidote (id INTEGER PRIMARY KEY);
    CREATE TABLE poisoned (id INTEGER REFERENCES antidote DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER poisoning AFTER INSERT ON rows WHEN NEW.key = 'poison' BEGIN INSERT INTO poisoned VALUES (1); END;";

#[test]
fn rows_are_durable_before_any_effect_leaves() {
    let disk = Disk::new();
    let path = disk.path();
    let mut running = disk.run(|_, _, input| {
        Ok(done(|done| {
            put(done, "k");
            done.effects.push(call("c"));
            done.effects.push(Effect::Publish(Publish { channel: "news".to_owned(), data: Vec::new() }));
            reply(done, input);
        }))
    });
    let mut asking = disk.ask(&running, &run("1"), b"hello");
    assert!(running.world.all().is_empty());
    running.turns.step();
    // Another connection sees them: they are committed.
    let seen: i64 = rusqlite::Connection::open(path)
        .unwrap()
        .query_row("SELECT count(*) FROM rows WHERE actor = 'run/1' AND key = 'k'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(seen, 1);
    assert_eq!(running.world.all(), ["call c of run/1", "publish news"]);
    assert_eq!(disk.answer(&mut asking), Poll::Ready(Ok(b"hello".to_vec())));
}

#[test]
fn a_commit_that_fails_lets_nothing_out_and_the_next_one_works() {
    let disk = Disk::new();
    let mut running = disk.run(|_, rows, input| {
        assert!(rows.iter().all(|held| held.rows.is_empty()), "made of rows that were never durable");
        Ok(done(|done| {
            let Message::Ask((_, body)) = &input.message else { return };
            put(done, &String::from_utf8(body.clone()).unwrap());
            done.effects.push(call("c"));
            done.owing = true;
            reply(done, input);
        }))
    });
    disk.sql(POISON);
    let mut fine = disk.ask(&running, &run("1"), b"fine");
    let mut poisoned = disk.ask(&running, &run("2"), b"poison");
    running.turns.step();
    for asking in [&mut fine, &mut poisoned] {
        assert!(matches!(disk.answer(asking), Poll::Ready(Err(AskFailure::Fault(_)))));
    }
    assert!(running.world.all().is_empty());
    assert!(rows_of(&running, "run/1").is_empty());
    assert_eq!(running.turns.store.wake_row("run/1").unwrap(), None);

    let mut again = disk.ask(&running, &run("1"), b"fine");
    running.turns.step();
    assert_eq!(disk.answer(&mut again), Poll::Ready(Ok(b"fine".to_vec())));
    assert_eq!(rows_of(&running, "run/1"), ["fine"]);
    assert_eq!(running.world.all(), ["call c of run/1"]);
}

#[test]
fn an_answer_that_could_not_be_kept_is_asked_for_again() {
    let disk = Disk::new();
    let mut running = disk.run(|_, _, input| {
        Ok(done(|done| match input.message {
            Message::Answered(_) => put(done, "poison"),
            _ => done.effects.push(call("c")),
        }))
    });
    disk.sql(POISON);
    running.inbox.answered(run("1"), outcome("c"));
    running.turns.step();
    assert!(running.world.all().is_empty());
    while running.world.all().is_empty() {
        running.turns.step();
    }
    assert_eq!(running.turns.parts.turns.last().unwrap(), &("run/1".to_owned(), "wake"));
}

#[test]
fn what_actors_send_each_other_arrives_in_order_within_one_transaction() {
    let disk = Disk::new();
    let mut running = disk.run(|address, _, input| {
        Ok(done(|done| match &input.message {
            Message::Ask(_) => {
                for (to, body) in [(run("1"), "a"), (run("2"), "b"), (run("1"), "c")] {
                    done.effects.push(Effect::Send(Send { to, body: body.as_bytes().to_vec() }));
                }
                reply(done, input);
            }
            Message::Tell(body) => {
                let key = String::from_utf8(body.clone()).unwrap();
                put(done, &key);
                if key == "a" {
                    done.effects.push(Effect::Send(Send { to: stream(), body: b"poison".to_vec() }));
                }
                done.effects.push(Effect::Publish(Publish {
                    channel: format!("{} got {key}", address.to_text()),
                    data: Vec::new(),
                }));
            }
            _ => {}
        }))
    });
    let mut asking = disk.ask(&running, &stream(), b"go");
    running.turns.step();
    assert!(disk.answer(&mut asking).is_ready());
    let got = ["publish run/1 got a", "publish run/2 got b", "publish run/1 got c", "publish stream/0 got poison"];
    assert_eq!(running.world.all(), got);

    // The last message of the chain fails: nothing of the whole chain is kept.
    let disk = Disk::new();
    let mut second = disk.run(|_, _, input| {
        Ok(done(|done| match &input.message {
            Message::Ask(_) => {
                put(done, "k");
                done.effects.push(Effect::Send(Send { to: run("1"), body: Vec::new() }));
            }
            _ => put(done, "poison"),
        }))
    });
    disk.sql(POISON);
    let mut asking = disk.ask(&second, &stream(), b"go");
    second.turns.step();
    assert!(matches!(disk.answer(&mut asking), Poll::Ready(Err(_))));
    assert!(rows_of(&second, "stream/0").is_empty());
}

#[test]
fn a_turn_that_needs_rows_is_asked_again_with_all_of_them_and_the_same_entropy() {
    let disk = Disk::new();
    let mut entropies = Vec::new();
    let mut running = disk.run(move |_, _, input| {
        entropies.push(input.entropy);
        let one = |key: &str| Range { start: key.to_owned(), end: format!("{key}\0"), limit: 1, descending: false };
        Ok(match input.supplied.len() {
            0 => Ok(Outcome::Needs(vec![one("a")])),
            1 => Ok(Outcome::Needs(vec![one("b"), one("c")])),
            _ => {
                assert!(entropies.iter().all(|entropy| *entropy == entropies[0]));
                let held: Vec<_> = input.supplied.iter().map(|supplied| supplied.rows.len()).collect();
                assert_eq!(held, [1, 0, 1]);
                done(|done| reply(done, input))
            }
        })
    });
    for key in ["a", "c"] {
        running.turns.store.write("run/1", &Write { key: key.to_owned(), value: Some(vec![1]) }).unwrap();
    }
    let mut asking = disk.ask(&running, &run("1"), b"");
    running.turns.step();
    assert_eq!(disk.answer(&mut asking), Poll::Ready(Ok(Vec::new())));
}

#[test]
fn an_actor_that_never_has_enough_rows_is_refused() {
    let disk = Disk::new();
    let mut running = disk.run(|_, _, _| Ok(Ok(Outcome::Needs(Vec::new()))));
    let mut asking = disk.ask(&running, &run("1"), b"");
    running.turns.step();
    assert!(matches!(disk.answer(&mut asking), Poll::Ready(Err(AskFailure::Fault(_)))));
    assert_eq!(running.turns.parts.turns.len(), limits::NEEDS_ROUNDS_MAX);
}

#[test]
fn a_new_catalog_is_everywhere_before_the_answer_that_tells_of_it() {
    let disk = Disk::new();
    let mut running = disk.run(|address, _, input| {
        Ok(done(|done| match &input.message {
            Message::Ask(_) => {
                done.effects.push(Effect::Install(CatalogVersion { version: input.catalog + 1, snapshot: Vec::new() }));
                done.effects.push(Effect::Send(Send { to: run("1"), body: Vec::new() }));
                done.effects.push(Effect::Publish(Publish { channel: "synced".to_owned(), data: Vec::new() }));
            }
            _ => assert_eq!((address.key.as_str(), input.catalog), ("1", 1)),
        }))
    });
    drop(disk.ask(&running, &crate::wit::catalog_address(), b""));
    running.turns.step();
    assert_eq!(running.world.all(), ["install 1", "publish synced"]);
    assert_eq!(running.turns.parts.catalog, 1);
}

#[test]
fn a_catalog_that_was_not_kept_is_taken_back() {
    let disk = Disk::new();
    let mut running = disk.run(|_, _, _| {
        Ok(done(|done| {
            put(done, "poison");
            done.effects.push(Effect::Install(CatalogVersion { version: 9, snapshot: Vec::new() }));
        }))
    });
    disk.sql(POISON);
    drop(disk.ask(&running, &crate::wit::catalog_address(), b""));
    running.turns.step();
    assert_eq!((running.turns.catalog.version, running.turns.parts.catalog), (0, 0));
    assert!(running.world.all().is_empty());
}

#[test]
fn a_full_queue_refuses_further_questions_and_recovers() {
    let disk = Disk::new();
    let mut running = disk.run(|_, _, input| Ok(done(|done| reply(done, input))));
    let waiting: Vec<_> = (0..limits::ASKS_QUEUED_MAX).map(|_| disk.ask(&running, &run("1"), b"")).collect();
    let inbox = running.inbox.clone();
    let mut refused: Asking = Box::pin(async move { inbox.ask(run("1"), Vec::new()).await });
    assert_eq!(disk.answer(&mut refused), Poll::Ready(Err(AskFailure::Overloaded)));
    running.turns.step();
    drop(waiting);
    drop(disk.ask(&running, &run("1"), b""));
}

#[test]
fn a_stop_finishes_what_is_queued_before_it_and_ends() {
    let disk = Disk::new();
    let mut running = disk.run(|_, _, input| {
        Ok(done(|done| {
            put(done, "k");
            reply(done, input);
        }))
    });
    let mut asking = disk.ask(&running, &run("1"), b"");
    running.inbox.stop();
    running.turns.run();
    assert!(matches!(disk.answer(&mut asking), Poll::Ready(Ok(_))));
    assert_eq!(rows_of(&running, "run/1"), ["k"]);
}

#[test]
fn every_kind_of_actor_has_its_part() {
    for (text, part) in [("run/1", Part::Executor), ("waits/a", Part::Scheduler), ("history/0", Part::EventApi)] {
        assert_eq!(Part::of(Address::from_text(text).unwrap().kind), part);
    }
}
