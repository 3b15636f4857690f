//! What all ranks together did over time: throughput, requests in flight, requests that were made again.
//!
//! Key function: [`series`].

use msm_chart::{Caption, Moment, Series};

use super::{ranks, since};
use crate::cli::report::document::SamplesRecord;
use crate::cli::report::merge::Merged;
use crate::cli::words::seconds;

/// Points of a series, at most.
const POINTS: usize = 100;

/// Those of which there is anything.
pub(super) fn series(all: &Merged) -> Vec<Series> {
    let axis = Axis::of(all);
    let bytes = |title: &str, numbers: fn(&SamplesRecord) -> &[u64]| {
        let sums = axis.sums(all, |samples| whole(numbers(samples)));
        let rates = sums.iter().map(|bytes| bytes / axis.width / 1e6);
        axis.series(title, "MB/s", rates.collect())
    };
    let in_flight = axis.sums(all, |samples| {
        let mean = samples.requests_in_flight.iter();
        mean.map(|mean| mean * samples.bucket_seconds).collect()
    });
    let in_flight = in_flight.iter().map(|seconds| seconds / axis.width);
    let again = axis.sums(all, |samples| whole(&samples.retries));
    let again = again.iter().map(|count| count / axis.width);
    let found = [
        bytes("Throughput: objects put and verified", |samples| {
            &samples.written_bytes
        }),
        bytes("Throughput: bodies of requests", |samples| {
            &samples.sent_bytes
        }),
        bytes("Throughput: bodies of answers", |samples| {
            &samples.received_bytes
        }),
        axis.series("Requests in flight", "requests", in_flight.collect()),
        axis.series("Requests made again", "1/s", again.collect()),
    ];
    found.into_iter().flatten().collect()
}

fn whole(numbers: &[u64]) -> Vec<f64> {
    numbers.iter().map(|number| *number as f64).collect()
}

/// Buckets that are the same for all ranks, none shorter than theirs.
struct Axis {
    width: f64,
    count: usize,
}

impl Axis {
    fn of(all: &Merged) -> Self {
        let samples = ranks(all).filter_map(|(_, rank)| rank.samples.as_ref());
        let widest = samples.map(|samples| samples.bucket_seconds);
        let width = widest.fold(all.elapsed_seconds / POINTS as f64, f64::max);
        let count = (all.elapsed_seconds / width).ceil();
        Self {
            width,
            // Without any time there is no bucket.
            count: if count.is_finite() { count as usize } else { 0 }.min(POINTS + 1),
        }
    }

    /// What the `amounts` of all ranks come to in each bucket: what is in one of theirs is evenly spread over it.
    fn sums(&self, all: &Merged, amounts: impl Fn(&SamplesRecord) -> Vec<f64>) -> Vec<f64> {
        let mut sums = vec![0.0; self.count];
        for (_, rank) in ranks(all) {
            let Some(samples) = &rank.samples else {
                continue;
            };
            let Some(begun) = since(all, &samples.begun) else {
                continue;
            };
            let theirs = samples.bucket_seconds;
            for (number, amount) in amounts(samples).into_iter().enumerate() {
                let from = begun + theirs * number as f64;
                let first = (from / self.width) as usize;
                // Theirs is not longer than one here, so that it lies in two at most.
                let in_first = ((first as f64 + 1.0) * self.width - from).min(theirs) / theirs;
                for (place, share) in [(first, in_first), (first + 1, 1.0 - in_first)] {
                    if let Some(sum) = sums.get_mut(place) {
                        *sum += amount * share;
                    }
                }
            }
        }
        sums
    }

    /// `None` if there is nothing in it.
    fn series(&self, title: &str, units: &str, values: Vec<f64>) -> Option<Series> {
        if values.iter().all(|value| *value == 0.0) {
            return None;
        }
        let moments = values.into_iter().enumerate().map(|(number, value)| {
            let at = self.width * (number as f64 + 0.5);
            let date = if at < 60.0 {
                format!("{at:.2}s")
            } else {
                seconds(at)
            };
            Moment { at, date, value }
        });
        Some(Series {
            caption: Caption {
                title: title.to_owned(),
                detail: "all ranks together".to_owned(),
                units: units.to_owned(),
            },
            moments: moments.collect(),
            infinite: 0,
        })
    }
}
