//! What befalls requests, and which of them.
//!
//! Key types: [`Mishap`]; [`Rule`], whom it befalls.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use object_store::Error;
use object_store::client::{HttpError, HttpErrorKind};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Put,
    Copy,
    Delete,
    Get,
    Head,
    List,
}

/// What befalls a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// It takes effect so much later.
    Late(Duration),
    /// Its answer comes so much later.
    LateAnswer(Duration),
    /// The whole rank stands still for so long before it takes effect.
    Pause(Duration),
    /// It fails.
    Fails(Failure, Effect),
    /// Half of the body comes, and then the connection is lost.
    CutOff,
    /// What is put is other bytes than were sent; a GET gives others than are there.
    Garbled,
    /// The answer says that all went well, and nothing was done; a HEAD tells another size and ETag, and a listing does not know yet what was
    /// put last.
    Lie,
}

/// Did a request that failed take effect?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    None,
    Done,
}

/// How a request fails, when all patience is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The server answers with this HTTP status.
    Status(u16),
    Reset,
    Timeout,
}

impl Failure {
    /// As object_store tells it.
    pub(crate) fn error(self) -> Error {
        let (kind, said) = match self {
            Self::Status(403) => {
                return Error::PermissionDenied {
                    path: String::new(),
                    source: "AccessDenied".into(),
                };
            }
            Self::Status(status) => return generic(format!("status code: {status}").into()),
            Self::Reset => (HttpErrorKind::Interrupted, "connection reset"),
            Self::Timeout => (HttpErrorKind::Timeout, "timed out"),
        };
        generic(Box::new(HttpError::new(kind, std::io::Error::other(said))))
    }
}

pub(super) fn generic(source: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::Generic {
        store: "simulated",
        source,
    }
}

/// A mishap, and which requests of a rank it befalls.
#[derive(Debug)]
pub(crate) struct Rule {
    mishap: Mishap,
    request: Option<Request>,
    part: &'static str,
    skip: usize,
    times: usize,
    seen: AtomicUsize,
}

impl Rule {
    /// It befalls all requests.
    pub(crate) fn new(mishap: Mishap) -> Self {
        Self {
            mishap,
            request: None,
            part: "",
            skip: 0,
            times: usize::MAX,
            seen: AtomicUsize::new(0),
        }
    }

    /// It befalls the request of this number, counted from zero.
    pub(crate) fn at(number: usize, mishap: Mishap) -> Self {
        Self::new(mishap).skip(number).times(1)
    }

    /// Of those, only such requests.
    pub(crate) fn of(self, request: Request) -> Self {
        let request = Some(request);
        Self { request, ..self }
    }

    /// Of those, only requests for keys that contain this.
    pub(crate) fn key(self, part: &'static str) -> Self {
        Self { part, ..self }
    }

    /// Of those, not the first so many.
    pub(crate) fn skip(self, skip: usize) -> Self {
        Self { skip, ..self }
    }

    /// Of those, no more than so many.
    pub(crate) fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// What befalls this request, if anything.
    pub(super) fn strikes(&self, request: Request, key: &str) -> Option<Mishap> {
        if self.request.is_some_and(|of| of != request) || !key.contains(self.part) {
            return None;
        }
        let number = self.seen.fetch_add(1, Ordering::SeqCst);
        let within = number >= self.skip && number - self.skip < self.times;
        within.then_some(self.mishap)
    }
}
