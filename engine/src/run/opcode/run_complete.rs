//! `RunComplete`: the function returned, in the checkpointing mode (PROTOCOL §7.12).

use super::{Op, Reading};
use serde_json::value::RawValue;

pub(super) fn read(op: &Op<'_>) -> Reading {
    Reading::Complete(op.data.map_or_else(|| RawValue::NULL.to_owned(), ToOwned::to_owned))
}
