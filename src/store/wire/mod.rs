//! The way of every request: behind the fence if it changes anything, tried again while there is patience, and lost when it
//! is silent.
//!
//! Key type: [`Wire`], which object_store sends its requests through. It must never let an attempt of a changing request, or
//! a piece of its body, leave once the fence is closed.

use std::fmt;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use object_store::aws::AmazonS3;
use object_store::client::{
    ClientOptions, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpService,
};
use tokio::task::JoinSet;

use super::claim::with_claims;
use super::fence::Fence;
use super::flow::Flow;
use super::pace::Pacer;
use super::patience::{Patience, silence};
use super::pieces::AttemptPulse;
use super::signature::{SignedRequest, Signer};
use crate::events::{Event, Measure, Reporter, Traffic};

mod exchange;
#[cfg(test)]
mod flow_tests;
mod kind;
mod outcome;
#[cfg(test)]
mod tests;
mod turn;

use exchange::exchange;
use kind::{is_changing, kind_of};
use outcome::{ServerSilence, cause_of, is_busy, log, may_pass};
use turn::Turn;

/// Who waits for its turn gives up when a server has been silent for so many times the patience: longer than a slow line takes to carry
/// what the kernel may hold of a body.
const UNHEARD: u32 = 3;

/// Sends the requests of one bucket. Clones share connections and fence.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    client: reqwest::Client,
    fence: Fence,
    flow: Flow,
    /// What signs anew, if that is not object_store's alone.
    signer: Option<Signer>,
    patience: Duration,
    reporter: RetryListener,
    traffic: Traffic,
}

/// Who hears of requests that are made again.
#[derive(Clone)]
struct RetryListener(Arc<dyn Reporter>);

impl fmt::Debug for RetryListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RetryListener")
    }
}

impl Wire {
    pub(super) fn new(
        client: reqwest::Client,
        fence: Fence,
        flow: Flow,
        signer: Option<Signer>,
        patience: Duration,
        reporter: Arc<dyn Reporter>,
    ) -> Self {
        Self {
            client,
            fence,
            flow,
            signer,
            patience,
            traffic: reporter.traffic(),
            reporter: RetryListener(reporter),
        }
    }

    /// The same with another patience.
    pub(super) fn with_patience(&self, patience: Duration) -> Self {
        Self {
            patience,
            ..self.clone()
        }
    }

    /// Tells what signs who knows the keys that `client` signs with.
    pub(super) fn learn_keys(&self, client: &AmazonS3) {
        if let Some(signer) = &self.signer {
            signer.learn(client.credentials());
        }
    }

    /// The request with the headers that it asks for beside those of object_store, which has signed it without them.
    async fn claiming(&self, request: HttpRequest) -> Result<HttpRequest, HttpError> {
        match (with_claims(&request)?, &self.signer) {
            (Some(claiming), Some(signer)) => signer.cover(&claiming).await,
            (Some(claiming), None) => Ok(claiming),
            (None, _) => Ok(request),
        }
    }

