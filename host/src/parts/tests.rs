//! The real components: that they can be used as `wit/` says, and what happens when they trap.

use super::{Code, Part, Parts, RequestInstance, WasmParts};
use crate::wit::{
    Address, CatchUp, Effect, Message, Outcome, Progress, RangeRows, Request, ServerKind, Settings, TurnInput,
    catalog_address,
};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

const MEMORY_BYTES_MAX: usize = 256 << 20;

/// Compiled once for all tests, and kept for the next run.
fn code() -> Code {
    static CODE: OnceLock<Code> = OnceLock::new();
    CODE.get_or_init(load).clone()
}

fn load() -> Code {
    Code::load(Some(&std::env::temp_dir().join("stepwell-test-cache"))).unwrap()
}

fn settings() -> Settings {
    Settings {
        kind: ServerKind::Dev,
        signing_keys: Vec::new(),
        event_keys: Vec::new(),
        retry_interval_ms: None,
        wait_look_back_ms: None,
        cron_catch_up: CatchUp::Last,
        shards: 1,
        private_addresses: false,
        backlog_max: None,
        calls_per_app_max: None,
        version: "test".to_owned(),
    }
}

fn parts(memory_bytes_max: usize) -> WasmParts {
    WasmParts::new(code(), settings(), memory_bytes_max)
}

fn input(message: Message) -> TurnInput {
    TurnInput { now: 1_800_000_000_000, entropy: (1, 2), catalog: 0, message, supplied: Vec::new() }
}

/// The rows of an actor that has none.
fn nothing(parts: &mut WasmParts, address: &Address) -> Vec<RangeRows> {
    let ranges = parts.preload(address).unwrap();
    ranges.into_iter().map(|range| RangeRows { range, rows: Vec::new() }).collect()
}

fn request(method: &str, path: &str, body: &[u8]) -> Request {
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: String::new(),
        headers: Vec::new(),
        body: body.to_vec(),
    }
}

#[test]
fn an_actor_is_made_of_no_rows_takes_a_turn_and_is_released() {
    let mut parts = parts(MEMORY_BYTES_MAX);
    let address = catalog_address();
    let rows = nothing(&mut parts, &address);
    let actor = parts.make(&address, &rows).unwrap();
    let outcome = parts.turn(&address, &actor, &input(Message::Resume)).unwrap().unwrap();
    let Outcome::Done(done) = outcome else { panic!("needs rows that it preloads") };
    for effect in &done.effects {
        if let Effect::Install(catalog) = effect {
            parts.install(catalog);
        }
    }
    parts.release(&address, actor);
}

#[test]
fn a_question_that_is_no_question_is_refused_and_the_instance_lives_on() {
    let mut parts = parts(MEMORY_BYTES_MAX);
    let address = Address::from_text("stream/0").unwrap();
    let rows = nothing(&mut parts, &address);
    let actor = parts.make(&address, &rows).unwrap();
    let garbage = input(Message::Ask((1, b"\xff not a question".to_vec())));
    assert!(parts.turn(&address, &actor, &garbage).unwrap().is_err());
    assert!(parts.turn(&address, &actor, &input(Message::Resume)).unwrap().is_ok());
}

#[test]
fn an_instance_that_wants_too_much_memory_traps_and_the_next_call_has_a_fresh_one() {
    let mut parts = parts(4 << 20);
    let address = Address::from_text("stream/0").unwrap();
    let rows = nothing(&mut parts, &address);
    let actor = parts.make(&address, &rows).unwrap();
    let huge = input(Message::Ask((1, vec![b'x'; 8 << 20])));
    let trap = parts.turn(&address, &actor, &huge).unwrap_err();
    assert_eq!(trap.part, Part::EventApi);
    let actor = parts.make(&address, &rows).unwrap();
    assert!(parts.turn(&address, &actor, &input(Message::Resume)).unwrap().is_ok());
}

#[test]
fn an_instance_that_may_not_even_begin_is_a_trap_and_no_panic() {
    assert!(parts(1 << 10).preload(&catalog_address()).is_err());
}

#[test]
fn a_call_that_outlasts_its_time_is_cut_off_and_the_next_call_has_a_fresh_instance() {
    // Compiled by now; with an engine of its own, since time passes quickly here.
    drop(code());
    let code = load();
    let engine = code.engine.clone();
    let mut parts = WasmParts::new(code, settings(), MEMORY_BYTES_MAX);
    let address = catalog_address();
    let stop = AtomicBool::new(false);
    let cut_off = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                engine.increment_epoch();
            }
        });
        let cut_off = (0..1_000_000).find_map(|_| parts.preload(&address).err());
        stop.store(true, Ordering::Relaxed);
        cut_off
    });
    assert_eq!(cut_off.map(|trap| trap.part), Some(Part::EventApi));
    assert!(parts.preload(&address).is_ok());
}

#[test]
fn requests_are_answered_and_refused_by_the_engine() {
    let mut instance = RequestInstance::new(&code(), &settings(), MEMORY_BYTES_MAX).unwrap();
    assert!(instance.limits().unwrap().body_bytes_max > 0);
    assert_eq!(instance.refuse("body_too_large").unwrap().status, 413);
    let (health, progress) = instance.open(0, (1, 2), &request("GET", "/health", b"")).unwrap();
    assert!(matches!(progress, Progress::Respond(response) if response.status == 200));
    // A second one while the first is still open.
    let (_event, progress) = instance.open(0, (3, 4), &request("POST", "/e/key", br#"{"name":"a/b"}"#)).unwrap();
    assert!(matches!(progress, Progress::Ask(_)), "{progress:?}");
    instance.close(health).unwrap();
}
