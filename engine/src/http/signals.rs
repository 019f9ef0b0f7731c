//! `/v1/signals`: something that a run waits for by its name (PROTOCOL §7.5).

use super::Response;
use super::endpoint::{AskOnce, Opened, Opening};
use crate::error::{Code, Refusal};
use crate::limits::{SIGNAL_NAME_BYTES_MAX, STEP_OUTPUT_BYTES_MAX};
use crate::turn::Address;
use crate::waits::message::Ask;
use crate::waits::place::signal_actor_key;
use serde::Deserialize;
use serde_json::value::RawValue;

/// `POST /v1/signals {"signal","data"?}`: answers `{"run_id"}` of the run that gets it, or 404.
pub(super) fn send(opening: &Opening<'_>) -> Opened {
    let invalid = |message: String| Refusal::new(Code::BodyInvalid, message);
    let sent: Sent<'_> = serde_json::from_slice(&opening.request.body)
        .map_err(|e| invalid(format!("the body must be {{\"signal\":\"<name>\",\"data\":…}}: {e}")))?;
    if sent.signal.is_empty() || sent.signal.len() > SIGNAL_NAME_BYTES_MAX {
        return Err(invalid(format!("`signal` must have 1 to {SIGNAL_NAME_BYTES_MAX} bytes")));
    }
    let data = sent.data.unwrap_or(RawValue::NULL).to_owned();
    if data.get().len() > STEP_OUTPUT_BYTES_MAX {
        let bytes = data.get().len();
        return Err(Refusal::new(
            Code::BodyTooLarge,
            format!("`data` has {bytes} bytes; at most {STEP_OUTPUT_BYTES_MAX} are allowed"),
        ));
    }
    let to = Address::waits(&signal_actor_key(&sent.signal));
    AskOnce::open(to, &Ask::Signal { signal: sent.signal, data }, |now, run| Ok(Response::data(now, &run)))
}

#[derive(Deserialize)]
struct Sent<'a> {
    signal: String,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}
