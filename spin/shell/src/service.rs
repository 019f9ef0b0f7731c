//! A request to a component, and the instance that answers it: made by the first request, kept for those that follow.

use crate::parts::{EventApi, Inside};
use crate::stores::Stores;
use crate::world::{self, World};
use bytes::Bytes;
use spin_sdk::http::{FullBody, HeaderName, HeaderValue, IntoResponse, Request, Response, StatusCode};
use spin_sdk::wasip3::http::types;
use std::cell::RefCell;
use std::rc::Rc;
use stepwell_spin_home::engine::{Desk as _, Engine};
use stepwell_spin_home::setup::Setup;
use stepwell_spin_home::types::{Part, RequestLimits, Response as Made};
use stepwell_spin_home::{Home, refused};

/// What a component answers with.
pub type Answered = Result<types::Response, types::ErrorCode>;

type Held<E> = RefCell<Option<Rc<Home<Stores, E, World>>>>;

thread_local! {
    static EVENT_API: Held<EventApi> = const { RefCell::new(None) };
    static INSIDE: Held<Inside> = const { RefCell::new(None) };
}

/// The most that one part says to another: a parcel of events, or an app's answer.
const INSIDE_LIMITS: RequestLimits = RequestLimits { body_bytes_max: 64 << 20, body_time_ms_max: 60_000 };

/// The event-api's: the world's door, or that of the other parts, as the variable `door` says.
pub async fn event_api(request: Request) -> Answered {
    world::attentive(async { handed(answer_event_api(request).await).await }).await
}

async fn answer_event_api(request: Request) -> Response<FullBody<Bytes>> {
    let home = match home(&EVENT_API, Part::EventApi, EventApi).await {
        Ok(home) => home,
        Err(refusal) => return answered(*refusal),
    };
    if !home.is_public() {
        return inside(&home, request).await;
    }
    match world::read(request, EventApi.request_limits()).await {
        Ok(request) => answered(home.public(request).await),
        Err(code) => answered(EventApi.refuse(code)),
    }
}

/// The scheduler's.
pub async fn scheduler(request: Request) -> Answered {
    world::attentive(async { handed(answer_scheduler(request).await).await }).await
}

async fn answer_scheduler(request: Request) -> Response<FullBody<Bytes>> {
    match home(&INSIDE, Part::Scheduler, Inside).await {
        Ok(home) => inside(&home, request).await,
        Err(refusal) => answered(*refusal),
    }
}

/// The executor's.
pub async fn executor(request: Request) -> Answered {
    world::attentive(async { handed(answer_executor(request).await).await }).await
}

async fn answer_executor(request: Request) -> Response<FullBody<Bytes>> {
    match home(&INSIDE, Part::Executor, Inside).await {
        Ok(home) => inside(&home, request).await,
        Err(refusal) => answered(*refusal),
    }
}

async fn inside<E: Engine>(home: &Rc<Home<Stores, E, World>>, request: Request) -> Response<FullBody<Bytes>> {
    match world::read(request, INSIDE_LIMITS).await {
        Ok(request) => answered(home.inside(request).await),
        Err(code) => answered(refused(400, code, "another part's request could not be read")),
    }
}

/// The instance; where there is none yet, one that has looked whether it may be there at all.
async fn home<E: Engine>(
    held: &'static std::thread::LocalKey<Held<E>>,
    part: Part,
    engine: E,
) -> Result<Rc<Home<Stores, E, World>>, Box<Made>> {
    if let Some(home) = held.with_borrow(Clone::clone) {
        return Ok(home);
    }
    let variables = world::variables().await;
    let setup = Setup::read(|name| variables.get(name).cloned().unwrap_or_default())
        .map_err(|why| Box::new(refused(500, "settings_missing", &why)))?;
    let unusable = |why: String| Box::new(refused(500, "store_unusable", &why));
    let store = Stores::open(setup.store).await.map_err(unusable)?;
    let home = Rc::new(Home::new(part, setup, store, engine, World));
    home.begin().await.map_err(unusable)?;
    // Another request may have been here meanwhile: what one instance knows in memory is to be in one place.
    Ok(held.with_borrow_mut(|held| held.get_or_insert(home).clone()))
}

/// Gives an answer to Spin once its body is there.
async fn handed(response: Response<FullBody<Bytes>>) -> Answered {
    let response = response.into_response()?;
    world::begun().await;
    Ok(response)
}

fn answered(made: Made) -> Response<FullBody<Bytes>> {
    let is_empty = matches!(made.status, 101 | 204 | 205 | 304);
    let body = if is_empty { Bytes::new() } else { Bytes::from(made.body) };
    // Without a length Spin sends pieces, between which a client may wait for 40 ms.
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(FullBody::new(body));
    *response.status_mut() = StatusCode::from_u16(made.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in made.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    if !is_empty {
        response.headers_mut().insert("content-length", length);
    }
    response
}
