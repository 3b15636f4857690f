//! One exchange with the server: the request as it leaves, and its whole answer.
//!
//! Key function: [`exchange`].

use bytes::{Bytes, BytesMut};
use object_store::client::{HttpError, HttpErrorKind, HttpRequest, HttpResponse};
use reqwest::{Method, StatusCode};

use super::kind::is_copy;
use crate::store::answer::chain;
use crate::store::claim::ToldChecksums;
use crate::store::fence::{Fence, FencedRequest};
use crate::store::pace::Pacer;
use crate::store::pieces::{AttemptPulse, Pieces};
use crate::store::signature::{EndedKeys, says_ended};

/// The most bytes of an answer that is no object.
const MOST: usize = 64 << 20;

/// A listing that gives the same page again and again.
#[derive(Debug, thiserror::Error)]
#[error("the listing does not come to an end: its continuation token leads to itself")]
struct CircularListing;

/// More came than a server has to say.
#[derive(Debug, thiserror::Error)]
#[error("the answer has more than {MOST} bytes")]
struct EndlessAnswer;

/// Sends the request and reads the whole answer.
pub(super) async fn exchange(
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
    if status.is_success() && is_copy(request.headers()) {
        status = failure_in(&whole).unwrap_or(status);
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

/// A copy may fail after its answer has begun with "200".
fn failure_in(answer: &[u8]) -> Option<StatusCode> {
    let answer = String::from_utf8_lossy(answer);
    if answer.contains("SlowDown") {
        return Some(StatusCode::SERVICE_UNAVAILABLE);
    }
    answer
        .contains("InternalError")
        .then_some(StatusCode::INTERNAL_SERVER_ERROR)
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
