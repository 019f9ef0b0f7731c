//! Spin. It has no shell yet.

use super::Launch;
use crate::child::Child;

/// Starts a server.
pub(super) fn launch(launch: &Launch<'_>) -> Child {
    panic!("there is no shell for Spin yet, to serve port {}", launch.port);
}
