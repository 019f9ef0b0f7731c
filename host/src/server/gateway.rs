//! One request, from the engine's first thought to its response: questions to actors, waits for news.

use super::pool::Pool;
use crate::hub::Hub;
use crate::partition::Partitions;
use crate::wit::{Answer, Limits, Progress, Question, Request, Response};
use crate::{clock, limits};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Whatever answers requests; clones share everything.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    pool: Pool,
    partitions: Partitions,
    hub: Hub,
    open: Semaphore,
    limits: Limits,
}

impl Gateway {
    /// A gateway to `partitions`.
    ///
    /// # Errors
    /// The engine cannot say its limits: it cannot run at all.
    pub async fn new(pool: Pool, partitions: Partitions, hub: Hub) -> anyhow::Result<Self> {
        let limits = pool.limits().await.map_err(anyhow::Error::msg)?;
        let open = Semaphore::new(limits::REQUESTS_OPEN_MAX);
        Ok(Self(Arc::new(Inner { pool, partitions, hub, open, limits })))
    }

    /// What is enforced while a request is read.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.0.limits
    }

    /// Answers a request, come what may.
    pub async fn answer(&self, request: Request) -> Response {
        let Ok(_place) = self.0.open.try_acquire() else {
            return self.refuse("overloaded").await;
        };
        match self.0.exchange(&request).await {
            Ok(response) => response,
            Err(cause) => {
                tracing::error!(
                    method = request.method,
                    path = request.path,
                    code = "engine_fault",
                    cause,
                    "no answer"
                );
                self.refuse("engine_fault").await
            }
        }
    }

    /// The answer to a request that the engine does not see: one of the codes of `wit/http.wit`.
    pub async fn refuse(&self, code: &str) -> Response {
        match self.0.pool.refuse(code).await {
            Ok(response) => response,
            Err(cause) => {
                tracing::error!(code, cause, "the engine cannot even refuse");
                last_words()
            }
        }
    }
}

impl Inner {
    async fn exchange(&self, request: &Request) -> Result<Response, String> {
        let (open, mut progress) = self.pool.open(request).await?;
        let mut watch = None;
        loop {
            progress = match progress {
                Progress::Respond(response) => return Ok(response),
                Progress::Ask(ask) => {
                    // Before the questions go out, or what is published meanwhile would be missed.
                    watch = (!ask.channels.is_empty()).then(|| self.hub.watch(ask.channels)).or(watch);
                    let answers = self.answers(ask.questions).await;
                    self.pool.resume(&open, &answers).await?
                }
                Progress::Watch(until) => {
                    let time_max = clock::until(until);
                    match &watch {
                        // Either way the engine looks for itself.
                        Some(watch) => drop(tokio::time::timeout(time_max, watch.news()).await),
                        None => tokio::time::sleep(time_max).await,
                    }
                    self.pool.resume(&open, &[]).await?
                }
            }
        }
    }

    /// The answers in the order of the questions, which are asked all at once.
    async fn answers(&self, questions: Vec<Question>) -> Vec<Answer> {
        let mut asking = Vec::with_capacity(questions.len());
        for Question { to, body } in questions {
            let mut ask = Box::pin(self.partitions.ask(to, body));
            // The first poll hands the question over; only the waiting is left.
            let now = std::future::poll_fn(|context| std::task::Poll::Ready(ask.as_mut().poll(context))).await;
            asking.push((ask, now));
        }
        let mut answers = Vec::with_capacity(asking.len());
        for (ask, now) in asking {
            answers.push(match now {
                std::task::Poll::Ready(answer) => answer,
                std::task::Poll::Pending => ask.await,
            });
        }
        answers
    }
}

/// Where not even the engine can speak.
fn last_words() -> Response {
    let body = br#"{"error":"The server could not make a decision. Nothing was changed; see its log.","status":500,"code":"engine_fault"}"#;
    Response {
        status: 500,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.to_vec(),
    }
}
