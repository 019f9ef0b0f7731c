//! Several futures of one thread: all of them, or whichever is first.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

/// Work whose result nobody waits for by itself.
pub(crate) type Work<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Which of two was first.
pub(crate) enum First<A, B> {
    /// The one.
    One(A),
    /// The other.
    Other(B),
}

/// Waits for all of them.
pub(crate) async fn all<T>(work: Vec<Work<'_, T>>) -> Vec<T> {
    let mut slots: Vec<Result<T, Work<'_, T>>> = work.into_iter().map(Err).collect();
    poll_fn(|context| {
        let mut is_ready = true;
        for slot in &mut slots {
            if let Err(work) = slot {
                match work.as_mut().poll(context) {
                    Poll::Ready(done) => *slot = Ok(done),
                    Poll::Pending => is_ready = false,
                }
            }
        }
        if is_ready { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    slots.into_iter().filter_map(Result::ok).collect()
}

/// Waits for either, the one rather than the other where both are ready.
pub(crate) async fn first<A, B>(one: impl Future<Output = A>, other: impl Future<Output = B>) -> First<A, B> {
    let (mut one, mut other) = (pin!(one), pin!(other));
    poll_fn(|context| {
        if let Poll::Ready(done) = one.as_mut().poll(context) {
            return Poll::Ready(First::One(done));
        }
        other.as_mut().poll(context).map(First::Other)
    })
    .await
}

/// What comes of `work`, unless `late` is over before.
pub async fn within<T>(work: impl Future<Output = T>, late: impl Future<Output = ()>) -> Option<T> {
    match first(work, late).await {
        First::One(done) => Some(done),
        First::Other(()) => None,
    }
}
