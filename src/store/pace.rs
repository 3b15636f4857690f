//! How fast requests may follow each other, and bytes of their bodies: what a gateway that others share is spared.
//!
//! Key types: [`Limits`] of a whole job; [`Pace`] of one rank, its share of them; [`Pacer`], of one request.
//!
//! While all ranks work, each keeps to a share of its own. What rank 0 does alone, while the others wait for it, may take all.
//!
//! Who waits here has not begun: none of this counts as time that a server takes. What a lease needs goes ahead: the others make up for
//! it, as far as they are not starved, which is each time by as much again as they take themselves. Where leases alone are more than that,
//! they come on top of the limit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::knobs;

/// What was left unused so long ago may be made up for: clocks wake nobody on time.
const CREDIT: Duration = Duration::from_millis(50);
/// What has gone ahead is owed up to what the limit lets pass in this time, or one request.
const OWED: Duration = Duration::from_secs(1);
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
    /// The longest that each request waits.
    static AHEAD: Duration;
}

/// Does `work`, whose requests go ahead of all others. They wait for each other, but each for no longer than `at_most`.
pub(crate) async fn ahead_of_limits<T>(at_most: Duration, work: impl Future<Output = T>) -> T {
    AHEAD.scope(at_most, work).await
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
    /// How many a second, while no other rank works.
    alone: f64,
    /// And while all do.
    shared: f64,
    turns: Mutex<Turns>,
}

/// Whose turn it is when.
#[derive(Debug, Default)]
struct Turns {
    /// Do all ranks work?
    all_work: bool,
    /// When the next one may begin.
    next: Option<Instant>,
    /// When the next one may that goes ahead, if it can wait.
    next_ahead: Option<Instant>,
    /// What has gone ahead, and the others have not made up for yet.
    owed: Duration,
}

/// All ranks work, until this is dropped.
#[must_use]
pub(crate) struct AllAtWork(Pace);

/// How fast one request may go.
#[derive(Clone, Debug, Default)]
pub(super) struct Pacer {
    pace: Pace,
    /// The longest that it waits, if it goes ahead.
    ahead: Option<Duration>,
}

impl Pace {
    /// The share of one of so many ranks. Of the requests rank 0 has half, for it keeps the leases and the journals, too; of the bytes all
    /// have the same.
    #[must_use]
    pub(crate) fn of_rank(limits: Limits, rank: usize, ranks: usize) -> Self {
        let schedule = |limit: Option<u64>, share: f64| {
            limit.map(|limit| {
                let whole = limit.max(1) as f64 / knobs::second().as_secs_f64();
                let shared = whole * share;
                Schedule {
                    alone: if rank == 0 { whole } else { shared },
                    shared,
                    turns: Mutex::default(),
                }
            })
        };
        let of_requests = match (rank, ranks) {
            (_, ..=1) => 1.0,
            (0, _) => 0.5,
            (_, ranks) => 0.5 / (ranks - 1) as f64,
        };
        Self(Arc::new(RankLimits {
            requests: schedule(limits.requests, of_requests),
            bytes: schedule(limits.bytes, 1.0 / ranks.max(1) as f64),
        }))
    }

    /// All ranks work from now on, until what this returns is dropped: then the others wait for rank 0 again.
    pub(crate) fn all_at_work(&self) -> AllAtWork {
        self.is_shared(true);
        AllAtWork(self.clone())
    }

    fn is_shared(&self, all_work: bool) {
        for schedule in [&self.0.requests, &self.0.bytes].into_iter().flatten() {
            schedule.turns().all_work = all_work;
        }
    }

    /// That of a request that this task makes.
    pub(super) fn pacer(&self) -> Pacer {
        Pacer {
            pace: self.clone(),
            ahead: AHEAD.try_with(|at_most| *at_most).ok(),
        }
    }
}

impl Drop for AllAtWork {
    fn drop(&mut self) {
        self.0.is_shared(false);
    }
}

impl Pacer {
    /// Does it go ahead of all others?
    pub(super) fn goes_ahead(&self) -> bool {
        self.ahead.is_some()
    }

    /// How long the request waits until it may begin; it has its turn from now on.
    pub(super) fn request(&self) -> Duration {
        self.wait(self.pace.0.requests.as_ref(), 1)
    }

    /// How long so many bytes of a body wait, which count from now on.
    pub(super) fn bytes(&self, bytes: usize) -> Duration {
        self.wait(self.pace.0.bytes.as_ref(), bytes)
    }

