//! How long requests take: counts in buckets whose width grows with the time, so that those of many ranks and jobs can be put
//! together, and quantiles read from them.
//!
//! Key type: [`Latency`].

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Buckets from one power of two to the next: a quantile is wrong by a sixteenth at most.
const STEPS: u64 = 16;

/// Times of requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// By the shortest time of each bucket, in microseconds, how many took that or longer, but not as long as those of the next.
    buckets: BTreeMap<u64, u64>,
    least: Option<Duration>,
    most: Duration,
}

impl Latency {
    /// Those that a report has kept.
    #[must_use]
    pub fn of(
        buckets: impl IntoIterator<Item = (u64, u64)>,
        least: Duration,
        most: Duration,
    ) -> Self {
        let mut all = Self::default();
        for (from, count) in buckets {
            all.count(from, count);
        }
        all.least = (!all.buckets.is_empty()).then_some(least);
        all.most = most;
        all
    }

    /// Another request took so long.
    pub fn add(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.count(micros, 1);
        self.least = Some(self.least.map_or(took, |least| least.min(took)));
        self.most = self.most.max(took);
    }

    /// Adds those of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (from, count) in &other.buckets {
            self.count(*from, *count);
        }
        self.least = match (self.least, other.least) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.most = self.most.max(other.most);
    }

    fn count(&mut self, micros: u64, count: u64) {
        if count > 0 {
            *self.buckets.entry(bucket_of(micros)).or_default() += count;
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.buckets.values().sum()
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// The shortest; `None` if there are none.
    #[must_use]
    pub fn least(&self) -> Option<Duration> {
        self.least
    }

    /// The longest; `None` if there are none.
    #[must_use]
    pub fn most(&self) -> Option<Duration> {
        (!self.is_empty()).then_some(self.most)
    }

    /// What this share of them (0 to 1) did not take longer than, to a sixteenth; `None` if there are none.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let least = self.least?;
        let rank = ((share * self.len() as f64).ceil() as u64).max(1);
        let mut seen = 0;
        let found = self.buckets.iter().find(|(_, count)| {
            seen += **count;
            seen >= rank
        });
        let (from, _) = found?;
        let end = Duration::from_micros(from.saturating_add(width(*from)));
        Some(end.clamp(least, self.most))
    }

    /// By the shortest time of each bucket, in microseconds, how many are in it.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> {
        self.buckets.iter().map(|(from, count)| (*from, *count))
    }
}

/// The shortest time of the bucket in which `micros` are.
fn bucket_of(micros: u64) -> u64 {
    micros - micros % width(micros)
}

/// The width of that bucket.
fn width(micros: u64) -> u64 {
    let power = 1 << micros.max(1).ilog2();
    (power / STEPS).max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn latency(micros: &[u64]) -> Latency {
        let mut latency = Latency::default();
        for micros in micros {
            latency.add(Duration::from_micros(*micros));
        }
        latency
    }

    #[test]
    fn of_none_there_is_no_quantile_and_of_one_all_are_that() {
        let none = latency(&[]);
        assert_eq!(
            (none.quantile(0.5), none.least(), none.most()),
            (None, None, None)
        );
        let one = latency(&[1234]);
        for share in [0.0, 0.5, 0.99, 1.0] {
            assert_eq!(one.quantile(share), Some(Duration::from_micros(1234)));
        }
    }

    #[test]
    fn a_few_slow_ones_show_in_the_highest_quantile_only() {
        let mut all = vec![1000; 97];
        all.extend([500_000; 3]);
        let all = latency(&all);
        let millis = |share| all.quantile(share).unwrap().as_millis();
        assert_eq!((millis(0.5), millis(0.9)), (1, 1));
        assert!(millis(0.99) >= 480, "{}", millis(0.99));
        assert_eq!(all.most(), Some(Duration::from_millis(500)));
    }

    proptest! {
        #[test]
        fn quantiles_are_right_to_a_sixteenth_in_one_piece_or_merged(
            micros in proptest::collection::vec(0u64..100_000_000, 1..200),
            at in 0usize..200,
            share in 0.0..=1.0f64,
        ) {
            let whole = latency(&micros);
            let (one, two) = micros.split_at(at.min(micros.len()));
            let mut merged = latency(one);
            merged.merge(&latency(two));
            prop_assert_eq!(&merged, &whole);
            // As a report keeps them.
            let kept = Latency::of(whole.buckets(), whole.least().unwrap(), whole.most().unwrap());
            prop_assert_eq!(&kept, &whole);
            prop_assert_eq!(whole.len(), micros.len() as u64);
            let mut sorted = micros.clone();
            sorted.sort_unstable();
            let rank = ((share * sorted.len() as f64).ceil() as usize).max(1);
            let exact = sorted[rank - 1];
            let found = whole.quantile(share).unwrap().as_micros() as u64;
            prop_assert!(found >= exact && found <= exact + exact / STEPS + 1, "{found} for {exact}");
        }
    }
}
