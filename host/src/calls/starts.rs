//! How fast calls of one app begin.
//!
//! A thousand sleeps that end at once would open a thousand connections at once: more than the queue of a listening
//! socket holds, so that some of them wait a second for the kernel to try again. Calls therefore begin in a steady flow:
//! so many of an app may be fresh, which is to have no answer yet and to be younger than a few milliseconds. An app that
//! answers quickly is served over a few connections, and one that takes its time is never waited for.

use crate::limits::{FRESH_CALLS_MAX, FRESH_TIME_MAX};
use hyper::http::uri::Authority;
use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// The fresh calls of every app; clones share them.
#[derive(Clone, Default)]
pub struct Starts(Arc<Mutex<HashMap<Authority, Arc<Semaphore>>>>);

impl Starts {
    /// Waits until `app` may be called once more, and makes the `call`.
    pub async fn pace<T>(&self, app: Option<&Authority>, call: impl Future<Output = T>) -> T {
        let Some(app) = app else { return call.await };
        let mut call = pin!(call);
        {
            let room = self.room_of(app);
            // Nobody closes it; if somebody did, calls would begin at once.
            let _fresh = room.acquire().await;
            if let Ok(answer) = tokio::time::timeout(FRESH_TIME_MAX, &mut call).await {
                return answer;
            }
        }
        call.await
    }

    fn room_of(&self, app: &Authority) -> Arc<Semaphore> {
        let mut apps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(room) = apps.get(app) {
            return Arc::clone(room);
        }
        // The rare moment of a new app is used to forget those that nobody is calling.
        apps.retain(|_, room| Arc::strong_count(room) > 1);
        let room = Arc::new(Semaphore::new(FRESH_CALLS_MAX));
        apps.insert(app.clone(), Arc::clone(&room));
        room
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;
    use tokio::sync::oneshot;
    use tokio::time::Instant;

    fn app(name: &'static str) -> Authority {
        Authority::from_static(name)
    }

    /// Begins `count` calls of `app` that never end, and counts those that began.
    fn hang(starts: &Starts, app: &Authority, count: usize) -> Arc<AtomicUsize> {
        let began = Arc::new(AtomicUsize::new(0));
        for _ in 0..count {
            let (starts, app, began) = (starts.clone(), app.clone(), Arc::clone(&began));
            tokio::spawn(async move {
                starts
                    .pace(Some(&app), async {
                        began.fetch_add(1, Ordering::Relaxed);
                        std::future::pending::<()>().await;
                    })
                    .await;
            });
        }
        began
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_are_not_answered_make_way_after_a_short_while() {
        let starts = Starts::default();
        let began = hang(&starts, &app("a:1"), FRESH_CALLS_MAX * 2);
        tokio::time::sleep(FRESH_TIME_MAX / 2).await;
        assert_eq!(began.load(Ordering::Relaxed), FRESH_CALLS_MAX);
        tokio::time::sleep(FRESH_TIME_MAX).await;
        assert_eq!(began.load(Ordering::Relaxed), FRESH_CALLS_MAX * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn another_app_is_not_waited_for() {
        let starts = Starts::default();
        hang(&starts, &app("a:1"), FRESH_CALLS_MAX);
        tokio::time::sleep(Duration::ZERO).await;
        let before = Instant::now();
        starts.pace(Some(&app("b:1")), async {}).await;
        assert_eq!(before.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_lets_the_next_call_begin_at_once() {
        let starts = Starts::default();
        let app = app("a:1");
        let (answer, answered) = oneshot::channel::<()>();
        let first = tokio::spawn({
            let (starts, app) = (starts.clone(), app.clone());
            async move { starts.pace(Some(&app), answered).await }
        });
        tokio::time::sleep(Duration::ZERO).await;
        hang(&starts, &app, FRESH_CALLS_MAX - 1);
        tokio::time::sleep(Duration::ZERO).await;
        let before = Instant::now();
        let last = tokio::spawn(async move { starts.pace(Some(&app), async {}).await });
        answer.send(()).unwrap();
        first.await.unwrap().unwrap();
        last.await.unwrap();
        assert_eq!(before.elapsed(), Duration::ZERO);
    }

    #[tokio::test]
    async fn apps_that_nobody_calls_are_forgotten() {
        let starts = Starts::default();
        starts.pace(Some(&app("a:1")), async {}).await;
        starts.pace(Some(&app("b:1")), async {}).await;
        assert_eq!(starts.0.lock().unwrap().len(), 1);
    }
}