    /// The most bytes that go at a time.
    pub(super) fn piece(&self, most: usize) -> usize {
        // As small as it is while all ranks work, for they may begin to.
        let rate = self.pace.0.bytes.as_ref().map(|bytes| bytes.shared);
        let fits = rate.map(|rate| (rate * PIECE_TIME) as usize);
        fits.map_or(most, |fits| fits.clamp(SMALLEST_PIECE.min(most), most))
    }

    fn wait(&self, schedule: Option<&Schedule>, count: usize) -> Duration {
        let wait = schedule.map(|schedule| schedule.take(count, Instant::now(), self.ahead));
        wait.unwrap_or_default()
    }
}

impl Schedule {
    fn turns(&self) -> MutexGuard<'_, Turns> {
        // Nothing panics while it is locked.
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long so many wait that come `now`; no longer than so long if they go `ahead`.
    fn take(&self, count: usize, now: Instant, ahead: Option<Duration>) -> Duration {
        let mut turns = self.turns();
        let rate = if turns.all_work {
            self.shared
        } else {
            self.alone
        };
        let takes = Duration::try_from_secs_f64(count as f64 / rate);
        let takes = takes.unwrap_or(Duration::MAX);
        let earliest = now.checked_sub(CREDIT).unwrap_or(now);
        let next = turns.next.unwrap_or(now);
        // What was not used meanwhile makes up for what has gone ahead.
        let unused = earliest.saturating_duration_since(next);
        turns.owed = turns.owed.saturating_sub(unused);
        let next = next.max(earliest);
        if let Some(at_most) = ahead {
            let turn = turns.next_ahead.map_or(now, |next| next.max(earliest));
            let begin = turn.min(now + at_most);
            turns.next = Some(next);
            turns.next_ahead = Some(begin.checked_add(takes).unwrap_or(begin));
            turns.owed = turns.owed.saturating_add(takes).min(OWED.max(takes));
            return begin.saturating_duration_since(now);
        }
        let makes_up = turns.owed.min(takes);
        turns.owed -= makes_up;
        let begin = next.checked_add(makes_up).unwrap_or(next);
        turns.next = Some(begin.checked_add(takes).unwrap_or(begin));
        begin.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn schedule(rate: f64) -> Schedule {
        Schedule {
            alone: rate,
            shared: rate,
            turns: Mutex::default(),
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
                let start = now + schedule.take(1, now, None);
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
            let last = (0..100).map(|_| schedule.take(1, now, None)).last().unwrap();
            prop_assert!((last.as_secs_f64() - 99.0 / rate).abs() < 1e-3);
        }
    }

    /// A rank that asks whenever it may, for so many seconds, while something goes ahead every `beat`: how often each had its turn.
    fn turns_beside(rate: f64, seconds: u64, beat: Duration, each: usize) -> (usize, usize) {
        let (schedule, begun) = (schedule(rate), Instant::now());
        let end = begun + Duration::from_secs(seconds);
        let (mut now, mut beats) = (begun, begun);
        let (mut others, mut ahead) = (0, 0);
        while now < end {
            while beats <= now {
                for _ in 0..each {
                    assert_eq!(
                        schedule.take(1, beats, Some(Duration::ZERO)),
                        Duration::ZERO
                    );
                }
                (beats, ahead) = (beats + beat, ahead + each);
            }
            now += schedule.take(1, now, None);
            others += 1;
            // What was asked is answered.
            now += Duration::from_millis(1);
        }
        (others, ahead)
    }

    proptest! {
        #[test]
        fn what_goes_ahead_starves_nobody_and_counts_as_far_as_it_can(
            rate in 0.05..60.0f64,
            beat in 100..10_000u64,
            each in 1..40usize,
        ) {
            let seconds = 400;
            let beat = Duration::from_millis(beat);
            let (others, ahead) = turns_beside(rate, seconds, beat, each);
            let allowed = rate * seconds as f64;
            // Half of the turns, but for the last one and what an answer takes.
            prop_assert!(others as f64 >= allowed * 0.45 - 2.0, "{others} of {allowed}");
            prop_assert!(others as f64 <= allowed * 1.01 + 3.0, "{others} of {allowed}");
            // Less than a second's worth at a time, and less than half: the limit holds for all together.
            let of_one_beat = each as f64 / rate;
            if of_one_beat < 0.9 && of_one_beat < beat.as_secs_f64() * 0.4 {
                let all = (others + ahead) as f64;
                prop_assert!(all <= allowed * 1.02 + 3.0 + each as f64, "{all} of {allowed}");
            }
        }
    }

    #[test]
    fn a_burst_that_goes_ahead_is_spread_as_far_as_it_can_wait() {
        let (schedule, now) = (schedule(10.0), Instant::now());
        let longest = Duration::from_millis(500);
        let waits: Vec<u128> = (0..8)
            .map(|_| schedule.take(1, now, Some(longest)).as_millis())
            .collect();
        assert_eq!(waits, [0, 100, 200, 300, 400, 500, 500, 500]);
        let wait = schedule.take(1, now, None);
        assert!(wait <= Duration::from_millis(100), "{wait:?}");
    }

    #[tokio::test]
    async fn what_goes_ahead_counts_and_does_not_wait() {
        let limits = Limits {
            bytes: Some(1000),
            requests: None,
        };
        let pace = Pace::of_rank(limits, 3, 10);
        assert_eq!(pace.pacer().bytes(50), Duration::ZERO);
        let ahead = ahead_of_limits(Duration::ZERO, async { pace.pacer() }).await;
        assert_eq!(ahead.bytes(50), Duration::ZERO);
        let wait = pace.pacer().bytes(50).as_secs_f64();
        assert!((0.9..=1.0).contains(&wait), "{wait}");
        assert_eq!(Pace::default().pacer().bytes(1 << 30), Duration::ZERO);
    }

    /// Of `count` requests that come `now`, and then as many bytes, the last ones wait so many seconds.
    fn last_of(count: usize, pace: &Pace, now: Instant) -> [f64; 2] {
        [&pace.0.requests, &pace.0.bytes].map(|schedule| {
            let schedule = schedule.as_ref().unwrap();
            let waits = (0..count).map(|_| schedule.take(1, now, None));
            waits.last().unwrap().as_secs_f64()
        })
    }

    const LIMITS: Limits = Limits {
        bytes: Some(1000),
        requests: Some(50),
    };

    #[test]
    fn the_shares_of_all_ranks_are_the_limit() {
        let now = Instant::now();
        let is = |rate: f64, expected: f64| (rate / expected - 1.0).abs() < 1e-4;
        for ranks in [1, 2, 3, 64] {
            let rates = (0..ranks).map(|rank| {
                let pace = Pace::of_rank(LIMITS, rank, ranks);
                let _all = pace.all_at_work();
                last_of(2, &pace, now).map(|wait| 1.0 / wait)
            });
            let rates: Vec<[f64; 2]> = rates.collect();
            let [requests, bytes] = [0, 1].map(|which| rates.iter().map(|rate| rate[which]).sum());
            assert!(is(requests, 50.0) && is(bytes, 1000.0), "{rates:?}");
            assert!(rates[0][0] > 24.9, "the lead does much besides");
        }
    }

    #[test]
    fn what_rank_0_does_alone_may_take_all() {
        let now = Instant::now();
        let pace = Pace::of_rank(LIMITS, 0, 4);
        let is = |waits: [f64; 2], expected: [f64; 2]| {
            let off = waits.iter().zip(expected).map(|(a, b)| (a - b).abs());
            assert!(off.fold(0.0, f64::max) < 1e-6, "{waits:?}");
        };
        is(last_of(6, &pace, now), [0.1, 0.005]);
        let all = pace.all_at_work();
        is(last_of(6, &pace, now), [0.12 + 0.2, 0.006 + 0.02]);
        drop(all);
        is(last_of(1, &pace, now), [0.12 + 0.24, 0.006 + 0.024]);
        // The others have a share, whoever works.
        let other = Pace::of_rank(LIMITS, 3, 4);
        is(last_of(2, &other, now), [0.12, 0.004]);
    }

    #[test]
    fn pieces_are_small_where_bytes_are_slow() {
        let piece = |bytes: Option<u64>| {
            let requests = None;
            let pace = Pace::of_rank(Limits { bytes, requests }, 0, 4);
            pace.pacer().piece(32 << 10)
        };
        assert_eq!(piece(None), 32 << 10);
        assert_eq!(piece(Some(200 << 20)), 32 << 10);
        assert_eq!(piece(Some(64_000)), 4000);
        assert_eq!(piece(Some(1)), 1 << 10);
    }
}
