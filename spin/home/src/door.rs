//! Who may ask what: the world by one door, the other parts by another.

use crate::bytes::{decode, encode};
use crate::engine::{Desk, Engine};
use crate::home::Home;
use crate::outside::Outside;
use crate::store::Store;
use crate::types::{Part, Request, Response};
use crate::wire::{Delivery, Order};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::rc::Rc;

impl<S: Store, E: Engine, O: Outside> Home<S, E, O> {
    /// What another part wants. No such request comes from the world: the route is private.
    pub async fn inside(self: &Rc<Self>, request: Request) -> Response {
        if request.path != "/tick" {
            self.in_passing();
        }
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/deliver") => match decode::<Delivery>(&request.body) {
                Ok(delivery) => said(&self.delivered(delivery).await),
                Err(cause) => refused(400, "body_invalid", &cause),
            },
            ("POST", "/call") if self.part == Part::Executor => match decode::<Order>(&request.body) {
                Ok(order) => said(&self.ordered(order).await),
                Err(cause) => refused(400, "body_invalid", &cause),
            },
            ("POST", "/tick") => {
                self.look().await;
                said(&())
            }
            ("GET", "/health") => Response { status: 200, headers: Vec::new(), body: b"ok".to_vec() },
            _ => refused(404, "route_unknown", "no part asks this of another"),
        }
    }
}

impl<S: Store, E: Desk, O: Outside> Home<S, E, O> {
    /// What the world wants.
    pub async fn public(self: &Rc<Self>, request: Request) -> Response {
        if request.path == "/tick" {
            return self.tick_of_the_world(&request).await;
        }
        self.in_passing();
        self.answer(request).await
    }

    /// Sees to whatever is due in every part; twice is harmless.
    async fn tick_of_the_world(self: &Rc<Self>, request: &Request) -> Response {
        if request.method != "POST" {
            return refused(405, "method_not_allowed", "a tick is a POST");
        }
        let bearer = request.headers.iter().find(|(name, _)| name == "authorization").map(|(_, value)| value.as_str());
        let bearer = bearer.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        // Hashes are compared: how long that takes tells nothing of the key.
        let is_allowed = |key: &String| Sha256::digest(key) == Sha256::digest(bearer.trim());
        if !self.setup.tick_key.as_ref().is_none_or(is_allowed) {
            return refused(
                401,
                "authentication_failed",
                "POST /tick wants the variable tick_key as its bearer, or the signing key",
            );
        }
        self.look().await;
        if let Err(cause) = self.tick_others().await {
            self.log("a part was not ticked", "", &cause);
            return refused(503, "overloaded", "a part did not answer; the next tick sees to it");
        }
        Response { status: 200, headers: json(), body: br#"{"ok":true}"#.to_vec() }
    }
}

fn said(value: &impl Serialize) -> Response {
    Response { status: 200, headers: Vec::new(), body: encode(value) }
}

/// An answer that does not come from the engine.
#[must_use]
pub fn refused(status: u16, code: &str, message: &str) -> Response {
    let body = serde_json::json!({ "error": message, "status": status, "code": code });
    Response { status, headers: json(), body: body.to_string().into_bytes() }
}

fn json() -> Vec<(String, String)> {
    vec![("content-type".to_owned(), "application/json".to_owned())]
}
