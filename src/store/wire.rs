//! The way of every request: behind the fence if it changes anything, tried again while there is patience, and lost when it
//! is silent.
//!
//! Key type: [`Wire`], which object_store sends its requests through. It must never let an attempt of a changing request, or
//! a piece of its body, leave once the fence is closed.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use object_store::aws::AmazonS3;
use object_store::client::{
    ClientOptions, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpService,
};
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use tracing::{debug, warn};

use super::answer::{chain, innermost};
use super::claim::{ToldChecksums, with_claims};
use super::fence::{Fence, FencedRequest};
use super::pace::{Pace, Pacer};
use super::patience::{Patience, silence};
use super::pieces::{AttemptPulse, Pieces};
use super::signature::{EndedKeys, SignedRequest, Signer, says_ended};
use super::uplink::{BodyPass, Uplink};
use crate::events::{Event, Measure, Reporter, RequestKind, Traffic};

/// The longest that is waited for what the kernel may hold still.
const LEAVING: Duration = Duration::from_secs(600);
/// The most bytes of an answer that is no object.
const MOST: usize = 64 << 20;

/// Sends the requests of one bucket. Clones share connections and fence.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    client: reqwest::Client,
    fence: Fence,
    uplink: Uplink,
    pace: Pace,
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

/// Why a request counts as lost.
#[derive(Debug, thiserror::Error)]
#[error("no sign of life for {} s", .0.as_secs())]
struct ServerSilence(Duration);

/// A listing that gives the same page again and again.
#[derive(Debug, thiserror::Error)]
#[error("the listing does not come to an end: its continuation token leads to itself")]
struct CircularListing;

/// More came than a server has to say.
#[derive(Debug, thiserror::Error)]
#[error("the answer has more than {MOST} bytes")]
struct EndlessAnswer;

