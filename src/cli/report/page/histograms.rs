//! How much there is of each size or time, by powers of two.
//!
//! Key functions: [`latencies`]; [`object_sizes`].

use std::collections::BTreeMap;

use msm_chart::{Caption, SpanRow, Spans};

use super::name;
use crate::cli::report::merge::Merged;
use crate::cli::words::{bytes_shown, counted, seconds};

/// How many requests of each kind took how long.
pub(super) fn latencies(all: &Merged) -> Vec<Spans> {
    let kinds = all.requests.iter().filter_map(|(kind, record)| {
        let latency = record.latency.as_ref()?;
        let histogram = Histogram {
            title: format!("How long {} requests took", name(kind)),
            what: "requests",
            shown: |micros| seconds(micros as f64 / 1e6),
            counts: by_powers(&latency.histogram),
        };
        let (half, most) = (seconds(latency.p50_seconds), seconds(latency.p99_seconds));
        let ends = [latency.min_seconds, latency.max_seconds].map(seconds);
        histogram.chart(&format!(
            "half within {half}, 99 % within {most}, the fastest {}, the slowest {}",
            ends[0], ends[1]
        ))
    });
    kinds.collect()
}

/// How many objects are how large.
pub(super) fn object_sizes(all: &Merged) -> Option<Spans> {
    let histogram = Histogram {
        title: "How large objects are that were put".to_owned(),
        what: "objects",
        shown: bytes_shown,
        counts: by_powers(&all.object_sizes),
    };
    let median = histogram.median()?;
    histogram.chart(&format!("half have less than {}", bytes_shown(median)))
}

fn by_powers(histogram: &BTreeMap<u64, u64>) -> BTreeMap<u32, u64> {
    let mut powers = BTreeMap::new();
    for (from, count) in histogram {
        *powers.entry(from.max(&1).ilog2()).or_default() += count;
    }
    powers
}

struct Histogram {
    title: String,
    what: &'static str,
    /// How a number of the axis is written.
    shown: fn(u64) -> String,
    /// By the power of two from which on, how many.
    counts: BTreeMap<u32, u64>,
}

impl Histogram {
    /// A row for each power of two, from the least that there is to the greatest; `None` if there are none. `sum` says what they come to.
    fn chart(&self, sum: &str) -> Option<Spans> {
        let (least, most) = self.counts.keys().next().zip(self.counts.keys().last())?;
        let of = |power: u32| self.counts.get(&power).copied().unwrap_or(0);
        let powers = || (*least..=*most).map(|power| (power, of(power)));
        let rows = powers().map(|(power, count)| {
            let name = format!("from {}", (self.shown)(start(power)));
            SpanRow::of_amounts(&name, &[count as f64])
        });
        let buckets = powers().filter(|(_, count)| *count > 0);
        let buckets = buckets.map(|(power, count)| {
            let [from, to] = [start(power), end(power)].map(self.shown);
            format!("{from} to {to}: {count}")
        });
        let buckets: Vec<String> = buckets.collect();
        let all = counted(self.counts.values().sum::<u64>(), self.what);
        Some(Spans {
            caption: Caption {
                title: self.title.clone(),
                detail: String::new(),
                units: self.what.to_owned(),
            },
            words: format!("{all}, {sum}; {}", buckets.join(", ")),
            kinds: vec![self.what.to_owned()],
            rows: rows.collect(),
        })
    }

    /// The end of the bucket below which half of them are.
    fn median(&self) -> Option<u64> {
        let all: u64 = self.counts.values().sum();
        let mut seen = 0;
        let found = self.counts.iter().find(|(_, count)| {
            seen += **count;
            2 * seen >= all
        });
        found.map(|(power, _)| end(*power))
    }
}

fn start(power: u32) -> u64 {
    1 << power.min(63)
}

fn end(power: u32) -> u64 {
    1_u64.checked_shl(power + 1).unwrap_or(u64::MAX)
}
