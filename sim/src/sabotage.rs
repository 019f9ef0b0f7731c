//! Engines and homes that are wrong in one way: to see that the promise which they break is the one that is found broken.
//!
//! What is corrupted is what the engine decided, before anybody acts on it; an actor whose rows were tampered with is made
//! anew from them, so that it believes them.

use crate::home::Cell;
use crate::invariant::Invariant;
use std::collections::BTreeSet;
use stepwell_engine::ids::Millis;
use stepwell_engine::turn::{ActorKind, Address, Done, Effect, Message, Write};

/// How far a clock is off that is ahead.
const AHEAD_MS: u64 = 3_600_000;
/// After so long an actor is woken whose answer was dropped.
const SOON_MS: u64 = 1_000;
/// Rows that nobody has a reason for.
const ROWS_TOO_MANY: u32 = 5_000;

/// One thing that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// What breaks this promise, and no other.
    Breaks(Invariant),
    /// Documents that do not exist are swapped for (done in the home of documents).
    CreatesBlindly,
}

/// What is wrong, and where it struck already.
#[derive(Clone, Debug)]
pub struct Saboteur {
    /// What is wrong.
    pub what: Sabotage,
    struck: BTreeSet<Address>,
}

impl Saboteur {
    /// Does `what`.
    #[must_use]
    pub const fn new(what: Sabotage) -> Self {
        Self { what, struck: BTreeSet::new() }
    }

    const fn breaks(&self) -> Option<Invariant> {
        match self.what {
            Sabotage::Breaks(invariant) => Some(invariant),
            Sabotage::CreatesBlindly => None,
        }
    }

    /// The time that a turn is told: ahead, where actors are woken.
    #[must_use]
    pub fn now(&self, clock: u64, message: &Message) -> u64 {
        let is_ahead = matches!(self.breaks(), Some(Invariant::SleepsAreNotEarly | Invariant::CallsAreNotEarly));
        if is_ahead && matches!(message, Message::Wake) { clock.saturating_add(AHEAD_MS) } else { clock }
    }

    /// What an actor that is made anew is made of: a run lacks its newest row.
    #[must_use]
    pub fn recovered(&self, of: &Address, cell: &Cell) -> Cell {
        let mut cell = cell.clone();
        let lacks = self.breaks() == Some(Invariant::RecoveryDecidesTheSame) && of.kind == ActorKind::Run;
        if lacks && cell.rows.len() > 1 {
            cell.rows.pop_last();
        }
        cell
    }

    /// What a run owes that was resumed: nothing.
    pub fn corrupt_resumed(&self, done: &mut Done) {
        if self.breaks() == Some(Invariant::OwedIsDerivable) {
            done.effects.clear();
        }
    }

    /// A request as it is read: what is to be refused becomes what is not.
    #[must_use]
    pub fn request(&self, body: Vec<u8>) -> Vec<u8> {
        let is_nonsense = body.windows(12).any(|part| part == b"\"of\":\"bad\"}}" || part == b"{\"of\":\"bad\"}");
        if self.breaks() == Some(Invariant::RefusedMeansNothing) && is_nonsense {
            return br#"{"name":"sim/f","data":{"of":"bad"}}"#.to_vec();
        }
        body
    }

