//! Bodies that misbehave on the way out ([`Flipped`], [`Truncated`], [`Dripping`]) and one that behaves on the way
//! in ([`Drained`]). Large bodies pass through uncopied, but for the one frame that is corrupted.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use s3s::StdError;
use tokio::time::Sleep;

/// A copy of `bytes` with its middle byte inverted; an empty body stays as it is.
pub(crate) fn flip_middle(bytes: &Bytes) -> Bytes {
    flip_at(bytes, bytes.len() / 2)
}

fn flip_at(bytes: &Bytes, position: usize) -> Bytes {
    let mut copy = bytes.to_vec();
    if let Some(byte) = copy.get_mut(position) {
        *byte = !*byte;
    }
    Bytes::from(copy)
}

/// A response body whose middle byte arrives inverted.
pub(crate) struct Flipped {
    inner: s3s::Body,
    /// Bytes to go until the one that is inverted; `None` once it is behind.
    ahead: Option<usize>,
}

impl Flipped {
    pub(crate) fn new(inner: s3s::Body) -> Self {
        let middle = inner.size_hint().lower() / 2;
        Flipped {
            inner,
            ahead: usize::try_from(middle).ok(),
        }
    }
}

impl Body for Flipped {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        let Some(frame) = ready!(Pin::new(&mut self.inner).poll_frame(cx)?) else {
            return Poll::Ready(None);
        };
        let ahead = self.ahead;
        let frame = match (frame.data_ref(), ahead) {
            (Some(data), Some(ahead)) if ahead < data.len() => {
                self.ahead = None;
                Frame::data(flip_at(data, ahead))
            }
            (Some(data), Some(ahead)) => {
                self.ahead = Some(ahead - data.len());
                frame
            }
            _ => frame,
        };
        Poll::Ready(Some(Ok(frame)))
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// How long half a body is given to leave before the connection is closed behind it.
const FLUSH: Duration = Duration::from_millis(20);

/// A response body that announces its whole length, sends half and closes the connection.
pub(crate) struct Truncated {
    inner: s3s::Body,
    announced: SizeHint,
    /// Bytes still to be sent.
    left: usize,
    end: Option<Pin<Box<Sleep>>>,
}

impl Truncated {
    pub(crate) fn new(inner: s3s::Body) -> Self {
        let announced = inner.size_hint();
        let left = usize::try_from(announced.lower() / 2).unwrap_or(usize::MAX);
        Truncated {
            inner,
            announced,
            left,
            end: None,
        }
    }
}

impl Body for Truncated {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        if self.left > 0
            && let Some(frame) = ready!(Pin::new(&mut self.inner).poll_frame(cx)?)
            && let Ok(mut data) = frame.into_data()
        {
            data.truncate(self.left);
            self.left -= data.len();
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        self.left = 0;
        let end = self
            .end
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(FLUSH)));
        ready!(end.as_mut().poll(cx));
        Poll::Ready(Some(Err(
            "the connection is closed in mid-body, as a fault rule wants".into(),
        )))
    }

    fn size_hint(&self) -> SizeHint {
        self.announced
    }
}

/// A response body that arrives byte by byte, with pauses.
pub(crate) struct Dripping {
    inner: s3s::Body,
    /// What has come of it and is not sent yet.
    ahead: Bytes,
    announced: SizeHint,
    pause: Duration,
    next: Option<Pin<Box<Sleep>>>,
}

impl Dripping {
    pub(crate) fn new(inner: s3s::Body, pause: Duration) -> Self {
        Dripping {
            announced: inner.size_hint(),
            inner,
            ahead: Bytes::new(),
            pause,
            next: None,
        }
    }
}

impl Body for Dripping {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        while self.ahead.is_empty() {
            let Some(frame) = ready!(Pin::new(&mut self.inner).poll_frame(cx)?) else {
                return Poll::Ready(None);
            };
            self.ahead = frame.into_data().unwrap_or_default();
        }
        let pause = self.pause;
        let next = self
            .next
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
        ready!(next.as_mut().poll(cx));
        self.next = None;
        let byte = self.ahead.split_to(1);
        Poll::Ready(Some(Ok(Frame::data(byte))))
    }

    fn size_hint(&self) -> SizeHint {
        self.announced
    }
}

/// A request body that is read to its end in the background if it is dropped before. Without this
/// an early answer (403, say) to a large PUT would be lost: closing a socket that holds unread data
/// resets the connection.
pub(crate) struct Drained(Option<Incoming>);

impl Drained {
    pub(crate) fn new(body: Incoming) -> Self {
        Drained(Some(body))
    }

    /// Reads and throws away all that is left.
    pub(crate) async fn drain(mut self) {
        if let Some(body) = self.0.take() {
            discard(body).await;
        }
    }
}

/// Reads the first half of a body.
pub(crate) async fn read_half(mut body: Incoming) {
    let mut left = body.size_hint().lower() / 2;
    while left > 0
        && let Some(Ok(frame)) = body.frame().await
    {
        left = left.saturating_sub(frame.data_ref().map_or(0, |data| data.len() as u64));
    }
}

async fn discard(mut body: Incoming) {
    while let Some(Ok(_)) = body.frame().await {}
}

impl Body for Drained {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.0.as_mut() {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for Drained {
    fn drop(&mut self) {
        if let Some(body) = self.0.take()
            && !body.is_end_stream()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(discard(body));
        }
    }
}
