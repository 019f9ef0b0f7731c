//! The app: a hyper server on its own thread that speaks the protocol as an SDK would, and notes when each call came and
//! when its answer left.

mod call;
mod checkpoint;
mod function;
mod ops;
mod registration;
mod visit;

pub use registration::{register, register_scheduled};
pub use visit::{Segment, Visit};

use crate::client::SDK;
use call::Call;
use function::Function;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant, SystemTime};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::{oneshot, watch};
use visit::Recorder;

/// The running app. It ends when this is dropped.
pub struct App {
    /// Where it listens.
    pub port: u16,
    server_port: Arc<AtomicU16>,
    holds: watch::Sender<bool>,
    segments: UnboundedReceiver<anyhow::Result<Segment>>,
    _stop: oneshot::Sender<()>,
}

impl App {
    /// Starts the app on a free port.
    ///
    /// # Errors
    /// No port, no thread.
    pub fn start() -> anyhow::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        // Bounded by the runs that a phase has in flight.
        let (tell, segments) = unbounded_channel();
        let (stop, stopped) = oneshot::channel();
        let server_port = Arc::new(AtomicU16::new(0));
        let (holds, held) = watch::channel(false);
        let app = Arc::new(Handler { recorder: Recorder::new(tell), server_port: Arc::clone(&server_port), held });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("app".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    () = serve(listener, app) => {}
                }
            });
        })?;
        Ok(Self { port, server_port, holds, segments, _stop: stop })
    }

    /// From now on, whether calls of [`Function::Held`] are kept waiting for their answers.
    pub fn hold(&self, is_held: bool) {
        self.holds.send_replace(is_held);
    }

    /// Says where the server is that the app reports checkpoints to.
    pub fn know_server(&self, port: u16) {
        self.server_port.store(port, Ordering::Relaxed);
    }

    /// What the app saw of the next run that ended or went to sleep.
    ///
    /// # Errors
    /// The app got a call that it did not understand or expect.
    pub async fn segment(&mut self) -> anyhow::Result<Segment> {
        self.segments.recv().await.unwrap_or_else(|| Err(anyhow::anyhow!("the app's thread has ended")))
    }
}

/// The path of a function of the app, also of those that are not registered (PROTOCOL §3.1).
pub fn path(function: &str) -> String {
    format!("/api/inngest?fnId=bench-{function}&stepId=step")
}

struct Handler {
    recorder: Recorder,
    server_port: Arc<AtomicU16>,
    held: watch::Receiver<bool>,
}

async fn serve(listener: std::net::TcpListener, app: Arc<Handler>) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    while let Ok((stream, _)) = listener.accept().await {
        // Answers are small and must not wait for more to send.
        let _ = stream.set_nodelay(true);
        let app = Arc::clone(&app);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(&app, request));
            // A connection that breaks shows in what is measured: runs do not end.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(app: &Handler, request: Request<Incoming>) -> anyhow::Result<Response<Full<Bytes>>> {
    let is_call = request.method() == Method::POST;
    let function = Function::of(request.uri().query().unwrap_or_default());
    let body = request.into_body().collect().await?.to_bytes();
    let (arrived, arrived_at) = (Instant::now(), SystemTime::now());
    match function {
        _ if !is_call => respond(StatusCode::OK, "{}".to_owned()),
        Some(Function::Echo) => respond(StatusCode::PARTIAL_CONTENT, "[]".to_owned()),
        Some(function) => match Call::read(&body) {
            Ok(call) => {
                if function == Function::Held {
                    app.held.clone().wait_for(|is_held| !is_held).await?;
                    tokio::time::sleep(Duration::from_millis(call.event.data.work_ms)).await;
                }
                let answer = function.answer(&call, app.server_port.load(Ordering::Relaxed)).await;
                let keep = call.event.data.keep == Some(call.steps());
                let visit = Visit {
                    step: call.steps(),
                    arrived,
                    arrived_at,
                    left: Instant::now(),
                    body: if keep { body.clone() } else { Bytes::new() },
                };
                let response = respond(answer.status, answer.body);
                if function != Function::Raw {
                    let run = (call.event.data.key, call.ctx.run_id.as_ref());
                    app.recorder.note(run, visit, answer.ends_segment, answer.checkpoints);
                }
                response
            }
            Err(error) => {
                app.recorder.fail(error.context("a call that the app cannot read"));
                respond(StatusCode::INTERNAL_SERVER_ERROR, r#"{"name":"Error","message":"unreadable"}"#.to_owned())
            }
        },
        None => {
            app.recorder.fail(anyhow::anyhow!("a call of an unknown function"));
            respond(StatusCode::INTERNAL_SERVER_ERROR, r#"{"name":"Error","message":"unknown function"}"#.to_owned())
        }
    }
}

/// An SDK's answer (PROTOCOL §3.4).
fn respond(status: StatusCode, body: String) -> anyhow::Result<Response<Full<Bytes>>> {
    Ok(Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/json")
        .header("user-agent", SDK)
        .header("x-inngest-sdk", SDK)
        .header("x-inngest-framework", "bench")
        .header("x-inngest-req-version", "2")
        .body(Full::new(body.into()))?)
}

#[cfg(test)]
mod tests;
