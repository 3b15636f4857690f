//! How fast requests may follow each other, and bytes of their bodies: what a gateway that others share is spared.
//!
//! Key types: [`Limits`] of a whole job; [`Pace`] of one rank, its share of them; [`Pacer`], of one request.
//!
//! Who waits here has not begun: none of this counts as time that a server takes. What renews a lease goes ahead: it counts, and the
//! others wait for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What was left unused so long ago may be made up for: clocks wake nobody on time.
const CREDIT: Duration = Duration::from_millis(50);
/// A piece of a body takes about so long, but for the smallest one.
const PIECE_TIME: f64 = 0.25;
const SMALLEST_PIECE: usize = 1 << 10;

/// The most that all ranks of a job may ask of a server together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes a second of bodies, sent and received.
    pub bytes: Option<u64>,
    /// Requests a second.
    pub requests: Option<u64>,
}

tokio::task_local! {
    static AHEAD: ();
}

/// Does `work`, whose requests wait for no limit.
pub(crate) async fn ahead_of_limits<T>(work: impl Future<Output = T>) -> T {
    AHEAD.scope((), work).await
}

/// The limits of one rank. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pace(Arc<RankLimits>);

#[derive(Debug, Default)]
struct RankLimits {
    requests: Option<Schedule>,
    bytes: Option<Schedule>,
}

/// One thing after the other.
#[derive(Debug)]
struct Schedule {
    /// How many a second.
    rate: f64,
    /// When the next one may begin.
    next: Mutex<Option<Instant>>,
}

/// How fast one request may go.
#[derive(Clone, Debug, Default)]
pub(super) struct Pacer {
    pace: Pace,
    is_ahead: bool,
}

impl Pace {
    /// The share of each of so many ranks.
    #[must_use]
    pub(crate) fn of_rank(limits: Limits, ranks: usize) -> Self {
        let schedule = |limit: Option<u64>| {
            limit.map(|limit| Schedule {
                rate: limit.max(1) as f64 / ranks.max(1) as f64,
                next: Mutex::new(None),
            })
        };
        Self(Arc::new(RankLimits {
            requests: schedule(limits.requests),
            bytes: schedule(limits.bytes),
        }))
    }

    /// That of a request that this task makes.
    pub(super) fn pacer(&self) -> Pacer {
        Pacer {
            pace: self.clone(),
            is_ahead: AHEAD.try_with(|()| ()).is_ok(),
        }
    }
}

impl Pacer {
    /// Waits until the request may begin.
    pub(super) async fn request(&self) {
        let wait = self.wait(self.pace.0.requests.as_ref(), 1);
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// How long so many bytes of a body wait, which count from now on.
    pub(super) fn bytes(&self, bytes: usize) -> Duration {
        self.wait(self.pace.0.bytes.as_ref(), bytes)
    }

    /// The most bytes that go at a time.
    pub(super) fn piece(&self, most: usize) -> usize {
        let rate = self.pace.0.bytes.as_ref().map(|bytes| bytes.rate);
        let fits = rate.map(|rate| (rate * PIECE_TIME) as usize);
        fits.map_or(most, |fits| fits.clamp(SMALLEST_PIECE.min(most), most))
    }

    fn wait(&self, schedule: Option<&Schedule>, count: usize) -> Duration {
        let wait = schedule.map(|schedule| schedule.take(count, Instant::now()));
        wait.filter(|_| !self.is_ahead).unwrap_or_default()
    }
}

impl Schedule {
    /// How long so many wait that come `now`.
    fn take(&self, count: usize, now: Instant) -> Duration {
        let takes = Duration::try_from_secs_f64(count as f64 / self.rate);
        let takes = takes.unwrap_or(Duration::MAX);
        // Nothing panics while it is locked.
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let earliest = now.checked_sub(CREDIT).unwrap_or(now);
        let begin = next.map_or(now, |next| next.max(earliest));
        *next = Some(begin.checked_add(takes).unwrap_or(begin));
        begin.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn schedule(rate: f64) -> Schedule {
        Schedule {
            rate,
            next: Mutex::new(None),
        }
    }

    proptest! {
        #[test]
        fn no_second_has_more_than_the_limit(
            rate in 0.2..500.0f64,
            arrivals in proptest::collection::vec(0..300u64, 1..200),
        ) {
            let (schedule, begun) = (schedule(rate), Instant::now());
            let mut now = begun;
            let mut starts: Vec<f64> = Vec::new();
            for pause in arrivals {
                now += Duration::from_millis(pause);
                let start = now + schedule.take(1, now);
                starts.push(start.duration_since(begun).as_secs_f64());
            }
            let most = rate * (1.0 + CREDIT.as_secs_f64()) + 1.0;
            for (i, first) in starts.iter().enumerate() {
                let within = starts[i..].iter().filter(|start| **start < first + 1.0).count();
                prop_assert!(within as f64 <= most + 1e-6, "{within} of {rate}");
            }
        }

        #[test]
        fn the_limit_is_reached(rate in 1.0..500.0f64) {
            let (schedule, now) = (schedule(rate), Instant::now());
            let last = (0..100).map(|_| schedule.take(1, now)).last().unwrap();
            prop_assert!((last.as_secs_f64() - 99.0 / rate).abs() < 1e-3);
        }
    }

    #[tokio::test]
    async fn what_goes_ahead_counts_and_does_not_wait() {
        let limits = Limits {
            bytes: Some(1000),
            requests: None,
        };
        let pace = Pace::of_rank(limits, 10);
        assert_eq!(pace.pacer().bytes(50), Duration::ZERO);
        let ahead = ahead_of_limits(async { pace.pacer() }).await;
        assert_eq!(ahead.bytes(50), Duration::ZERO);
        let wait = pace.pacer().bytes(1).as_secs_f64();
        assert!((0.9..=1.0).contains(&wait), "{wait}");
        assert_eq!(Pace::default().pacer().bytes(1 << 30), Duration::ZERO);
    }

    #[test]
    fn pieces_are_small_where_bytes_are_slow() {
        let piece = |bytes: Option<u64>| {
            let requests = None;
            let pace = Pace::of_rank(Limits { bytes, requests }, 4);
            pace.pacer().piece(32 << 10)
        };
        assert_eq!(piece(None), 32 << 10);
        assert_eq!(piece(Some(200 << 20)), 32 << 10);
        assert_eq!(piece(Some(64_000)), 4000);
        assert_eq!(piece(Some(1)), 1 << 10);
    }
}
