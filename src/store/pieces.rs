//! A request's body in pieces, each of which the fence lets pass or not, and which tell that the request is alive.
//!
//! Key types: [`Pieces`], the body; [`AttemptPulse`], when it last moved.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use object_store::client::HttpRequestBody;
use tokio::time::Sleep;

use super::fence::{Fence, FencedRequest};
use super::pace::Pacer;
use crate::events::Traffic;

/// Bytes of a piece. The connection takes sixteen at a time at most, and the next one when one has left.
const PIECE: usize = 32 << 10;
/// Bytes that have been taken and may not have left yet, on a connection whose kernel buffers much.
const BUFFERED: u64 = 4 << 20;
/// Bytes that count as one sign of life of a server.
const SIGN: usize = 1 << 10;

/// The body of a request.
pub(super) struct Pieces {
    body: HttpRequestBody,
    /// What is left of the part of the body in hand.
    part: Bytes,
    left: u64,
    fence: Option<Fence>,
    pulse: AttemptPulse,
    pacer: Pacer,
    /// The piece that waits for its time.
    waiting: Option<(Bytes, Pin<Box<Sleep>>)>,
}

impl Pieces {
    /// `body` behind `fence`, if its request changes anything.
    pub(super) fn new(
        body: HttpRequestBody,
        fence: Option<Fence>,
        pulse: AttemptPulse,
        pacer: Pacer,
    ) -> Self {
        Self {
            left: body.content_length() as u64,
            body,
            part: Bytes::new(),
            fence,
            pulse,
            pacer,
            waiting: None,
        }
    }
}

