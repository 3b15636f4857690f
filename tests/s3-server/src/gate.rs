//! The HTTP layer every request passes: writes the log, asks the fault rules, hands the request to
//! the S3 service, and makes the faults real at the socket. Key type: [`Gate`].

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, EXPECT, HeaderValue};
use hyper::{Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use s3s::service::S3Service;
use s3s::{Body, StdError};

use crate::bodies::{Drained, Flipped, Truncated};
use crate::faults::{Fault, Faults};
use crate::request_log::RequestLog;

/// Marks a request whose body is to be stored corrupted; travels in its extensions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoreCorrupted;

#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) s3: S3Service,
    pub(crate) faults: Arc<Faults>,
    pub(crate) log: Arc<RequestLog>,
}

impl Gate {
    /// Answers one request. An error makes hyper close the connection without an answer.
    pub(crate) async fn answer(
        self,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, StdError> {
        let method = request.method().as_str().to_owned();
        let key = path_of(&request);
        let query = request.uri().query().unwrap_or_default();
        let query = percent_decode_str(query).decode_utf8_lossy();
        let place = self.log.arrived(&method, &key, &query);
        let verdict = self.faults.judge(&method, &key);
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
                error_response(status, &key)?
            }
            fault => self.pass(request, fault).await?,
        };
        self.log.answered(place, response.status().as_u16());
        Ok(response)
    }

    /// Lets the S3 service answer, with what `fault` does to the bodies.
    async fn pass(
        &self,
        request: Request<Incoming>,
        fault: Option<Fault>,
    ) -> Result<Response<Body>, StdError> {
        let (mut parts, body) = request.into_parts();
        if fault == Some(Fault::CorruptStored) {
            parts.extensions.insert(StoreCorrupted);
        }
        // A client that waits for "100 Continue" sends no body after an early answer.
        let body = if parts.headers.contains_key(EXPECT) {
            Body::from(body)
        } else {
            Body::http_body_unsync(Drained::new(body))
        };
        let response = self.s3.call(Request::from_parts(parts, body)).await?;
        match fault {
            Some(Fault::DropAfterApply) => {
                Err("the answer is dropped, as a fault rule wants".into())
            }
            Some(Fault::CorruptRead) => {
                Ok(response.map(|body| Body::http_body_unsync(Flipped::new(body))))
            }
            Some(Fault::TruncateRead) => {
                Ok(response.map(|body| Body::http_body_unsync(Truncated::new(body))))
            }
            _ => Ok(response),
        }
    }
}

/// `bucket/key` of a path-style request, percent-decoded; the bucket alone without a slash.
fn path_of(request: &Request<Incoming>) -> String {
    let decoded = percent_decode_str(request.uri().path()).decode_utf8_lossy();
    let path = decoded.strip_prefix('/').unwrap_or(&decoded);
    match path.strip_suffix('/') {
        Some(bucket) if !bucket.contains('/') => bucket.to_owned(),
        _ => path.to_owned(),
    }
}

/// An S3 error as a server in trouble sends it.
fn error_response(status: u16, key: &str) -> Result<Response<Body>, StdError> {
    let (code, message) = match status {
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
    };
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
