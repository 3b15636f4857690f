//! What an attempt came to: an answer that stands, one that may pass, or none.

use std::time::Duration;

use object_store::client::{HttpError, HttpErrorKind, HttpRequest, HttpResponse};
use reqwest::{Method, StatusCode};
use tracing::{debug, warn};

use crate::store::answer::{chain, innermost};

/// Why a request counts as lost.
#[derive(Debug, thiserror::Error)]
#[error("no sign of life for {} s", .0.as_secs())]
pub(super) struct ServerSilence(pub(super) Duration);

/// Is it worth asking a server again that has answered so? That it does not know a request does not pass.
pub(super) fn is_busy(status: StatusCode) -> bool {
    let passing = [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT];
    (status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED) || passing.contains(&status)
}

/// Does the server say that it is asked too much at a time?
pub(super) fn is_too_much(status: StatusCode) -> bool {
    [
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::TOO_MANY_REQUESTS,
    ]
    .contains(&status)
}

/// Is it worth sending the request again? All but some uploads in parts come to the same when they are done twice.
pub(super) fn may_pass(request: &HttpRequest, error: &HttpError) -> bool {
    match error.kind() {
        HttpErrorKind::Connect | HttpErrorKind::Request => true,
        HttpErrorKind::Timeout | HttpErrorKind::Interrupted => {
            let query = request.uri().query().unwrap_or_default();
            *request.method() != Method::POST || query == "delete" || query == "delete="
        }
        _ => false,
    }
}

pub(super) fn is_silence(error: &HttpError) -> bool {
    chain(error).any(<dyn std::error::Error>::is::<ServerSilence>)
}

/// Logs an attempt: neither headers, which hold signatures, nor bodies, nor what a server says, which may quote them.
pub(super) fn log(
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
pub(super) fn cause_of(answer: &Result<HttpResponse, HttpError>) -> String {
    match answer {
        Ok(answer) => answer.status().to_string(),
        Err(error) => innermost(error),
    }
}
