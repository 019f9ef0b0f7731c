//! What the machine itself costs: whatever Stepwell costs is to be seen beside it.

pub(crate) mod commits;
pub(crate) mod fdatasync;
pub(crate) mod raw_http;

/// The floor that bars are ratios to.
pub(crate) struct Floor {
    pub(crate) fdatasync_p50_ms: f64,
    pub(crate) raw_call_p50_ms: f64,
    pub(crate) raw_calls_per_second: f64,
}
