//! The calls that are in flight, and for how many more there is room.
//!
//! An app may hold a part of all room only: a thousand calls that hang in one app hold up nobody else's.

use crate::wit::{Address, AppCall};
use std::collections::HashMap;

/// How many calls may be in flight.
#[derive(Clone, Copy, Debug)]
pub struct CallsMax {
    /// Of all apps together.
    pub total: usize,
    /// Of one app.
    pub per_app: usize,
}

/// An app as far as calls go: scheme, host and port of its URL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct App(String);

impl App {
    /// The app that `call` goes to.
    #[must_use]
    pub fn of(call: &AppCall) -> Self {
        let authority = call.url.find("://").map_or(0, |at| at.saturating_add(3));
        let rest = call.url.get(authority..).unwrap_or_default();
        let length = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        Self(call.url.get(..authority.saturating_add(length)).unwrap_or_default().to_owned())
    }
}

/// What is to be done with a call.
#[derive(Debug, PartialEq, Eq)]
pub enum Begin {
    /// Make it.
    Now,
    /// Nothing: it is in flight already.
    Twice,
    /// Nothing yet: there is no room.
    Later,
}

/// Calls in flight.
pub struct Room {
    max: CallsMax,
    calls: HashMap<String, (Address, App)>,
    of_app: HashMap<App, usize>,
    of_actor: HashMap<Address, usize>,
}

impl Room {
    /// Nothing in flight, and room for `max`.
    #[must_use]
    pub fn new(max: CallsMax) -> Self {
        Self { max, calls: HashMap::new(), of_app: HashMap::new(), of_actor: HashMap::new() }
    }

    /// Notes a call that `from` wants made, if there is room for it.
    pub fn begin(&mut self, id: &str, from: &Address, app: &App) -> Begin {
        if self.calls.contains_key(id) {
            return Begin::Twice;
        }
        if self.left_for(app) == 0 {
            return Begin::Later;
        }
        self.calls.insert(id.to_owned(), (from.clone(), app.clone()));
        count(&mut self.of_app, app);
        count(&mut self.of_actor, from);
        Begin::Now
    }

    /// Notes that a call has ended.
    pub fn end(&mut self, id: &str) {
        if let Some((from, app)) = self.calls.remove(id) {
            discount(&mut self.of_app, &app);
            discount(&mut self.of_actor, &from);
        }
    }

    /// Whether a call of `actor` is in flight.
    #[must_use]
    pub fn is_busy(&self, actor: &Address) -> bool {
        self.of_actor.contains_key(actor)
    }

    /// How many more calls may begin.
    #[must_use]
    pub fn left(&self) -> usize {
        self.max.total.saturating_sub(self.calls.len())
    }

    /// How many more calls of `app` may begin.
    #[must_use]
    pub fn left_for(&self, app: &App) -> usize {
        let used = self.of_app.get(app).copied().unwrap_or(0);
        self.max.per_app.saturating_sub(used).min(self.left())
    }
}

fn count<K: Clone + std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, of: &K) {
    let held = counts.entry(of.clone()).or_default();
    *held = held.saturating_add(1);
}

fn discount<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, of: &K) {
    if let Some(held) = counts.get_mut(of) {
        *held = held.saturating_sub(1);
        if *held == 0 {
            counts.remove(of);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::scripted;

    fn run(key: &str) -> Address {
        Address::from_text(&format!("run/{key}")).unwrap()
    }

    fn app(name: &str) -> App {
        App(name.to_owned())
    }

    #[test]
    fn an_app_is_the_origin_of_its_url() {
        let of = |url| App::of(&scripted::call("c", url));
        assert_eq!(of("http://a:1/api?x=http://b/"), app("http://a:1"));
        assert_eq!(of("https://a?x"), app("https://a"));
        assert_eq!(of("https://a"), app("https://a"));
        assert_eq!(of("nonsense"), app("nonsense"));
        assert_eq!(of(""), app(""));
    }

    #[test]
    fn a_call_in_flight_is_not_begun_again_until_it_has_ended() {
        let mut room = Room::new(CallsMax { total: 9, per_app: 9 });
        assert_eq!(room.begin("c", &run("1"), &app("a")), Begin::Now);
        assert_eq!(room.begin("c", &run("1"), &app("a")), Begin::Twice);
        assert!(room.is_busy(&run("1")));
        room.end("c");
        room.end("c");
        assert!(!room.is_busy(&run("1")));
        assert_eq!(room.begin("c", &run("1"), &app("a")), Begin::Now);
    }

    #[test]
    fn neither_an_app_nor_all_of_them_have_more_than_their_room() {
        let mut room = Room::new(CallsMax { total: 3, per_app: 2 });
        assert_eq!(room.begin("1", &run("1"), &app("a")), Begin::Now);
        assert_eq!(room.begin("2", &run("2"), &app("a")), Begin::Now);
        assert_eq!(room.begin("3", &run("3"), &app("a")), Begin::Later);
        assert_eq!((room.left(), room.left_for(&app("a")), room.left_for(&app("b"))), (1, 0, 1));
        assert_eq!(room.begin("4", &run("4"), &app("b")), Begin::Now);
        assert_eq!(room.begin("5", &run("5"), &app("b")), Begin::Later);
        room.end("4");
        assert_eq!(room.begin("3", &run("3"), &app("a")), Begin::Later);
        room.end("1");
        assert_eq!(room.begin("3", &run("3"), &app("a")), Begin::Now);
    }
}
