//! The world as Spin gives it.

use bytes::Bytes;
use http_body_util::BodyExt;
use spin_sdk::http::{FromResponse, FullBody, IntoRequest, Request, Response};
use spin_sdk::wasip3::http::client;
use spin_sdk::{time, variables, wasip3, wit_bindgen};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use stepwell_spin_home::outside::{Came, Door, Outside, SendError};
use stepwell_spin_home::setup::VARIABLES;
use stepwell_spin_home::types::{AppCall, Headers, Request as Read, RequestLimits};

thread_local! {
    /// Whether something was spawned that nobody has looked at yet.
    static HAS_SPAWNED: Cell<bool> = const { Cell::new(false) };
}

/// Sees to it that what `work` spawns begins at once.
///
/// `wit_bindgen::spawn` (0.57) puts new work beside the task that is being polled, and where that task then waits, it waits for the
/// host, and the new work has to wait for the same: until some other event of this request. That goes for the body of an outgoing
/// request as well, which is written by such work. So whoever has spawned asks to be polled once more.
pub async fn attentive<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|context| {
        let polled = work.as_mut().poll(context);
        if polled.is_pending() && HAS_SPAWNED.take() {
            context.waker().wake_by_ref();
        }
        polled
    })
    .await
}

/// Waits until what was spawned has begun: the writer of a body has offered it then, so that Spin sends it together with the head.
///
/// Spin's sockets are without TCP_NODELAY: a body that comes after its head waits until the other side has acknowledged that one, which takes 40 ms
/// where it has nothing to say itself.
pub async fn begun() {
    let has_begun = Rc::new(Cell::new(false));
    let last = has_begun.clone();
    // What was spawned before is polled before.
    wit_bindgen::spawn(async move { last.set(true) });
    poll_fn(move |context| {
        if has_begun.get() {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Spin.
pub struct World;

impl Outside for World {
    fn now(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn draw(&self) -> u64 {
        wasip3::random::random::get_random_u64()
    }

    fn sleep(&self, ms: u64) -> impl Future<Output = ()> + 'static {
        time::sleep(Duration::from_millis(ms))
    }

    fn spawn(&self, work: impl Future<Output = ()> + 'static) {
        HAS_SPAWNED.set(true);
        wit_bindgen::spawn(attentive(work));
    }

    async fn tell(&self, door: Door, path: &str, body: Vec<u8>) -> Result<Vec<u8>, String> {
        let name = match door {
            Door::EventApi => "event-api-inside",
            Door::Scheduler => "scheduler",
            Door::Executor => "executor",
        };
        let url = format!("http://{name}.spin.internal{path}");
        let came = exchange("POST", &url, &Vec::new(), body, u64::MAX, || true).await;
        match came {
            Ok(came) if came.status == 200 => Ok(came.body),
            Ok(came) => Err(format!("{name} answers {}: {}", came.status, String::from_utf8_lossy(&came.body))),
            Err(error) => Err(format!("{name} does not answer: {error:?}")),
        }
    }

    async fn send(&self, call: &AppCall, url: &str, until: u64) -> Result<Came, SendError> {
        let in_time = || self.now() < until;
        exchange(&call.method, url, &call.headers, call.body.clone(), call.answer_bytes_max, in_time).await
    }

    fn log(&self, line: &str) {
        eprintln!("{line}");
    }
}

/// One request out, unless it is too late by the time that it can be sent.
async fn exchange(
    method: &str,
    url: &str,
    headers: &Headers,
    body: Vec<u8>,
    bytes_max: u64,
    in_time: impl Fn() -> bool,
) -> Result<Came, SendError> {
    let unreachable = |error: &dyn std::fmt::Display| SendError::Unreachable(error.to_string());
    let mut request = spin_sdk::http::Request::<()>::builder();
    request = request.method(method).uri(url).header("content-length", body.len());
    for (name, value) in headers.iter().filter(|(name, _)| name != "content-length" && name != "host") {
        request = request.header(name, value);
    }
    let request = request.body(FullBody::new(Bytes::from(body))).map_err(|error| unreachable(&error))?;
    let request = request.into_request().map_err(|error| unreachable(&error))?;
    begun().await;
    if !in_time() {
        return Err(SendError::Late);
    }
    let response = client::send(request).await.map_err(|error| unreachable(&error))?;
    let response = Response::from_response(response).map_err(|error| unreachable(&error))?;
    let (head, mut incoming) = response.into_parts();
    let mut body = Vec::new();
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|error| SendError::Unreachable(format!("the answer broke off: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if beyond(body.len(), data.len(), bytes_max) {
            return Err(SendError::TooLarge);
        }
        body.extend_from_slice(&data);
    }
    Ok(Came { status: head.status.as_u16(), headers: headers_of(&head.headers), body })
}

/// A request from outside, whole; or the code of its refusal.
pub async fn read(request: Request, limits: RequestLimits) -> Result<Read, &'static str> {
    let (head, mut incoming) = request.into_parts();
    let length = head.headers.get("content-length").and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > limits.body_bytes_max) {
        return Err("body_too_large");
    }
    let late = time::sleep(Duration::from_millis(limits.body_time_ms_max));
    let whole = async {
        let mut body = Vec::new();
        while let Some(frame) = incoming.frame().await {
            let Ok(data) = frame.map_err(|_| "body_unreadable")?.into_data() else { continue };
            if beyond(body.len(), data.len(), limits.body_bytes_max) {
                return Err("body_too_large");
            }
            body.extend_from_slice(&data);
        }
        Ok(body)
    };
    let body = stepwell_spin_home::within(whole, late).await.unwrap_or(Err("body_timeout"))?;
    Ok(Read {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: headers_of(&head.headers),
        body,
    })
}

fn beyond(held: usize, more: usize, most: u64) -> bool {
    u64::try_from(held.saturating_add(more)).is_ok_and(|bytes| bytes > most)
}

fn headers_of(map: &spin_sdk::http::HeaderMap) -> Headers {
    map.iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}

/// The application's variables, as far as this component has them.
pub async fn variables() -> BTreeMap<&'static str, String> {
    let mut held = BTreeMap::new();
    for name in VARIABLES {
        if let Ok(value) = variables::get(name).await {
            held.insert(name, value);
        }
    }
    held
}
