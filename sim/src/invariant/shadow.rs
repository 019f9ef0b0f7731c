//! An actor beside the one that decides: made from the rows this moment, as after a crash.

use super::{Invariant, Violation, require};
use crate::home::{Cell, Hot, ONLY_SEAT};
use stepwell_engine::turn::{ActorKind, Address, Done, Effect, Message, Turn};

/// In news of an event that a stream looked up for somebody who has just begun to wait.
const ONLY: &[u8] = b"\"only\":";

/// News of a run to its gate of slots.
fn is_news(effect: &Effect) -> bool {
    matches!(effect, Effect::Send { to, body } if to.kind == ActorKind::Gate && body.starts_with(b"{\"News\""))
}

/// An actor that was made anew decides as the one in memory did; it may ask again for calls that are in flight, and after
/// the clock was set back it may not know of some.
///
/// # Errors
/// It decides something else.
pub fn decides_the_same(
    turn: &Turn<'_>,
    to: &Address,
    message: &Message,
    cell: &Cell,
    decided: &Done,
    clock_stepped: bool,
) -> Result<(), Violation> {
    let fault = |e| Violation { invariant: Invariant::NoFault, what: format!("{to:?} made anew: {e}") };
    let mut anew = Hot::load(to, &Hot::rows(to, cell)).map_err(fault)?;
    let again = anew.turn((ONLY_SEAT, to), turn, message, cell, None).map_err(fault)?;
    // A stream that was made anew while the clock was ahead of what it is now may know of more events since a moment, or fewer: of
    // such as came before, by another clock.
    let is_uncertain = |effect: &Effect| {
        let is_looked_up = |body: &[u8]| body.windows(ONLY.len()).any(|part| part == ONLY);
        clock_stepped
            && to.kind == ActorKind::Stream
            && matches!(effect, Effect::Send { body, .. } if is_looked_up(body))
    };
    // What a run has asked its gate for is a memory: one that was made anew asks again, and until it is told again holds its calls to
    // be in flight; and of one that was cancelled it does not know what the app is still at.
    let is_gated = to.kind == ActorKind::Run && [decided, &again].iter().any(|done| done.effects.iter().any(is_news));
    // A question asks no gate: one that was made anew wants to be woken for that.
    let is_question = matches!(message, Message::Ask { .. });
    let wants_to_ask = to.kind == ActorKind::Run && is_question && again.wake_at == Some(turn.now);
    let owes_a_slot = to.kind == ActorKind::Run && decided.owing && !again.owing;
    let others = |done: &Done| -> Vec<Effect> {
        let is_other =
            |effect: &&Effect| !matches!(effect, Effect::Call(_)) && !is_uncertain(effect) && !is_news(effect);
        done.effects.iter().filter(is_other).cloned().collect()
    };
    let calls = |done: &Done| -> Vec<Effect> {
        done.effects.iter().filter(|effect| matches!(effect, Effect::Call(_))).cloned().collect()
    };
    let asked = calls(&again);
    let same = decided.writes == again.writes
        && others(decided) == others(&again)
        && calls(decided).iter().all(|call| asked.contains(call))
        && (clock_stepped || wants_to_ask || decided.wake_at == again.wake_at)
        && (clock_stepped
            || wants_to_ask
            || decided.owing == again.owing
            || is_gated
            || (owes_a_slot && calls(&again).is_empty()));
    require(same, Invariant::RecoveryDecidesTheSame, || {
        format!("{to:?} decides {decided:?}, and made anew from its rows {again:?}")
    })
}
