//! The record of what clients asked, in order of arrival. Key type: [`Request`].

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// One request as the server saw it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `PUT`, …
    pub method: String,
    /// `bucket/key`, percent-decoded; the bucket alone for listings and bulk deletions.
    pub key: String,
    /// The query, percent-decoded: of a listing its prefix and delimiter among others; empty if there is none.
    pub query: String,
    /// The status answered; 0 while unanswered, and for good if the connection was closed instead.
    pub status: u16,
    /// The header `Host`.
    pub host: String,
    /// The header `Authorization`, empty if the request was not signed.
    pub authorization: String,
    /// The header `x-amz-security-token`, empty if there was none.
    pub session_token: String,
    /// The header `x-amz-content-sha256`: the hash of the body, or that it is not signed.
    pub content_sha256: String,
    /// How many requests were being answered when it came, itself among them.
    pub at_once: usize,
    /// When it came, from the server's start.
    pub at: Duration,
    /// Bytes of its body.
    pub received: u64,
    /// Bytes of the answer's body.
    pub sent: u64,
}

#[derive(Debug, Default)]
pub(crate) struct RequestLog(Mutex<Vec<Request>>);

impl RequestLog {
    /// Notes an arrival and returns its place, for [`RequestLog::answered`].
    pub(crate) fn arrived(&self, request: Request) -> usize {
        let mut entries = self.entries();
        entries.push(request);
        entries.len() - 1
    }

    pub(crate) fn answered(&self, place: usize, status: u16, sent: u64) {
        if let Some(entry) = self.entries().get_mut(place) {
            entry.status = status;
            entry.sent = sent;
        }
    }

    pub(crate) fn from(&self, first: usize) -> Vec<Request> {
        self.entries().get(first..).unwrap_or_default().to_vec()
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Request>> {
        // Nothing panics while the lock is held, and a half-made entry cannot exist.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
