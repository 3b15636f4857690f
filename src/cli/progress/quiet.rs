//! Silence: short works, one after the other, must not add up to a long time in which nothing is said.
//!
//! Key type: [`QuietWatch`].

use std::time::{Duration, Instant};

use super::pace::{Now, Pace};
use super::saying::Saying;
use crate::events::{TrafficState, WorkKind};

/// A work that has lasted so long speaks for itself.
const SPEAKS: Duration = Duration::from_secs(2);
/// So much longer a younger work is waited for until it does.
const GRACE: Duration = Duration::from_secs(3);

/// Watches for how long nothing has been said.
#[derive(Debug)]
pub(super) struct QuietWatch {
    /// From what was said last; `None` until it is first looked at.
    pace: Option<Pace>,
}

/// The work that is under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct WorkUnderWay {
    pub work: WorkKind,
    pub begun: Instant,
    /// Does a bar show it?
    pub is_shown: bool,
}

impl QuietWatch {
    pub(super) fn new() -> Self {
        Self { pace: None }
    }

    /// Something was said, and says enough until so much later.
    pub(super) fn said(&mut self, now: &Now, enough: Duration) {
        let from = now.at + enough;
        if self.pace.as_ref().is_none_or(|pace| pace.since < from) {
            self.pace = Some(Pace::of_lines(from));
        }
    }

    /// What is to be said of the silence.
    pub(super) fn look(
        &mut self,
        work: Option<WorkUnderWay>,
        traffic: &TrafficState,
        now: &Now,
    ) -> Option<Saying> {
        let pace = self.pace.get_or_insert_with(|| Pace::of_lines(now.at));
        if let Some(work) = work {
            if now.since(work.begun) >= SPEAKS {
                *pace = Pace::of_lines(now.at);
                return None;
            }
            if work.is_shown || now.since(pace.since) < SPEAKS + GRACE {
                return None;
            }
        }
        let since = pace.since;
        pace.is_due(now).then(|| Saying::Quiet {
            since: now.time_of(since),
            for_seconds: now.seconds_since(since),
            work: work.map(|work| work.work),
            requests_in_flight: traffic.in_flight,
            requests_so_far: traffic.begun,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::pace::tests::Clock;
    use super::*;

    /// The seconds in which something is said, of so many tenths; `work` tells in which tenth the one under way began.
    fn seconds(quiet: &mut QuietWatch, tenths: u32, work: impl Fn(u32) -> Option<u32>) -> Vec<u64> {
        let clock = Clock::new();
        let mut said = Vec::new();
        for tenth in 0..tenths {
            let work = work(tenth).map(|begun| WorkUnderWay {
                work: WorkKind::Committing,
                begun: clock.at(f64::from(begun) / 10.0).at,
                is_shown: false,
            });
            let now = clock.at(f64::from(tenth) / 10.0);
            match quiet.look(work, &TrafficState::default(), &now) {
                Some(Saying::Quiet { for_seconds, .. }) => said.push(for_seconds),
                Some(other) => panic!("{other:?}"),
                None => {}
            }
        }
        said
    }

    #[test]
    fn a_command_that_asks_and_asks_says_so() {
        let said = seconds(&mut QuietWatch::new(), 650, |_| None);
        assert_eq!(said, [2, 5, 10, 30, 60]);
    }

    #[test]
    fn many_short_works_do_not_add_up_to_silence() {
        // A second each, without a break.
        let said = seconds(&mut QuietWatch::new(), 650, |tenth| Some(tenth / 10 * 10));
        assert_eq!(said, [5, 10, 30, 60]);
    }

    #[test]
    fn a_long_work_speaks_for_itself_and_what_comes_behind_it_begins_anew() {
        let said = seconds(&mut QuietWatch::new(), 1500, |tenth| {
            (10..1000).contains(&tenth).then_some(10)
        });
        assert_eq!(said, [2, 5, 10, 30]);
        let said = seconds(&mut QuietWatch::new(), 600, |_| Some(0));
        assert_eq!(said, [0; 0]);
    }

    #[test]
    fn what_was_said_is_enough_for_a_while() {
        let clock = Clock::new();
        let mut quiet = QuietWatch::new();
        let mut look = |seconds: f64, is_said: bool| {
            let now = clock.at(seconds);
            if is_said {
                quiet.said(&now, Duration::from_secs(30));
            }
            let said = quiet.look(None, &TrafficState::default(), &now);
            said.is_some()
        };
        assert!(!look(0.0, false) && look(2.0, false) && !look(4.0, true));
        assert!(!look(35.0, false) && look(36.0, false));
    }
}