    /// Whether refusals do not say why.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.breaks() == Some(Invariant::RefusalsSayWhy)
    }

    /// Corrupts what an actor decided; false where it is to be made anew from its rows.
    pub fn corrupt(&mut self, to: &Address, message: &Message, cell: &Cell, clock: u64, done: &mut Done) -> bool {
        let Some(invariant) = self.breaks() else { return true };
        match to.kind {
            ActorKind::Run => self.corrupt_run(invariant, to, message, cell, clock, done),
            ActorKind::Stream => {
                match invariant {
                    Invariant::DurableBeforeVisible => done.writes.clear(),
                    Invariant::StartsOnce => done.effects.retain(|effect| !matches!(effect, Effect::Send { .. })),
                    Invariant::WaitsMissNothing => withhold(done, "Arrived"),
                    _ => {}
                }
                true
            }
            ActorKind::Waits => {
                match invariant {
                    Invariant::SignalsArrive => withhold(done, "Signalled"),
                    Invariant::CancellationsArrive => withhold(done, "CancelledBy"),
                    _ => {}
                }
                true
            }
            ActorKind::Gate => !corrupt_gate(invariant, cell, done),
            ActorKind::Cron => {
                if invariant == Invariant::SchedulesAreKept {
                    withhold(done, "Scheduled");
                }
                true
            }
            ActorKind::History => {
                let row = |key: String| Write { key, value: Some(b"null".to_vec()) };
                match (invariant, message) {
                    (Invariant::WithinBounds, Message::Tell(_)) => {
                        done.writes.extend((0..ROWS_TOO_MANY).map(|n| row(format!("more/{n}"))));
                    }
                    (Invariant::ReadingWritesNothing, Message::Ask { .. }) => done.writes.push(row("asked".to_owned())),
                    (Invariant::ListsAreTrue, _) => done.writes.retain(|write| !write.key.ends_with("/ended")),
                    _ => {}
                }
                true
            }
            _ => true,
        }
    }

    fn corrupt_run(
        &mut self,
        invariant: Invariant,
        run: &Address,
        message: &Message,
        cell: &Cell,
        clock: u64,
        done: &mut Done,
    ) -> bool {
        let rows = cell.rows.len();
        match invariant {
            Invariant::StateIsTheFold => {
                if rows > 1 {
                    done.writes.pop();
                }
            }
            Invariant::AttemptsAreCounted => edit_calls(done, |body| body.replace("\"attempt\":0", "\"attempt\":3")),
            Invariant::ResultsStay if rows > 1 => {
                edit_calls(done, |body| body.replace("\"execution\" : 1", "\"execution\" : 5"));
            }
            Invariant::StackIsInOrder => edit_calls(done, |body| body.replace("[\"a\",\"b\"]", "[\"b\",\"a\"]")),
            Invariant::SleepsAreNotLate => done.wake_at = done.wake_at.map(|at| at.plus(Millis(AHEAD_MS))),
            Invariant::EverythingEnds => done.effects.retain(|effect| !matches!(effect, Effect::Call(_))),
            Invariant::FinishesReachInvokers => withhold(done, "Returned"),
            Invariant::NoWaitsRemain => withhold(done, "Remove"),
            Invariant::RerunsBegin => withhold(done, "Start"),
            Invariant::DeferralsRun => {
                edit_sends(done, |body| body.replace("\"fn_slug\":\"app-g\"", "\"fn_slug\":\"app-h\""))
            }
            Invariant::RerunsRepeat => edit_sends(done, |body| {
                let copies = body.contains("\"copied\"");
                if copies { body.replace("\"execution\" : 1", "\"execution\" : 8") } else { body.to_owned() }
            }),
            Invariant::OneLiveAttempt | Invariant::CallsGoToTheNewestApp | Invariant::CallsAreSigned => {
                corrupt_effects(invariant, done);
            }
            _ => return self.corrupt_rows(invariant, run, message, rows, clock, done),
        }
        true
    }

    /// What is wrong with rows: whoever reads them believes them.
    fn corrupt_rows(
        &mut self,
        invariant: Invariant,
        run: &Address,
        message: &Message,
        rows: usize,
        clock: u64,
        done: &mut Done,
    ) -> bool {
        match invariant {
            Invariant::OneRowPerStep if !done.writes.iter().any(is_last) => {
                append(done, r#"{"Redispatched":{"units":[]}}"#)
            }
            Invariant::EndsOnce if done.writes.iter().any(|write| text(write).contains("\"Complete\"")) => {
                append(done, r#"{"Cancelled":{}}"#);
            }
            Invariant::KeysSortByTime if rows > 1 => {
                for write in &mut done.writes {
                    write.key = format!("00000000{}", write.key);
                }
            }
            Invariant::PayloadsAreOpaque => edit_rows(done, |row| row.replace("\"execution\" : ", "\"execution\":")),
            Invariant::AttemptsAreFenced => {
                edit_rows(done, |row| row.replace("\"generation\":1,\"attempt\"", "\"generation\":9,\"attempt\""));
            }
            Invariant::SavedStays => done.writes.retain(|write| !text(write).contains("\"Checkpointed\"")),
            Invariant::CancelledRunsStop => done.writes.retain(|write| !text(write).contains("\"Cancelled\"")),
            // A run whose time was over before it was, and a wait that is ended by what came before it.
            Invariant::TimeoutsHold => edit_rows(done, |row| {
                if row.contains("\"FinishTimeout\"") {
                    row.replace("\"at_ms\":18", "\"at_ms\":17")
                } else {
                    row.to_owned()
                }
            }),
            Invariant::WaitsTakeOne => edit_rows(done, |row| {
                let is_of_it = row.contains("\"Resumed\"");
                if is_of_it { row.replace("\"received_at\":18", "\"received_at\":17") } else { row.to_owned() }
            }),
            Invariant::SignalsWakeOne => edit_rows(done, |row| {
                if row.contains("\"Signal\"") { row.replace("\"of\":\"", "\"of\":\"not ") } else { row.to_owned() }
            }),
            Invariant::StepsFollowTheProgram => edit_rows(done, |row| row.replace("\"id\":\"a\"", "\"id\":\"b\"")),
            Invariant::MeetsTheModel => edit_rows(done, |row| {
                let head = row.split_once("\"Complete\":{\"output\":").map(|(head, _)| head);
                head.map_or_else(|| row.to_owned(), |head| format!("{head}\"Complete\":{{\"output\":[]}}}}}}}}}}"))
            }),
            Invariant::NoFault => edit_rows(done, |_| "nonsense".to_owned()),
            // Once: what is asked for again is then taken in.
            Invariant::RunsAsOftenAsItSays
                if matches!(message, Message::Answered(_)) && self.struck.insert(run.clone()) =>
            {
                *done = Done { owing: true, wake_at: Some(Millis(clock.saturating_add(SOON_MS))), ..Done::default() };
            }
            _ => return true,
        }
        false
    }
}

/// What is wrong with what gates keep; whether the gate is to be made anew of it.
fn corrupt_gate(invariant: Invariant, cell: &Cell, done: &mut Done) -> bool {
    let before = done.clone();
    match invariant {
        // As if another call had a slot as well.
        Invariant::LimitsHold => {
            let is_hold = |write: &&Write| write.key.starts_with("hold/") && write.value.is_some();
            let more =
                done.writes.iter().find(is_hold).map(|hold| Write { key: format!("{}0", hold.key), ..hold.clone() });
            done.writes.extend(more);
        }
        Invariant::ThrottlesHold => done.writes.retain(|write| !write.key.starts_with("rate/")),
        Invariant::GatesAreFair => {
            for write in done.writes.iter_mut().filter(|write| write.key.starts_with("hold/") && write.value.is_some())
            {
                write.value = Some(text(write).replace("\"rank\":18", "\"rank\":19").into_bytes());
            }
        }
        Invariant::BatchesAreWhole => done.writes.retain(|write| !write.key.starts_with("event/")),
        Invariant::DebouncesRunTheNewest => {
            let is_there = cell.rows.contains_key("pending");
            done.writes.retain(|write| !is_there || write.key != "pending" || write.value.is_none());
        }
        Invariant::RateLimitsCount => done.writes.retain(|write| !write.key.starts_with("passed/")),
        Invariant::SingletonsHold => done.writes.retain(|write| write.key != "holder"),
        Invariant::NoSlotsRemain => done.writes.retain(|write| write.key != "holder" || write.value.is_some()),
        _ => return false,
    }
    *done != before
}

fn corrupt_effects(invariant: Invariant, done: &mut Done) {
    let mut more = Vec::new();
    for effect in &mut done.effects {
        let Effect::Call(call) = effect else { continue };
        if invariant == Invariant::OneLiveAttempt {
            let id = format!("{}0", call.id);
            more.push(Effect::Call(stepwell_engine::turn::AppCall { id, ..call.clone() }));
        } else if invariant == Invariant::CallsAreSigned {
            call.headers.iter_mut().for_each(|(_, value)| *value = value.replace("&s=", "&s=0"));
        } else if let Some((_, rest)) = call.url.split_once("/api/") {
            call.url = format!("http://app.test/0/api/{rest}");
        }
    }
    done.effects.extend(more);
}

/// Does not send what is called so.
fn withhold(done: &mut Done, verb: &str) {
    let start = format!("{{\"{verb}\"");
    done.effects.retain(|effect| !matches!(effect, Effect::Send { body, .. } if body.starts_with(start.as_bytes())));
}

/// Whether nothing may follow this row.
fn is_last(write: &Write) -> bool {
    let row = text(write);
    row.contains("\"Complete\"") || row.contains("\"Cancelled\"")
}

fn text(write: &Write) -> String {
    String::from_utf8_lossy(write.value.as_deref().unwrap_or_default()).into_owned()
}

fn edit_rows(done: &mut Done, edit: impl Fn(&str) -> String) {
    for write in &mut done.writes {
        write.value = Some(edit(&text(write)).into_bytes());
    }
}

fn edit_sends(done: &mut Done, edit: impl Fn(&str) -> String) {
    for effect in &mut done.effects {
        if let Effect::Send { body, .. } = effect {
            *body = edit(&String::from_utf8_lossy(body)).into_bytes();
        }
    }
}

fn edit_calls(done: &mut Done, edit: impl Fn(&str) -> String) {
    for effect in &mut done.effects {
        if let Effect::Call(call) = effect {
            call.body = edit(&String::from_utf8_lossy(&call.body)).into_bytes();
        }
    }
}

/// Writes one more row after the last.
fn append(done: &mut Done, entry: &str) {
    let Some(last) = done.writes.last() else { return };
    let Some(number) = last.key.parse::<u32>().ok().and_then(|number| number.checked_add(1)) else { return };
    let value = format!("{{\"at_ms\":1800000000000,\"entry\":{entry}}}").into_bytes();
    done.writes.push(Write { key: format!("{number:08}"), value: Some(value) });
}
