//! Ports that nobody else takes meanwhile.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below what systems give to outgoing connections, so that a server which was killed finds its port free again.
const FIRST: u32 = 20_000;
const COUNT: u32 = 12_000;
/// Each process searches from a place of its own.
const STRIDE: u32 = 37;

/// A loopback port that is free, and that this process gives to nobody else.
pub(crate) fn free() -> u16 {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    (0..COUNT)
        .map(|_| {
            let place = std::process::id().wrapping_mul(STRIDE).wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed));
            u16::try_from(FIRST + place % COUNT).expect("below 65,536")
        })
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}
