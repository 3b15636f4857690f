//! The HTTP layer every request passes: writes the log, asks the fault rules, hands the request to
//! the S3 service, and makes the faults real at the socket. Key type: [`Gate`].

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue,
};
use hyper::{Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use s3s::service::S3Service;
use s3s::{Body, StdError};

use crate::bodies::{Drained, Dripping, Flipped, Truncated, read_half};
use crate::crowd::Crowd;
use crate::faults::{Fault, Faults, Verdict};
use crate::hook::Hooks;
use crate::request_log::{self, RequestLog};
use crate::store::Store;

/// Marks a request whose body is to be stored corrupted; travels in its extensions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoreCorrupted;

/// Marks a PUT whose body arrives as another than it left; travels in its extensions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ArriveCorrupted;

/// Marks a listing that is to give its first page; travels in its extensions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FirstPage;

/// Marks a read that is to give what was overwritten within that time; travels in its extensions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadStale(pub(crate) Duration);

#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) s3: S3Service,
    pub(crate) faults: Arc<Faults>,
    pub(crate) log: Arc<RequestLog>,
    pub(crate) crowd: Arc<Crowd>,
    pub(crate) hooks: Arc<Hooks>,
    /// What a hook looks at.
    pub(crate) store: Arc<Store>,
    /// The age of the hooks when the connection was opened.
    pub(crate) opened: u64,
    /// The session token signed requests must bring.
    pub(crate) session_token: Option<String>,
    /// Whether session tokens say when they end.
    pub(crate) ending_tokens: bool,
    /// When the server was.
    pub(crate) started: Instant,
    /// The name whose subdomains are buckets.
    pub(crate) domain: Option<String>,
}

impl Gate {
    /// Answers one request. An error makes hyper close the connection without an answer.
    pub(crate) async fn answer(
        self,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, StdError> {
        let method = request.method().as_str().to_owned();
        let query = request.uri().query().unwrap_or_default();
        let query = percent_decode_str(query).decode_utf8_lossy().into_owned();
        let header = |name: HeaderName| {
            let value = request.headers().get(name).map(HeaderValue::as_bytes);
            String::from_utf8_lossy(value.unwrap_or_default()).into_owned()
        };
        let host = header(HOST);
        let key = self.path_of(&request, &host);
        let (authorization, session_token) = (header(AUTHORIZATION), header(SESSION_TOKEN));
        let wrong = if authorization.is_empty() {
            None
        } else {
            self.wrong_token(&session_token)
        };
        let crowd = Arc::clone(&self.crowd);
        let visit = crowd.enter();
        let place = self.log.arrived(request_log::Request {
            at_once: visit.at_once,
            content_sha256: header(CONTENT_SHA256),
            method: method.clone(),
            key: key.clone(),
            query,
            host,
            authorization,
            session_token,
            at: self.started.elapsed(),
            received: length(request.headers()),
            ..Default::default()
        });
        let verdict = if visit.is_too_many() {
            Verdict {
                delay: Duration::ZERO,
                fault: Some(Fault::Status(503)),
            }
        } else {
            self.faults.judge(&method, &key)
        };
        let is_head = method == "HEAD";
        if !verdict.delay.is_zero() {
            tokio::time::sleep(verdict.delay).await;
        }
        let response = match verdict.fault {
            Some(Fault::Drop) => {
                return Err("the connection is dropped, as a fault rule wants".into());
            }
            Some(Fault::Status(status)) => {
                let expects_continue = request.headers().contains_key(EXPECT);
                if !expects_continue {
                    Drained::new(request.into_body()).drain().await;
                }
                let (code, message) = words(status);
                error_response(status, code, message, &key)?
            }
            _ if wrong.is_some() => {
                Drained::new(request.into_body()).drain().await;
                let (status, code, message) = wrong.unwrap_or_default();
                error_response(status, code, message, &key)?
            }
            Some(Fault::TruncateWrite) => {
                read_half(request.into_body()).await;
                return Err("the connection is closed in mid-body, as a fault rule wants".into());
            }
            Some(Fault::Late(time)) => {
                let (parts, body) = request.into_parts();
                let body = Body::from(body.collect().await?.to_bytes());
                let (request, gate) = (Request::from_parts(parts, body), self.clone());
                let late = async move {
                    tokio::time::sleep(time).await;
                    gate.pass(request, None).await
                };
                tokio::spawn(late).await??
            }
            fault if is_mutating(&method) && self.hooks.is_set() => {
                let gate = self.clone();
                gate.pass_in_turn(request, method, key, fault).await?
            }
            fault => {
                let request = unread(request);
                self.pass(request, fault).await?
            }
        };
        let sent = if is_head {
            0
        } else {
            length(response.headers())
        };
        self.log.answered(place, response.status().as_u16(), sent);
        Ok(response)
    }

    /// The status, code and message for a signed request with this session token, if it is not good.
    fn wrong_token(&self, token: &str) -> Option<(u16, &'static str, &'static str)> {
        let invalid = (
            403,
            "InvalidToken",
            "The provided token is malformed or otherwise invalid.",
        );
        if self
            .session_token
            .as_ref()
            .is_some_and(|wanted| wanted != token)
        {
            return Some(invalid);
        }
        if !self.ending_tokens {
            return None;
        }
        let end = token
            .strip_prefix("until-")
            .and_then(|end| end.parse().ok());
        let Some(end) = end else {
            return Some(invalid);
        };
        let end = UNIX_EPOCH + Duration::from_millis(end);
        (end <= SystemTime::now()).then_some((
            400,
            "ExpiredToken",
            "The provided token has expired.",
        ))
    }

    /// `bucket/key` of a request, percent-decoded; the bucket alone without a slash.
    fn path_of(&self, request: &Request<Incoming>, host: &str) -> String {
        let decoded = percent_decode_str(request.uri().path()).decode_utf8_lossy();
        let path = decoded.strip_prefix('/').unwrap_or(&decoded);
        let subdomain = self.domain.as_ref().and_then(|domain| {
            let bucket = host.strip_suffix(domain.as_str())?;
            bucket.strip_suffix('.')
        });
        let path = match subdomain {
            Some(bucket) => format!("{bucket}/{path}"),
            None => path.to_owned(),
        };
        match path.strip_suffix('/') {
            Some(bucket) if !bucket.contains('/') => bucket.to_owned(),
            _ => path,
        }
    }

    /// Reads the body, and lets the S3 service answer when it is the request's turn. A request that has arrived runs
    /// to its end, even if its client dies meanwhile.
    async fn pass_in_turn(
        self,
        request: Request<Incoming>,
        method: String,
        key: String,
        fault: Option<Fault>,
    ) -> Result<Response<Body>, StdError> {
        let (parts, body) = request.into_parts();
        let body = Body::from(body.collect().await?.to_bytes());
        let request = Request::from_parts(parts, body);
        let task = async move {
            let (store, opened) = (Arc::clone(&self.store), self.opened);
            let apply = self.pass(request, fault);
            self.hooks
                .take_turn(store, method, key, opened, apply)
                .await
        };
        tokio::spawn(task).await?
    }

    /// Lets the S3 service answer, with what `fault` does to the bodies.
    async fn pass(
        &self,
        mut request: Request<Body>,
        fault: Option<Fault>,
    ) -> Result<Response<Body>, StdError> {
        match fault {
            Some(Fault::CorruptArrived) => {
                request.extensions_mut().insert(ArriveCorrupted);
            }
            Some(Fault::CorruptStored) => {
                request.extensions_mut().insert(StoreCorrupted);
            }
            Some(Fault::StaleRead(time)) => {
                request.extensions_mut().insert(ReadStale(time));
            }
            Some(Fault::RepeatPage) => {
                request.extensions_mut().insert(FirstPage);
            }
            _ => {}
        }
        let resource = request.uri().path().trim_start_matches('/').to_owned();
        let response = self.s3.call(request).await?;
        match fault {
            Some(Fault::StatusAfterApply(status)) => {
                let (code, message) = words(status);
                error_response(status, code, message, &resource)
            }
            Some(Fault::DropAfterApply) => {
                Err("the answer is dropped, as a fault rule wants".into())
            }
            Some(Fault::CorruptRead) => {
                Ok(response.map(|body| Body::http_body_unsync(Flipped::new(body))))
            }
            Some(Fault::DripRead(pause)) => {
                Ok(response.map(|body| Body::http_body_unsync(Dripping::new(body, pause))))
            }
            Some(Fault::TruncateRead) => {
                Ok(response.map(|body| Body::http_body_unsync(Truncated::new(body))))
            }
            _ => Ok(response),
        }
    }
}

/// Bytes of a body, as its headers say.
fn length(headers: &HeaderMap) -> u64 {
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok());
    length.and_then(|length| length.parse().ok()).unwrap_or(0)
}