impl Wire {
    pub(super) fn new(
        client: reqwest::Client,
        fence: Fence,
        pace: Pace,
        signer: Option<Signer>,
        patience: Duration,
        reporter: Arc<dyn Reporter>,
    ) -> Self {
        Self {
            client,
            fence,
            uplink: Uplink::new(),
            pace,
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
    ) -> Result<HttpResponse, HttpError> {
        let patience = Patience::of_this_task(self.patience);
        let pacer = self.pace.pacer();
        let mut signed = SignedRequest::new(request, self.signer.as_ref());
        let mut flight = None;
        loop {
            let mut pass = self.pass(request).await;
            let wait = pacer.request();
            if !wait.is_zero() {
                self.traffic.is_kept_back(wait);
                tokio::time::sleep(wait).await;
            }
            if let Some(pass) = &mut pass {
                pass.leaves();
            }
            signed.keep_good().await?;
            // Until now it was this program that waited, not for the server.
            let flight = flight.get_or_insert_with(|| {
                let (method, path) = (request.method().as_str(), request.uri().path());
                self.traffic.begin(method, path)
            });
            let (begun, pulse) = (Instant::now(), AttemptPulse::new(&self.traffic));
            let attempt = self.attempt(signed.get(), fence, &pulse, pass.as_ref(), &pacer);
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
            let is_silent = matches!(&answer, Err(error) if is_silence(error));
            let again = match &answer {
                Ok(answer) => is_busy(answer.status()),
                Err(error) => may_pass(request, error),
            };
            log(request, &answer, begun.elapsed(), again);
            if !again {
                if answer.is_ok() {
                    patience.answered();
                    flight.answered();
                }
                return answer;
            }
            let mut excused = if answer.is_err() {
                pulse.sending()
            } else {
                Duration::ZERO
            };
            if is_silent && let Some(pass) = &pass {
                pass.lost();
                if pass.others_are_answered() {
                    excused = begun.elapsed();
                }
            }
            drop(pass);
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

    /// Lets a body wait for its turn.
    async fn pass(&self, request: &HttpRequest) -> Option<BodyPass> {
        let bytes = request.body().content_length() as u64;
        if bytes == 0 {
            return None;
        }
        Some(self.uplink.enter(bytes).await)
    }

    /// One attempt, which ends when it has been silent for long.
    async fn attempt(
        &self,
        request: &HttpRequest,
        fence: Option<&Fence>,
        pulse: &AttemptPulse,
        pass: Option<&BodyPass>,
        pacer: &Pacer,
    ) -> Result<HttpResponse, HttpError> {
        let exchange = exchange(&self.client, request, fence, pulse, pacer);
        tokio::pin!(exchange);
        loop {
            let mut allowed = silence(self.patience);
            if let Some(pass) = pass {
                allowed += pulse.leaving().max(pass.expected()).min(LEAVING);
            }
            let left = allowed.saturating_sub(pulse.silent());
            if left.is_zero() {
                return Err(HttpError::new(
                    HttpErrorKind::Timeout,
                    ServerSilence(allowed),
                ));
            }
            // What has moved meanwhile is not silent.
            if let Ok(answer) = tokio::time::timeout(left, &mut exchange).await {
                if let (Ok(_), Some(pass)) = (&answer, pass) {
                    pass.answered();
                }
                return answer;
            }
        }
    }
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
        if !is_changing(&request) {
            return self.persist(&request, None).await;
        }
        let passed = self.fence.guard(self.persist(&request, Some(&self.fence)));
        match passed.await {
            Ok(answer) => answer,
            Err(fenced) => Err(HttpError::new(HttpErrorKind::Unknown, fenced)),
        }
    }
}

/// Does the request change what lies in a bucket? All do that are not known to be others: those that ask for credentials
/// must pass.
fn is_changing(request: &HttpRequest) -> bool {
    let (method, uri) = (request.method(), request.uri());
    if [Method::GET, Method::HEAD].contains(method) {
        return false;
    }
    let of_metadata = uri.path() == "/latest/api/token"
        && request
            .headers()
            .contains_key("x-aws-ec2-metadata-token-ttl-seconds");
    let query = uri.query().unwrap_or_default();
    let of_roles = *method == Method::POST && query.contains("Action=AssumeRole");
    !of_metadata && !of_roles
}

/// What the request asks for.
fn kind_of(request: &HttpRequest) -> RequestKind {
    let query = request.uri().query().unwrap_or_default();
    let asks = |name: &str| {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.any(|(other, _)| other == name)
    };
    match *request.method() {
        Method::GET if asks("list-type") => RequestKind::List,
        Method::GET => RequestKind::Get,
        Method::HEAD => RequestKind::Head,
        Method::PUT if is_copy(request.headers()) => RequestKind::Copy,
        Method::PUT if request.uri().path() != "/latest/api/token" => RequestKind::Put,
        Method::DELETE => RequestKind::Delete,
        Method::POST if asks("delete") => RequestKind::DeleteMany,
        _ => RequestKind::Other,
    }
}

/// Sends the request and reads the whole answer.
async fn exchange(
    client: &reqwest::Client,
    request: &HttpRequest,
    fence: Option<&Fence>,
    pulse: &AttemptPulse,
    pacer: &Pacer,
) -> Result<HttpResponse, HttpError> {
    let url = request.uri().to_string();
    let url = url::Url::parse(&url).map_err(|e| HttpError::new(HttpErrorKind::Unknown, e))?;
    let mut sent = reqwest::Request::new(request.method().clone(), url);
    *sent.headers_mut() = request.headers().clone();
    let body = request.body();
    *sent.body_mut() = Some(if body.content_length() == 0 {
        reqwest::Body::from(Bytes::new())
    } else {
        let (fence, pulse) = (fence.cloned(), pulse.clone());
        let pieces = Pieces::new(body.clone(), fence, pulse, pacer.clone());
        reqwest::Body::wrap(pieces)
    });
    let mut answer = client.execute(sent).await.map_err(lost)?;
    pulse.answered();
    let is_object = *request.method() == Method::GET && answer.status().is_success();
    let length = answer.content_length().filter(|_| is_object).unwrap_or(0);
    let mut whole = BytesMut::with_capacity(usize::try_from(length).unwrap_or(0).min(MOST));
    while let Some(part) = answer.chunk().await.map_err(lost)? {
        pulse.read(part.len());
        whole.extend_from_slice(&part);
        if whole.len() > MOST && length == 0 {
            return Err(HttpError::new(HttpErrorKind::Decode, EndlessAnswer));
        }
        let wait = pacer.bytes(part.len());
        if !wait.is_zero() {
            pulse.paced(wait);
            tokio::time::sleep(wait).await;
        }
    }
    let (mut status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
    if status.is_success() && is_copy(request.headers()) && tells_of_failure(&whole) {
        status = StatusCode::INTERNAL_SERVER_ERROR;
    }
    if status.is_success() && is_circular(request.uri().query(), &whole) {
        return Err(HttpError::new(HttpErrorKind::Decode, CircularListing));
    }
    let has_ended = says_ended(request.method(), status, &whole);
    let mut response = HttpResponse::new(whole.freeze().into());
    if has_ended {
        response.extensions_mut().insert(EndedKeys);
    }
    let told = ToldChecksums::of(&headers);
    response.extensions_mut().insert(told);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// Logs an attempt: neither headers, which hold signatures, nor bodies, nor what a server says, which may quote them.
fn log(
    request: &HttpRequest,
    answer: &Result<HttpResponse, HttpError>,
    took: Duration,
    is_tried_again: bool,
) {
    let (method, path) = (request.method(), request.uri().path());
    let (bytes, took) = (request.body().content_length(), took.as_millis());
    match answer {
        Ok(answer) if is_tried_again => {
            warn!(%method, path, bytes, took, status = answer.status().as_u16(), "to be tried again");
        }
        Ok(answer) => {
            debug!(%method, path, bytes, took, status = answer.status().as_u16(), "answered");
        }
        Err(error) => {
            let kind = error.kind();
            warn!(%method, path, bytes, took, ?kind, is_tried_again, "no answer");
        }
    }
}

/// Why an attempt came to nothing.
fn cause_of(answer: &Result<HttpResponse, HttpError>) -> String {
    match answer {
        Ok(answer) => answer.status().to_string(),
        Err(error) => innermost(error),
    }
}

/// Does a page of a listing name the token that it was asked for with as that of the next?
fn is_circular(query: Option<&str>, page: &[u8]) -> bool {
    let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let mut tokens = pairs.filter(|(name, _)| name == "continuation-token");
    let Some((_, asked)) = tokens.next() else {
        return false;
    };
    let Ok(page) = std::str::from_utf8(page) else {
        return false;
    };
    let next = page.split_once("<NextContinuationToken>");
    let next = next.and_then(|(_, rest)| rest.split_once('<'));
    next.is_some_and(|(next, _)| unescaped(next) == asked)
}

/// As XML writes it.
fn unescaped(text: &str) -> String {
    let plain = text.replace("&lt;", "<").replace("&gt;", ">");
    let plain = plain.replace("&quot;", "\"").replace("&apos;", "'");
    plain.replace("&amp;", "&")
}

fn is_copy(headers: &HeaderMap) -> bool {
    headers.contains_key("x-amz-copy-source")
}

/// A copy may fail after its answer has begun with "200".
fn tells_of_failure(answer: &[u8]) -> bool {
    let answer = String::from_utf8_lossy(answer);
    answer.contains("InternalError") || answer.contains("SlowDown")
}

/// Is it worth asking a server again that has answered so? That it does not know a request does not pass.
fn is_busy(status: StatusCode) -> bool {
    let passing = [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT];
    (status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED) || passing.contains(&status)
}

/// Is it worth sending the request again? All but some uploads in parts come to the same when they are done twice.
fn may_pass(request: &HttpRequest, error: &HttpError) -> bool {
    match error.kind() {
        HttpErrorKind::Connect | HttpErrorKind::Request => true,
        HttpErrorKind::Timeout | HttpErrorKind::Interrupted => {
            let query = request.uri().query().unwrap_or_default();
            *request.method() != Method::POST || query == "delete" || query == "delete="
        }
        _ => false,
    }
}

fn is_silence(error: &HttpError) -> bool {
    chain(error).any(<dyn std::error::Error>::is::<ServerSilence>)
}

/// What became of a request that got no answer.
fn lost(error: reqwest::Error) -> HttpError {
    if chain(&error).any(<dyn std::error::Error>::is::<FencedRequest>) {
        return HttpError::new(HttpErrorKind::Unknown, FencedRequest);
    }
    let timed_out = |cause: &(dyn std::error::Error + 'static)| {
        let cause = cause.downcast_ref::<std::io::Error>();
        cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::TimedOut)
    };
    let kind = if error.is_connect() {
        HttpErrorKind::Connect
    } else if error.is_timeout() || chain(&error).any(timed_out) {
        HttpErrorKind::Timeout
    } else if error.is_builder() || error.is_redirect() {
        HttpErrorKind::Unknown
    } else {
        HttpErrorKind::Interrupted
    };
    HttpError::new(kind, error.without_url())
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;

    use s3_server::{Config, Fault, Rule, Server};

    use super::super::bucket::Bucket;
    use super::super::error::StoreError;
    use super::super::fence::Moment;
    use super::super::loopback;
    use super::super::pace::Limits;
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn open(bucket: &Bucket, time: Duration) {
        let now = Moment::now();
        bucket.fence().extend(now.after(time));
    }

    fn is_fenced<T: fmt::Debug>(done: Result<T, StoreError>) -> bool {
        matches!(done.unwrap_err(), StoreError::Fenced { .. })
    }

    fn changes(server: &Server) -> usize {
        let is_change = |method: &str| !["GET", "HEAD"].contains(&method);
        let log = server.log();
        log.iter().filter(|seen| is_change(&seen.method)).count()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_waits_for_a_limit_is_not_in_flight_and_what_is_paced_is_alive() {
        let server = loopback::server(Config::default());
        server.put_object("ocean", "a", "there");
        let traffic = Traffic::default();
        let limits = Limits {
            requests: Some(1),
            bytes: Some(8000),
        };
        let bucket = loopback::counted(&server.endpoint(), limits, traffic.clone());
        let bucket = bucket.unfenced().unwrap();
        bucket.stat("a").await.unwrap();
        let second = tokio::spawn({
            let bucket = bucket.clone();
            async move { bucket.stat("a").await }
        });
        tokio::time::sleep(Duration::from_millis(500)).await;
        let seen = traffic.state();
        assert_eq!((seen.in_flight, &seen.oldest), (0, &None));
        assert!(seen.kept_back > Duration::from_millis(100), "{seen:?}");
        second.await.unwrap().unwrap();
        let begun = Instant::now();
        let put = tokio::spawn(async move { bucket.put("b", vec![0; 24_000].into()).await });
        tokio::time::sleep(Duration::from_millis(2500)).await;
        let seen = traffic.state();
        assert_eq!(seen.in_flight, 1, "{seen:?}");
        assert!(
            seen.alive.unwrap().elapsed() < Duration::from_millis(500),
            "{seen:?}"
        );
        put.await.unwrap().unwrap();
        assert!(
            begun.elapsed() > Duration::from_millis(2500),
            "it was paced"
        );
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_changes_through_a_closed_fence() {
        let server = loopback::server(Config::default());
        server.put_object("ocean", "a/b", "there");
        let bucket = loopback::fenced(&server);
        let bytes = || Bytes::from_static(b"new");
        for time in [Duration::ZERO, MINUTE] {
            open(&bucket, time);
            if time == MINUTE {
                bucket.put("a/c", bytes()).await.unwrap();
                bucket.fence().close();
            }
            assert!(is_fenced(bucket.put("a/b", bytes()).await));
            assert!(is_fenced(bucket.create("a/d", bytes()).await));
            assert!(is_fenced(bucket.replace_if("a/b", bytes(), "etag").await));
            assert!(is_fenced(bucket.copy("a/b", "a/e").await));
            assert!(is_fenced(bucket.delete("a/b").await));
            let deleted = bucket.delete_all(vec!["a/b".to_owned()], true).await;
            assert_eq!(deleted.objects, 0);
            assert_eq!(bucket.get("a/b").await.unwrap(), "there");
            assert!(bucket.stat("a/b").await.unwrap().is_some());
            assert!(!bucket.list("a").await.unwrap().is_empty());
        }
        assert_eq!(changes(&server), 1);
        bucket.unfenced().unwrap().put("l", bytes()).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn no_retry_leaves_after_the_deadline() {
        let server = loopback::server(Config::default());
        server.faults().add(Rule::new(Fault::Status(503)));
        let bucket = loopback::fenced(&server);
        open(&bucket, Duration::from_millis(400));
        assert!(is_fenced(bucket.put("a", Bytes::from_static(b"new")).await));
        let tried = changes(&server);
        assert!(tried > 1, "it is tried again while the fence is open");
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(changes(&server), tried);
        // What waits for an answer is cut off, too.
        server.faults().clear();
        let held = Rule::new(Fault::Delay(MINUTE)).method("DELETE");
        server.faults().add(held);
        open(&bucket, Duration::from_millis(400));
        assert!(is_fenced(bucket.delete("a").await));
    }

    /// A server that reads slowly. It says when it has begun, and at the end, how much of the body came, and how much was
    /// announced.
    fn slow_reader() -> (String, std::sync::mpsc::Receiver<(usize, usize)>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut buffer, mut came) = (vec![0; 64 << 10], Vec::new());
            while let Ok(some) = stream.read(&mut buffer) {
                if some == 0 {
                    break;
                }
                if came.is_empty() {
                    send.send((0, 0)).unwrap();
                }
                came.extend_from_slice(&buffer[..some]);
                std::thread::sleep(Duration::from_millis(2));
            }
            let end = came.windows(4).position(|four| four == b"\r\n\r\n");
            let end = end.unwrap() + 4;
            let head = String::from_utf8_lossy(&came[..end]).to_ascii_lowercase();
            let (_, length) = head.split_once("content-length: ").unwrap();
            let length = length.lines().next().unwrap().parse().unwrap();
            send.send((came.len() - end, length)).unwrap();
        });
        (address, receive)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_body_that_is_under_way_at_the_deadline_never_arrives_whole() {
        let (address, read) = slow_reader();
        let bucket = loopback::at(&address);
        open(&bucket, MINUTE);
        let body = Bytes::from(vec![7; 64 << 20]);
        let put = {
            let (bucket, body) = (bucket.clone(), body.clone());
            tokio::spawn(async move { bucket.put("a", body).await })
        };
        let next = async move |read: std::sync::mpsc::Receiver<_>| {
            let wait = move || (read.recv_timeout(MINUTE).unwrap(), read);
            tokio::task::spawn_blocking(wait).await.unwrap()
        };
        let (_, read) = next(read).await;
        bucket.fence().close();
        assert!(is_fenced(put.await.unwrap()));
        let ((came, announced), _) = next(read).await;
        assert_eq!(announced, body.len());
        assert!(came > 0 && came < body.len(), "{came} of {announced}");
    }

    /// The bucket `ocean` of the server at this URL, with so little patience.
    fn impatient(endpoint: &str, seconds: u64) -> Bucket {
        loopback::impatient(endpoint, Duration::from_secs(seconds))
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_request_that_is_lost_in_silence_is_sent_again() {
        let server = loopback::server(Config::default());
        server.put_object("ocean", "a", "there");
        for method in ["GET", "PUT"] {
            let held = Rule::new(Fault::Delay(MINUTE)).method(method).once();
            server.faults().add(held);
        }
        let bucket = impatient(&server.endpoint(), 6);
        assert_eq!(bucket.get("a").await.unwrap(), "there");
        bucket.put("b", Bytes::from_static(b"new")).await.unwrap();
        assert_eq!(server.log().len(), 4);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn bodies_that_drip_and_listings_that_turn_in_circles_are_errors() {
        let server = loopback::server(Config::default());
        let bucket = impatient(&server.endpoint(), 3);
        server.put_object("ocean", "a", vec![7; 100_000]);
        let drip = Fault::DripRead(Duration::from_millis(50));
        server.faults().add(Rule::new(drip));
        let error = bucket.get("a").await.unwrap_err().to_string();
        assert!(error.contains("no sign of life"), "{error}");
        server.faults().clear();
        for number in 0..1001 {
            server.put_object("ocean", &format!("l/{number:04}"), "");
        }
        assert_eq!(bucket.list("l").await.unwrap().len(), 1001);
        server.faults().add(Rule::new(Fault::RepeatPage));
        let listed = bucket.list("l").await.unwrap_err().to_string();
        let folder = bucket.folder("l").await.unwrap_err().to_string();
        for error in [listed, folder] {
            assert!(error.contains(&server.endpoint()), "{error}");
            assert!(error.contains("does not come to an end"), "{error}");
        }
    }

    /// Two jobs on one link that takes twice their patience for all of it.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_slow_link_takes_long_and_succeeds() {
        let server = loopback::server(Config::default());
        let link = s3_server::Throttle::new(&server.endpoint(), 800_000).unwrap();
        let jobs = (0..2).map(|job| {
            let bucket = impatient(&link.endpoint(), 9);
            tokio::spawn(async move {
                let puts = (0..14).map(|object| {
                    // Some are larger than all that is buffered on the way.
                    let size = if object < 2 { 2 << 20 } else { 400 << 10 };
                    let (bucket, body) = (&bucket, Bytes::from(vec![job; size]));
                    async move { bucket.put(&format!("{job}/{object}"), body).await }
                });
                futures::future::try_join_all(puts).await
            })
        });
        for job in jobs.collect::<Vec<_>>() {
            job.await.unwrap().unwrap();
        }
        assert_eq!(server.objects("ocean").len(), 28);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_waits_for_a_limit_is_not_silent() {
        let server = loopback::server(Config::default());
        let limits = Limits {
            bytes: Some(100_000),
            requests: None,
        };
        let patience = Duration::from_secs(2);
        let bucket = loopback::limited(&server.endpoint(), patience, limits);
        let bucket = bucket.unfenced().unwrap();
        let (body, begun) = (Bytes::from(vec![7; 150_000]), Instant::now());
        let puts = ["a", "b"].map(|key| bucket.put(key, body.clone()));
        futures::future::try_join_all(puts).await.unwrap();
        assert!(bucket.get("a").await.unwrap() == body);
        assert!(begun.elapsed() > Duration::from_millis(4200));
        assert_eq!(server.log().len(), 3, "none was sent again");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn no_paced_piece_leaves_after_the_deadline() {
        let server = loopback::server(Config::default());
        let limits = Limits {
            bytes: Some(50_000),
            requests: None,
        };
        let bucket = loopback::limited(&server.endpoint(), MINUTE, limits);
        open(&bucket, Duration::from_millis(500));
        let put = bucket.put("a", Bytes::from(vec![7; 100_000])).await;
        assert!(is_fenced(put));
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(server.objects("ocean").is_empty());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_a_server_does_not_know_is_not_asked_again() {
        let server = loopback::server(Config::default());
        server.faults().add(Rule::new(Fault::Status(501)));
        let bucket = loopback::bucket(&server);
        let put = bucket.put("a", Bytes::from_static(b"new")).await;
        assert!(put.is_err());
        assert_eq!(server.log().len(), 1);
    }

    #[test]
    fn requests_for_credentials_pass() {
        let request = |method: Method, url: &str, header: &'static str| {
            let mut request = HttpRequest::new(Bytes::new().into());
            *request.method_mut() = method;
            *request.uri_mut() = url.parse().unwrap();
            if !header.is_empty() {
                request.headers_mut().insert(header, 1.into());
            }
            request
        };
        let token = "http://169.254.169.254/latest/api/token";
        let ttl = "x-aws-ec2-metadata-token-ttl-seconds";
        let roles = "https://sts.amazonaws.com/?Action=AssumeRoleWithWebIdentity";
        assert!(!is_changing(&request(Method::PUT, token, ttl)));
        assert!(!is_changing(&request(Method::POST, roles, "")));
        assert!(is_changing(&request(Method::PUT, token, "")));
        assert!(is_changing(&request(
            Method::POST,
            "http://s/ocean?delete",
            ""
        )));
        assert!(is_changing(&request(Method::PUT, "http://s/ocean/a", "")));
        assert!(!is_changing(&request(Method::GET, "http://s/ocean/a", "")));
    }
}