impl Pieces {
    fn give(&mut self, piece: Bytes) -> Poll<Option<Result<Frame<Bytes>, FencedRequest>>> {
        self.left = self.left.saturating_sub(piece.len() as u64);
        self.pulse.taken(piece.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = FencedRequest;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, FencedRequest>>> {
        if let Some(fence) = &self.fence
            && let Err(fenced) = fence.check()
        {
            return Poll::Ready(Some(Err(fenced)));
        }
        if let Some((_, pause)) = &mut self.waiting
            && pause.as_mut().poll(context).is_pending()
        {
            return Poll::Pending;
        }
        if let Some((piece, _)) = self.waiting.take() {
            return self.give(piece);
        }
        while self.part.is_empty() {
            match Pin::new(&mut self.body).poll_frame(context) {
                // A body in memory has no errors and no trailers.
                Poll::Ready(Some(Ok(frame))) => self.part = frame.into_data().unwrap_or_default(),
                Poll::Ready(_) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
        let piece = self.part.len().min(self.pacer.piece(PIECE));
        let piece = self.part.split_to(piece);
        let wait = self.pacer.bytes(piece.len());
        if wait.is_zero() {
            return self.give(piece);
        }
        self.pulse.paced(wait);
        let mut pause = Box::pin(tokio::time::sleep(wait));
        // So that this is polled again.
        if pause.as_mut().poll(context).is_ready() {
            return self.give(piece);
        }
        self.waiting = Some((piece, pause));
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// Signs of life of one attempt of a request. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct AttemptPulse {
    signs: Arc<Mutex<Signs>>,
    /// Is told of the server's signs of life.
    traffic: Traffic,
}

#[derive(Debug)]
struct Signs {
    begun: Instant,
    last: Instant,
    /// Of the body, those the connection has taken, and when it took the last of them.
    taken: u64,
    sent: Option<Instant>,
    /// How long it was kept back meanwhile, by a limit.
    paced: Duration,
    /// Bytes of the answer since the last sign.
    read: usize,
    /// Bytes of the answer.
    received: u64,
}

impl AttemptPulse {
    pub(super) fn new(traffic: &Traffic) -> Self {
        let now = Instant::now();
        let signs = Signs {
            begun: now,
            last: now,
            taken: 0,
            sent: None,
            paced: Duration::ZERO,
            read: 0,
            received: 0,
        };
        Self {
            signs: Arc::new(Mutex::new(signs)),
            traffic: traffic.clone(),
        }
    }

    fn taken(&self, bytes: u64) {
        let mut signs = self.signs();
        signs.taken += bytes;
        signs.last = Instant::now();
        signs.sent = Some(signs.last);
        // The kernel takes what comes first, also where nobody does at the other end.
        if signs.taken > BUFFERED {
            self.traffic.is_alive();
        }
    }

    /// It is kept back for so long from now on, which is no silence.
    pub(super) fn paced(&self, wait: Duration) {
        let mut signs = self.signs();
        signs.paced += wait;
        signs.last = Instant::now() + wait;
        self.traffic.is_paced(wait);
    }

    /// Bytes of the answer that have come.
    pub(super) fn received(&self) -> u64 {
        self.signs().received
    }

    /// The answer has begun.
    pub(super) fn answered(&self) {
        self.signs().last = Instant::now();
        self.traffic.is_alive();
    }

    /// So many bytes of the answer have come. Few are no sign of life.
    pub(super) fn read(&self, bytes: usize) {
        let mut signs = self.signs();
        signs.received += bytes as u64;
        signs.read += bytes;
        if signs.read >= SIGN {
            signs.read = 0;
            signs.last = Instant::now();
            self.traffic.is_alive();
        }
    }

    /// How long it has been silent.
    pub(super) fn silent(&self) -> Duration {
        self.signs().last.elapsed()
    }

    /// How long sending has taken until now, but for what a limit kept back.
    pub(super) fn sending(&self) -> Duration {
        let signs = self.signs();
        let sent = signs.sent.unwrap_or(signs.begun);
        sent.duration_since(signs.begun).saturating_sub(signs.paced)
    }

    /// How long a limit has kept it back.
    pub(super) fn kept_back(&self) -> Duration {
        self.signs().paced
    }

    /// How long it may take until what was taken last has left, at the pace of what was taken before.
    pub(super) fn leaving(&self) -> Duration {
        let (sending, taken) = (self.sending(), self.signs().taken);
        let buffered = taken.min(BUFFERED) as f64;
        let seconds = sending.as_secs_f64() * buffered / taken.max(1) as f64;
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }

    fn signs(&self) -> MutexGuard<'_, Signs> {
        // Nothing panics while the lock is held.
        self.signs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use object_store::PutPayload;

    use super::*;
    use crate::store::fence::Moment;

    async fn next(body: &mut Pieces) -> Option<Result<Bytes, FencedRequest>> {
        let frame = poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await?;
        Some(frame.map(|frame| frame.into_data().unwrap()))
    }

    #[tokio::test]
    async fn a_body_in_pieces_is_the_body() {
        let parts: Vec<Bytes> = vec![vec![1; 3 * PIECE + 1].into(), vec![2; 5].into()];
        let whole: Vec<u8> = parts.iter().flatten().copied().collect();
        let payload: PutPayload = parts.into_iter().collect();
        let mut body = Pieces::new(
            payload.into(),
            None,
            AttemptPulse::new(&Traffic::default()),
            Pacer::default(),
        );
        let mut read = Vec::new();
        assert_eq!(body.size_hint().exact(), Some(whole.len() as u64));
        while let Some(piece) = next(&mut body).await {
            let piece = piece.unwrap();
            assert!(piece.len() <= PIECE);
            read.extend_from_slice(&piece);
            let left = (whole.len() - read.len()) as u64;
            assert_eq!(body.size_hint().exact(), Some(left));
            assert_eq!(body.is_end_stream(), left == 0);
        }
        assert_eq!(read, whole);
    }

    #[tokio::test]
    async fn no_piece_leaves_after_the_deadline() {
        let fence = Fence::closed();
        let now = Moment::now();
        fence.extend(now.after(Duration::from_secs(60)));
        let body = Bytes::from(vec![1; 3 * PIECE]);
        let (fenced, pulse) = (Some(fence.clone()), AttemptPulse::new(&Traffic::default()));
        let mut body = Pieces::new(body.into(), fenced, pulse, Pacer::default());
        assert!(next(&mut body).await.unwrap().is_ok());
        fence.close();
        assert_eq!(next(&mut body).await, Some(Err(FencedRequest)));
    }

    #[test]
    fn few_bytes_are_no_sign_of_life() {
        let pulse = AttemptPulse::new(&Traffic::default());
        let wait = || std::thread::sleep(Duration::from_millis(20));
        wait();
        pulse.read(SIGN - 1);
        assert!(pulse.silent() >= Duration::from_millis(20));
        pulse.read(1);
        assert!(pulse.silent() < Duration::from_millis(20));
    }
}
