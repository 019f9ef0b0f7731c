//! Reading a request's body within the engine's limits.

use crate::limits;
use crate::wit::Limits;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// A body, and the room that it takes.
pub struct Body<'a> {
    /// All of it.
    pub bytes: Vec<u8>,
    /// Given back when the request has been answered.
    pub _room: Room<'a>,
}

/// The code of `wit/http.wit` for a body that could not be read.
pub type RefusalCode = &'static str;

/// Reads a body whole.
///
/// # Errors
/// Too large, too slow, broken off, or more bodies at once than the server may hold.
pub async fn read<'a>(incoming: &mut Incoming, limits: Limits, room: &'a Semaphore) -> Result<Body<'a>, RefusalCode> {
    let time_max = Duration::from_millis(limits.body_time_ms_max);
    match tokio::time::timeout(time_max, read_untimed(incoming, limits, room)).await {
        Ok(body) => body,
        Err(_) => Err("body_timeout"),
    }
}

/// Reads on for a while and throws it away: a sender that is cut off in the middle never reads why.
pub async fn drain(mut incoming: Incoming, limits: Limits) {
    let mut left = limits.body_bytes_max;
    let reading = async {
        while let Some(Ok(frame)) = incoming.frame().await {
            let read = frame.data_ref().map_or(0, |data| u64::try_from(data.len()).unwrap_or(u64::MAX));
            match left.checked_sub(read) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    drop(tokio::time::timeout(limits::REFUSED_BODY_TIME_MAX, reading).await);
}

async fn read_untimed<'a>(
    incoming: &mut Incoming,
    limits: Limits,
    room: &'a Semaphore,
) -> Result<Body<'a>, RefusalCode> {
    let bytes_max = usize::try_from(limits.body_bytes_max).unwrap_or(usize::MAX);
    let announced = usize::try_from(incoming.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > bytes_max {
        return Err("body_too_large");
    }
    let mut taken = Room { room, held: None, kib: 0 };
    taken.hold(announced)?;
    let mut bytes = Vec::with_capacity(announced);
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|_| "body_unreadable")?;
        let Ok(data) = frame.into_data() else { continue };
        let size = bytes.len().saturating_add(data.len());
        if size > bytes_max {
            return Err("body_too_large");
        }
        taken.hold(size)?;
        bytes.extend_from_slice(&data);
    }
    Ok(Body { bytes, _room: taken })
}

/// What a body may take of the room for all of them.
pub struct Room<'a> {
    room: &'a Semaphore,
    held: Option<SemaphorePermit<'a>>,
    kib: usize,
}

impl Room<'_> {
    fn hold(&mut self, bytes: usize) -> Result<(), RefusalCode> {
        let kib = bytes.div_ceil(1 << 10);
        let more = u32::try_from(kib.saturating_sub(self.kib)).unwrap_or(u32::MAX);
        if more == 0 {
            return Ok(());
        }
        let permit = self.room.try_acquire_many(more).map_err(|_| "overloaded")?;
        match &mut self.held {
            Some(held) => held.merge(permit),
            None => self.held = Some(permit),
        }
        self.kib = kib;
        Ok(())
    }
}
