//! `DiscoveryRequest`: the SDK's time is up; it wants to be asked again what is next (PROTOCOL §5.3).

use super::{Op, Reading, Rejection};
use crate::run::journal::What;

pub(super) fn read(op: &Op<'_>) -> Result<Reading, Rejection> {
    op.record(What::Discovery).map(Reading::Step)
}
