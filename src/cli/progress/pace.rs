//! When something is said of what lasts. Times are given, so that nothing here waits.
//!
//! Key types: [`Now`]; [`Pace`].

use std::time::{Duration, Instant, SystemTime};

const SECOND: Duration = Duration::from_secs(1);

/// A moment, by the clock that measures and by the one on the wall.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Now {
    pub at: Instant,
    pub wall: SystemTime,
}

impl Now {
    pub(in crate::cli) fn here() -> Self {
        Self {
            at: Instant::now(),
            wall: SystemTime::now(),
        }
    }

    /// How long ago `past` was.
    pub(super) fn since(&self, past: Instant) -> Duration {
        self.at.saturating_duration_since(past)
    }

    /// Whole seconds since then.
    pub(super) fn seconds_since(&self, past: Instant) -> u64 {
        self.since(past).as_secs()
    }

    /// When `past` was, in RFC 3339.
    pub(super) fn time_of(&self, past: Instant) -> String {
        let wall = self.wall.checked_sub(self.since(past));
        rfc3339(wall.unwrap_or(self.wall))
    }

    /// What the clock on the wall shows, in RFC 3339.
    pub(in crate::cli) fn time(&self) -> String {
        rfc3339(self.wall)
    }

    /// When it will be so much later, if clocks count so far.
    pub(super) fn time_after(&self, later: Duration) -> Option<String> {
        self.wall.checked_add(later).map(rfc3339)
    }
}

fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

/// When the next line is due of something that began at a certain time.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    pub since: Instant,
    rhythm: Rhythm,
    next: Duration,
}

#[derive(Clone, Copy, Debug)]
enum Rhythm {
    /// After 2, 5 and 10 s, then every half minute.
    Lines,
    /// Every second, and after ten of them every five.
    Events,
    /// Each time twice as late, but so long after the last at most.
    Doubling(Duration),
}

impl Pace {
    /// For people: short work is over before anything is said of it.
    pub(super) fn of_lines(since: Instant) -> Self {
        Self::new(since, Rhythm::Lines, 2 * SECOND)
    }

    /// For programs.
    pub(super) fn of_events(since: Instant) -> Self {
        Self::new(since, Rhythm::Events, SECOND)
    }

    /// For what should not last: `first` after so long, and never more rarely than every `rarest`.
    pub(super) fn doubling(since: Instant, first: Duration, rarest: Duration) -> Self {
        Self::new(since, Rhythm::Doubling(rarest), first)
    }

    fn new(since: Instant, rhythm: Rhythm, next: Duration) -> Self {
        Self {
            since,
            rhythm,
            next,
        }
    }

    /// Is a line due? Then the next one is, later.
    pub(super) fn is_due(&mut self, now: &Now) -> bool {
        let elapsed = now.since(self.since);
        let is_due = elapsed >= self.next;
        while elapsed >= self.next {
            self.next = self.rhythm.after(self.next);
        }
        is_due
    }
}

impl Rhythm {
    fn after(self, time: Duration) -> Duration {
        match self {
            Self::Lines => match time.as_secs() {
                ..5 => 5 * SECOND,
                5..10 => 10 * SECOND,
                10..30 => 30 * SECOND,
                _ => time + 30 * SECOND,
            },
            Self::Events if time < 10 * SECOND => time + SECOND,
            Self::Events => time + 5 * SECOND,
            Self::Doubling(rarest) => time + time.min(rarest).max(SECOND),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// So many seconds after a moment that stays the same.
    pub(in crate::cli::progress) struct Clock(Now);

    impl Clock {
        pub(in crate::cli::progress) fn new() -> Self {
            Self(Now {
                at: Instant::now() + Duration::from_secs(1000),
                wall: humantime::parse_rfc3339("1976-01-01T12:00:00Z").unwrap(),
            })
        }

        pub(in crate::cli::progress) fn at(&self, seconds: f64) -> Now {
            let later = Duration::from_secs_f64(seconds);
            Now {
                at: self.0.at + later,
                wall: self.0.wall + later,
            }
        }
    }

    /// The seconds, of two minutes, in which something is said that is asked for every 100 ms.
    fn seconds(mut pace: Pace, clock: &Clock) -> Vec<u64> {
        let mut said = Vec::new();
        for tick in 0..1200 {
            let now = clock.at(f64::from(tick) / 10.0);
            if pace.is_due(&now) {
                said.push(now.seconds_since(pace.since));
            }
        }
        said
    }

    #[test]
    fn lines_come_after_2_5_and_10_seconds_and_then_every_half_minute() {
        let clock = Clock::new();
        let began = clock.at(0.0).at;
        assert_eq!(
            seconds(Pace::of_lines(began), &clock),
            [2, 5, 10, 30, 60, 90]
        );
        let events = seconds(Pace::of_events(began), &clock);
        assert_eq!(events[..13], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 25]);
        let doubling = |first, rarest| {
            let [first, rarest] = [first, rarest].map(Duration::from_secs);
            seconds(Pace::doubling(began, first, rarest), &clock)
        };
        assert_eq!(doubling(5, 30), [5, 10, 20, 40, 70, 100]);
        assert_eq!(doubling(10, 300), [10, 20, 40, 80]);
    }

    #[test]
    fn what_was_not_asked_for_in_time_is_said_once() {
        let clock = Clock::new();
        let mut pace = Pace::of_lines(clock.at(0.0).at);
        assert!(pace.is_due(&clock.at(75.0)));
        assert!(!pace.is_due(&clock.at(89.0)));
        assert!(pace.is_due(&clock.at(90.0)));
    }
}