    /// Tries until the server has answered for good, or the patience is over.
    async fn persist(
        &self,
        request: &HttpRequest,
        fence: Option<&Fence>,
        patience: &Patience,
        pacer: &Pacer,
    ) -> Result<HttpResponse, HttpError> {
        let mut signed = SignedRequest::new(request, self.signer.as_ref());
        let mut flight = None;
        loop {
            let turn = Turn::wait(&self.flow, request, pacer, &self.traffic);
            let turn = tokio::select! {
                biased;
                turn = turn => turn,
                silence = self.silence() => return Err(timeout(silence)),
            };
            signed.keep_good().await?;
            let flight = flight.get_or_insert_with(|| {
                let (method, path) = (request.method().as_str(), request.uri().path());
                self.traffic.begin(method, path)
            });
            let (begun, pulse) = (Instant::now(), AttemptPulse::new(&self.traffic));
            let attempt = self.attempt(signed.get(), fence, &pulse, &turn, pacer);
            let answer = attempt.await;
            self.reporter.0.tell(&Event::Measured(Measure::Request {
                kind: kind_of(request),
                sent: request.body().content_length() as u64,
                received: pulse.received(),
                took: begun.elapsed(),
                status: answer.as_ref().ok().map(|answer| answer.status().as_u16()),
            }));
            if let Ok(refusal) = &answer
                && signed.is_replaced_after(refusal).await?
            {
                log(request, &answer, begun.elapsed(), true);
                continue;
            }
            let again = match &answer {
                Ok(answer) => is_busy(answer.status()),
                Err(error) => may_pass(request, error),
            };
            log(request, &answer, begun.elapsed(), again);
            let excused = turn.ended(&answer, silence(self.patience), &pulse);
            // Others go on while this one pauses.
            drop(turn);
            if !again {
                if answer.is_ok() {
                    patience.answered();
                    flight.answered();
                }
                return answer;
            }
            let took = begun.elapsed().saturating_sub(pulse.kept_back());
            patience.failed(took, excused);
            if patience.is_over() {
                return answer;
            }
            flight.failed(cause_of(&answer));
            self.reporter.0.tell(&Event::Retried {
                method: request.method().to_string(),
                path: request.uri().path().to_owned(),
                status: answer.ok().map(|answer| answer.status().as_u16()),
            });
            patience.pause().await;
        }
    }

    /// Ends when the server has given no sign of life for long, to whatever is on its way: who waits for its turn waits in vain.
    async fn silence(&self) -> Duration {
        let begun = Instant::now();
        loop {
            let silent = self.traffic.silent_since(begun);
            let left = (UNHEARD * self.patience).saturating_sub(silent);
            if left.is_zero() {
                return silent;
            }
            tokio::time::sleep(left).await;
        }
    }

    /// One attempt, which ends when it has been silent for long.
    async fn attempt(
        &self,
        request: &HttpRequest,
        fence: Option<&Fence>,
        pulse: &AttemptPulse,
        turn: &Turn,
        pacer: &Pacer,
    ) -> Result<HttpResponse, HttpError> {
        let exchange = exchange(&self.client, request, fence, pulse, pacer);
        tokio::pin!(exchange);
        loop {
            let allowed = turn.allowed(silence(self.patience), pulse);
            let left = allowed.saturating_sub(pulse.silent());
            if left.is_zero() {
                return Err(timeout(allowed));
            }
            // What has moved meanwhile is not silent.
            if let Ok(answer) = tokio::time::timeout(left, &mut exchange).await {
                return answer;
            }
        }
    }

    /// The way of a request from its beginning to its end.
    async fn carry(
        self,
        request: HttpRequest,
        patience: Patience,
        pacer: Pacer,
    ) -> Result<HttpResponse, HttpError> {
        let fence = &self.fence;
        if !is_changing(&request) {
            let persisting = self.persist(&request, None, &patience, &pacer);
            return match fence.outlive(silence(self.patience), persisting).await {
                Ok(answer) => answer,
                Err(fenced) => Err(HttpError::new(HttpErrorKind::Unknown, fenced)),
            };
        }
        let persisting = self.persist(&request, Some(fence), &patience, &pacer);
        match fence.guard(persisting).await {
            Ok(answer) => answer,
            Err(fenced) => Err(HttpError::new(HttpErrorKind::Unknown, fenced)),
        }
    }
}

fn timeout(silence: Duration) -> HttpError {
    HttpError::new(HttpErrorKind::Timeout, ServerSilence(silence))
}

impl HttpConnector for Wire {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Wire {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let request = self.claiming(request).await?;
        let patience = Patience::of_this_task(self.patience);
        let carried = self
            .clone()
            .carry(request, patience, self.flow.pace.pacer());
        // In a task of its own: it has a place that others wait for, and must not stand still where its caller does something else.
        // Dropped with this.
        let mut task = JoinSet::new();
        task.spawn(carried);
        match task.join_next().await {
            Some(Ok(answer)) => answer,
            Some(Err(ended)) => match ended.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // The runtime ends.
                Err(_) => std::future::pending().await,
            },
            // It is never empty.
            None => std::future::pending().await,
        }
    }
}
