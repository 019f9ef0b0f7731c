//! News for requests that wait: who watches a channel is woken when something is published on it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// All channels that somebody watches.
#[derive(Clone, Default)]
pub struct Hub(Arc<Mutex<Channels>>);

#[derive(Default)]
struct Channels {
    watched: HashMap<String, Vec<(u64, Arc<Notify>)>>,
    last_id: u64,
    closed: bool,
}

/// Watches channels until it is dropped. Nothing that is published after it was made is missed.
pub struct Watch {
    hub: Hub,
    id: u64,
    channels: Vec<String>,
    news: Arc<Notify>,
}

impl Hub {
    /// Begins to watch.
    #[must_use]
    pub fn watch(&self, channels: Vec<String>) -> Watch {
        let news = Arc::new(Notify::new());
        let mut all = self.lock();
        all.last_id = all.last_id.wrapping_add(1);
        let id = all.last_id;
        for channel in &channels {
            all.watched.entry(channel.clone()).or_default().push((id, Arc::clone(&news)));
        }
        if all.closed {
            news.notify_one();
        }
        Watch { hub: self.clone(), id, channels, news }
    }

    /// Wakes whoever watches `channel`.
    pub fn publish(&self, channel: &str) {
        for (_, news) in self.lock().watched.get(channel).into_iter().flatten() {
            news.notify_one();
        }
    }

    /// Wakes everybody, and whoever comes later at once: the server is stopping.
    pub fn close(&self) {
        let mut all = self.lock();
        all.closed = true;
        for (_, news) in all.watched.values().flatten() {
            news.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Channels> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    /// Returns once something was published since the last return, or since the watch was made.
    pub async fn news(&self) {
        self.news.notified().await;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut all = self.hub.lock();
        for channel in &self.channels {
            if let Some(watchers) = all.watched.get_mut(channel) {
                watchers.retain(|(id, _)| *id != self.id);
                if watchers.is_empty() {
                    all.watched.remove(channel);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_published_before_the_wait_is_not_missed() {
        let hub = Hub::default();
        let watch = hub.watch(vec!["a".to_owned(), "b".to_owned()]);
        hub.publish("b");
        watch.news().await;
    }

    #[tokio::test]
    async fn other_channels_wake_nobody_and_a_dropped_watch_leaves_nothing_behind() {
        let hub = Hub::default();
        let watch = hub.watch(vec!["a".to_owned()]);
        hub.publish("b");
        tokio::select! {
            biased;
            () = watch.news() => panic!("woken by another channel"),
            () = std::future::ready(()) => {}
        }
        drop(watch);
        assert!(hub.lock().watched.is_empty());
    }

    #[tokio::test]
    async fn closing_wakes_everybody() {
        let hub = Hub::default();
        let watch = hub.watch(vec!["a".to_owned()]);
        hub.close();
        watch.news().await;
        hub.watch(vec!["a".to_owned()]).news().await;
    }
}
