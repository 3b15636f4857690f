//! How far a work is, and how fast.
//!
//! Key types: [`Meter`]; [`Measure`], what it shows at a moment.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::pace::Now;
use crate::events::{RanksAtWork, WorkKind};

/// Rates are those of so long at most.
const WINDOW: Duration = Duration::from_secs(30);
/// Between two marks in that.
const MARK: Duration = Duration::from_secs(1);

/// Measures a work.
#[derive(Debug)]
pub(super) struct Meter {
    /// Which of several things the work is of; may be empty.
    what: String,
    pub work: WorkKind,
    objects_total: Option<u64>,
    bytes_total: u64,
    pub begun: Instant,
    bytes: u64,
    objects: u64,
    pub in_flight: u64,
    pub ranks: RanksAtWork,
    /// When an object was last done.
    pub moved: Instant,
    /// When how many bytes were done.
    marks: VecDeque<(Instant, u64)>,
}

/// How far a work is at a moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(in crate::cli) struct Measure {
    /// Which of several things the work is of: a transaction with its period, or a part.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub what: String,
    pub work: WorkKind,
    /// Since it began.
    pub elapsed_seconds: u64,
    pub objects: u64,
    pub objects_total: Option<u64>,
    /// Decoded, where they are put; stored, where they are checked, copied or deleted.
    pub bytes: u64,
    pub bytes_total: Option<u64>,
    pub bytes_per_second: u64,
    /// The rate is that of these last seconds.
    pub over_seconds: u64,
    /// Until it is over, at the rate of all of it.
    pub left_seconds: Option<u64>,
    pub until: Option<String>,
    pub ranks: Option<u64>,
    pub ranks_done: Option<u64>,
    pub waiting_for_rank: Option<u64>,
}

impl Meter {
    /// A meter of work that begins now.
    pub(super) fn new(
        what: &str,
        work: WorkKind,
        objects_total: Option<u64>,
        bytes_total: u64,
        now: &Now,
    ) -> Self {
        Self {
            what: what.to_owned(),
            work,
            objects_total,
            bytes_total,
            begun: now.at,
            bytes: 0,
            objects: 0,
            in_flight: 0,
            ranks: RanksAtWork::default(),
            moved: now.at,
            marks: VecDeque::from([(now.at, 0)]),
        }
    }

    /// Is it of this work, of which nobody knows how much there is to do?
    pub(super) fn is_of(&self, what: &str, work: WorkKind) -> bool {
        self.bytes_total == 0 && self.work == work && self.what == what
    }

    /// So much is done.
    pub(super) fn advance(
        &mut self,
        (bytes, objects): (u64, u64),
        in_flight: u64,
        ranks: RanksAtWork,
        now: &Now,
    ) {
        if (bytes, objects) != (self.bytes, self.objects) {
            self.moved = now.at;
        }
        (self.bytes, self.objects) = (bytes, objects);
        (self.in_flight, self.ranks) = (in_flight, ranks);
    }

    /// Is it known how much there is to do, and is something left of it?
    pub(super) fn is_going(&self) -> bool {
        self.bytes < self.bytes_total
    }

    /// How far it is.
    pub(super) fn measure(&mut self, now: &Now) -> Measure {
        let (since, before) = self.mark(now);
        let over = now.since(since).as_secs_f64().max(1e-3);
        let left = self.left(now);
        let are_known = self.ranks.all > 1;
        Measure {
            what: self.what.clone(),
            work: self.work,
            elapsed_seconds: now.seconds_since(self.begun),
            objects: self.objects,
            objects_total: self.objects_total,
            bytes: self.bytes,
            bytes_total: (self.bytes_total > 0).then_some(self.bytes_total),
            bytes_per_second: (self.bytes.saturating_sub(before) as f64 / over) as u64,
            over_seconds: over.round() as u64,
            left_seconds: left.map(|left| left.as_secs()),
            until: left.and_then(|left| now.time_after(left)),
            ranks: are_known.then_some(self.ranks.all),
            ranks_done: are_known.then_some(self.ranks.done),
            waiting_for_rank: self.ranks.last,
        }
    }

    /// What was done how long ago, of those marks that are not too old.
    fn mark(&mut self, now: &Now) -> (Instant, u64) {
        while self.marks.len() > 1 && now.since(self.marks[0].0) > WINDOW {
            self.marks.pop_front();
        }
        let oldest = self.marks[0];
        let newest = self.marks[self.marks.len() - 1];
        if now.since(newest.0) >= MARK {
            self.marks.push_back((now.at, self.bytes));
        }
        oldest
    }

    /// How long it takes until it is over, if it goes on as it did from its beginning.
    fn left(&self, now: &Now) -> Option<Duration> {
        if self.bytes == 0 || !self.is_going() {
            return None;
        }
        let share = self.bytes as f64 / self.bytes_total as f64;
        let seconds = now.since(self.begun).as_secs_f64() * (1.0 - share) / share;
        let left = Duration::try_from_secs_f64(seconds).ok()?;
        Some(Duration::from_secs(left.as_secs() + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::super::pace::tests::Clock;
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_half_minute_and_the_end_that_of_all() {
        let clock = Clock::new();
        let mut meter = Meter::new("", WorkKind::Sending, Some(40), 4000, &clock.at(0.0));
        for second in 1..=100u32 {
            // Ten bytes a second, then for forty seconds none.
            let bytes = u64::from(second.min(60)) * 10;
            let now = clock.at(f64::from(second));
            meter.advance((bytes, bytes / 100), 3, RanksAtWork::default(), &now);
            let shown = meter.measure(&now);
            match second {
                50 => {
                    assert_eq!((shown.bytes_per_second, shown.over_seconds), (10, 30));
                    assert_eq!(shown.left_seconds, Some(351));
                    assert_eq!(shown.until.as_deref(), Some("1976-01-01T12:06:41Z"));
                    assert_eq!((shown.objects, shown.elapsed_seconds), (5, 50));
                }
                100 => assert_eq!(shown.bytes_per_second, 0),
                _ => {}
            }
        }
        assert_eq!(clock.at(100.0).seconds_since(meter.moved), 40);
        assert!(meter.is_going());
        meter.advance((4000, 40), 0, RanksAtWork::default(), &clock.at(101.0));
        assert_eq!(meter.measure(&clock.at(101.0)).left_seconds, None);
        assert!(!meter.is_going());
    }
}
