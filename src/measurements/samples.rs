//! What a rank did over time, in a number of buckets that does not grow: when there would be more, each is made twice as long.
//!
//! Key types: [`Samples`]; [`Sample`], a bucket.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::events::{Stage, StageTimes};

/// Buckets at most; an even number.
const MOST: usize = 100;

/// How long a bucket is at first.
const FIRST: Duration = Duration::from_millis(100);

/// What a rank did over time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Samples {
    begun: SystemTime,
    width: Duration,
    buckets: Vec<Sample>,
}

/// What it did while a bucket lasted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Bytes of objects that it had put and verified.
    pub written: u64,
    /// Bytes of the bodies of requests that ended.
    pub sent: u64,
    /// Bytes of their answers' bodies.
    pub received: u64,
    /// How many ended.
    pub requests: u64,
    /// How often one was made again.
    pub retries: u64,
    /// How long requests were in flight, summed over all.
    pub in_flight: Duration,
    /// What its stages came to, summed over all that went on at once.
    pub stages: StageTimes,
}

impl Default for Samples {
    fn default() -> Self {
        Self::from(SystemTime::UNIX_EPOCH)
    }
}

impl Samples {
    /// None yet, from then on.
    pub(super) fn from(begun: SystemTime) -> Self {
        Self {
            begun,
            width: FIRST,
            buckets: Vec::new(),
        }
    }

    /// When the first bucket begins.
    #[must_use]
    pub fn begun(&self) -> SystemTime {
        self.begun
    }

    /// How long each lasts.
    #[must_use]
    pub fn width(&self) -> Duration {
        self.width
    }

    /// The buckets, until the last that has anything.
    #[must_use]
    pub fn buckets(&self) -> &[Sample] {
        &self.buckets
    }

    /// The bucket so long after the first began.
    pub(super) fn at(&mut self, after: Duration) -> &mut Sample {
        while after >= self.width * MOST as u32 {
            self.widen();
        }
        let place = (after.as_nanos() / self.width.as_nanos()) as usize;
        if self.buckets.len() <= place {
            self.buckets.resize(place + 1, Sample::default());
        }
        &mut self.buckets[place]
    }

    /// A request was in flight for so long until `now`.
    pub(super) fn add_in_flight(&mut self, now: Duration, took: Duration) {
        self.spread(now, took, |sample, part, _| sample.in_flight += part);
    }

    /// Stages came to this within so long until `now`. Waits are of the rank itself, and so have lasted until then.
    pub(super) fn add_stages(&mut self, now: Duration, times: &StageTimes, over: Duration) {
        for stage in Stage::ALL {
            let time = times.of(stage);
            let over = match stage {
                Stage::Wait => time.busy,
                _ => over,
            };
            if !time.busy.is_zero() {
                self.spread(now, over, |sample, _, share| {
                    sample.stages.add(stage, time.busy.mul_f64(share), 0);
                });
            }
        }
    }

    /// Adds to each bucket its part of the time `took` until `now`, and which share of it that is.
    fn spread(
        &mut self,
        now: Duration,
        took: Duration,
        mut add: impl FnMut(&mut Sample, Duration, f64),
    ) {
        self.at(now);
        let mut from = now.saturating_sub(took);
        let whole = now.saturating_sub(from);
        if whole.is_zero() {
            return add(self.at(now), whole, 1.0);
        }
        while from < now {
            let place = (from.as_nanos() / self.width.as_nanos()) as u32;
            // More than nothing: that is the bucket in which it begins.
            let part = now.min(self.width * (place + 1)).saturating_sub(from);
            let share = part.as_secs_f64() / whole.as_secs_f64();
            add(self.at(from), part, share);
            from += part;
        }
    }

    /// Puts each two buckets into one.
    fn widen(&mut self) {
        self.width *= 2;
        let pairs = self.buckets.chunks(2).map(|pair| {
            let mut sum = pair[0];
            if let Some(other) = pair.get(1) {
                sum.add(other);
            }
            sum
        });
        self.buckets = pairs.collect();
    }
}

impl Sample {
    fn add(&mut self, other: &Self) {
        self.written += other.written;
        self.sent += other.sent;
        self.received += other.received;
        self.requests += other.requests;
        self.retries += other.retries;
        self.in_flight += other.in_flight;
        self.stages += other.stages;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn what_lasts_is_shared_out_over_the_buckets_that_it_lasts() {
        let mut samples = Samples::default();
        samples.add_in_flight(millis(250), millis(180));
        let flights: Vec<Duration> = samples.buckets().iter().map(|s| s.in_flight).collect();
        assert_eq!(flights, [millis(30), millis(100), millis(50)]);
        let mut times = StageTimes::default();
        times.add(Stage::Put, millis(800), 0);
        times.add(Stage::Wait, millis(50), 0);
        samples.add_stages(millis(400), &times, millis(200));
        let of = |bucket: usize, stage| samples.buckets()[bucket].stages.of(stage).busy;
        assert_eq!([2, 3].map(|n| of(n, Stage::Put)), [millis(400); 2]);
        assert_eq!([2, 3].map(|n| of(n, Stage::Wait)), [millis(0), millis(50)]);
        // Before it began there is nothing.
        let mut late = Samples::default();
        late.add_in_flight(millis(10), millis(500));
        assert_eq!(late.buckets()[0].in_flight, millis(10));
        late.add_in_flight(Duration::ZERO, Duration::ZERO);
        assert_eq!(late.buckets().len(), 1);
    }

    proptest! {
        #[test]
        fn however_long_it_lasts_the_sums_stay_and_the_buckets_are_few(
            events in proptest::collection::vec((0u64..1 << 40, 0u64..1 << 30), 1..60),
        ) {
            let mut samples = Samples::default();
            let (mut bytes, mut flight) = (0, Duration::ZERO);
            for (at, took) in events {
                let (at, took) = (millis(at), millis(took));
                samples.at(at).written += 7;
                samples.add_in_flight(at, took);
                bytes += 7;
                flight += took.min(at);
            }
            let all = samples.buckets();
            prop_assert!(all.len() <= MOST);
            prop_assert_eq!(all.iter().map(|s| s.written).sum::<u64>(), bytes);
            prop_assert_eq!(all.iter().map(|s| s.in_flight).sum::<Duration>(), flight);
        }
    }
}