fn is_mutating(method: &str) -> bool {
    matches!(method, "PUT" | "POST" | "DELETE")
}

/// A request whose body the S3 service reads as it comes.
fn unread(request: Request<Incoming>) -> Request<Body> {
    // A client that waits for "100 Continue" sends no body after an early answer.
    let expects_continue = request.headers().contains_key(EXPECT);
    request.map(|body| {
        if expects_continue {
            Body::from(body)
        } else {
            Body::http_body_unsync(Drained::new(body))
        }
    })
}

/// The header of temporary keys.
const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const SESSION_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// The S3 error a fault rule's status stands for.
fn words(status: u16) -> (&'static str, &'static str) {
    match status {
        400 => ("InvalidRequest", "Invalid request."),
        403 => ("AccessDenied", "Access Denied"),
        404 => ("NoSuchKey", "The specified key does not exist."),
        408 => (
            "RequestTimeout",
            "Your socket connection to the server was not read from or written to within the timeout period.",
        ),
        409 => (
            "ConditionalRequestConflict",
            "A conflicting operation occurred during the request.",
        ),
        412 => (
            "PreconditionFailed",
            "At least one of the preconditions you specified did not hold.",
        ),
        429 => ("TooManyRequests", "Please reduce your request rate."),
        500 => (
            "InternalError",
            "We encountered an internal error. Please try again.",
        ),
        501 => (
            "NotImplemented",
            "A header you provided implies functionality that is not implemented.",
        ),
        502 => ("BadGateway", "Bad gateway."),
        503 => ("SlowDown", "Please reduce your request rate."),
        504 => ("GatewayTimeout", "Gateway timeout."),
        507 => (
            "InsufficientStorage",
            "There is not enough space left to store the object.",
        ),
        _ => ("UnknownError", "An error made by a fault rule."),
    }
}

/// An S3 error as a server in trouble sends it.
fn error_response(
    status: u16,
    code: &str,
    message: &str,
    key: &str,
) -> Result<Response<Body>, StdError> {
    let resource = key
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
         <Message>{message}</Message><Resource>/{resource}</Resource>\
         <RequestId>fault-rule</RequestId></Error>"
    );
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status)?;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    Ok(response)
}
