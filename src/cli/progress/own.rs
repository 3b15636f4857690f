//! What this program waits for before the server has been asked for anything: limits that were given to it, and keys.
//!
//! Key type: [`OwnWaits`].

use std::time::Duration;

use super::pace::{Now, Pace};
use super::saying::Saying;
use crate::events::{LimitedTime, RanksAtWork, TrafficState};

/// Watches what one rank waits for itself.
#[derive(Debug)]
pub(super) struct OwnWaits {
    first: Duration,
    rarest: Duration,
    /// When keys are said to be waited for.
    keys: Option<Pace>,
    limited: LimitedTime,
    is_limit_told: bool,
}

impl OwnWaits {
    /// Those that tell of keys when they are waited for for as long as `first`, and then no more rarely than every `rarest`. Of limits
    /// they tell once, if they are to tell of them.
    pub(super) fn new(first: Duration, rarest: Duration, tells_limits: bool) -> Self {
        Self {
            first,
            rarest,
            keys: None,
            limited: LimitedTime::default(),
            is_limit_told: !tells_limits,
        }
    }

    /// What is to be said of the requests that have not left yet, and of those of the other `ranks` at work.
    pub(super) fn look(
        &mut self,
        seen: &TrafficState,
        ranks: RanksAtWork,
        now: &Now,
    ) -> Vec<Saying> {
        self.keys(seen, now)
            .into_iter()
            .chain(self.limit(seen, ranks, now))
            .collect()
    }

    fn keys(&mut self, seen: &TrafficState, now: &Now) -> Option<Saying> {
        let (source, since) = seen.keys.as_ref()?;
        let (first, rarest) = (self.first, self.rarest);
        let begins = || Pace::doubling(*since, first, rarest);
        // Between two requests that wait for the same keys there may be none.
        let pace = match &mut self.keys {
            Some(pace) if pace.since == *since => pace,
            keys => keys.insert(begins()),
        };
        pace.is_due(now).then(|| Saying::WaitingForKeys {
            since: now.time_of(pace.since),
            for_seconds: now.seconds_since(pace.since),
            source: source.clone(),
        })
    }

    fn limit(&mut self, seen: &TrafficState, ranks: RanksAtWork, now: &Now) -> Option<Saying> {
        let own = self.limited.look(seen.kept_back, now.at);
        if self.is_limit_told {
            return None;
        }
        let said = match own {
            Some(window) => Saying::WaitingForLimit {
                for_seconds: window.lasted.as_secs(),
                waited_seconds: window.waited.as_secs(),
            },
            None if ranks.limited > 0 => Saying::RanksWaitForLimit {
                ranks: ranks.all,
                ranks_waiting: ranks.limited,
            },
            None => return None,
        };
        self.is_limit_told = true;
        Some(said)
    }
}

#[cfg(test)]
mod tests {
    use super::super::pace::tests::Clock;
    use super::*;

    fn waits() -> OwnWaits {
        OwnWaits::new(Duration::from_secs(2), Duration::from_secs(30), true)
    }

    #[test]
    fn keys_are_said_to_be_waited_for_when_that_lasts() {
        let (clock, mut waits) = (Clock::new(), waits());
        let seen = TrafficState {
            keys: Some(("lab".to_owned(), clock.at(0.0).at)),
            ..TrafficState::default()
        };
        assert_eq!(
            waits.look(&seen, RanksAtWork::default(), &clock.at(1.9)),
            []
        );
        let said = waits.look(&seen, RanksAtWork::default(), &clock.at(2.0));
        assert!(
            matches!(&said[..], [Saying::WaitingForKeys { for_seconds: 2, source, .. }] if source == "lab"),
            "{said:?}"
        );
        assert_eq!(
            waits.look(&seen, RanksAtWork::default(), &clock.at(3.0)),
            []
        );
        assert_eq!(
            waits.look(
                &TrafficState::default(),
                RanksAtWork::default(),
                &clock.at(3.5)
            ),
            []
        );
        assert_eq!(
            waits.look(&seen, RanksAtWork::default(), &clock.at(3.9)),
            [],
            "the next one waits"
        );
        let said = waits.look(&seen, RanksAtWork::default(), &clock.at(4.0));
        assert!(
            matches!(&said[..], [Saying::WaitingForKeys { for_seconds: 4, .. }]),
            "{said:?}"
        );
        let others = TrafficState {
            keys: Some(("lab".to_owned(), clock.at(10.0).at)),
            ..TrafficState::default()
        };
        assert_eq!(
            waits.look(&others, RanksAtWork::default(), &clock.at(11.9)),
            []
        );
        assert_eq!(
            waits
                .look(&others, RanksAtWork::default(), &clock.at(12.0))
                .len(),
            1
        );
    }

    #[test]
    fn a_limit_that_takes_most_of_the_time_is_said_once() {
        let clock = Clock::new();
        let at = |waits: &mut OwnWaits, seconds: u32, kept_back: u64| {
            let seen = TrafficState {
                kept_back: Duration::from_secs(kept_back),
                ..TrafficState::default()
            };
            waits.look(&seen, RanksAtWork::default(), &clock.at(f64::from(seconds)))
        };
        let mut waits = waits();
        assert_eq!(at(&mut waits, 0, 0), []);
        assert_eq!(at(&mut waits, 10, 4), [], "less than half");
        assert_eq!(at(&mut waits, 19, 13), []);
        let limit = Saying::WaitingForLimit {
            for_seconds: 10,
            waited_seconds: 9,
        };
        assert_eq!(at(&mut waits, 20, 13), [limit]);
        assert_eq!(at(&mut waits, 40, 33), []);
    }

    #[test]
    fn a_limit_that_slows_other_ranks_is_said_once() {
        let (clock, mut waits) = (Clock::new(), waits());
        let mut at = |seconds: u32, limited: u64| {
            let ranks = RanksAtWork {
                all: 4,
                limited,
                ..RanksAtWork::default()
            };
            waits.look(
                &TrafficState::default(),
                ranks,
                &clock.at(f64::from(seconds)),
            )
        };
        assert_eq!(at(0, 0), []);
        let limit = Saying::RanksWaitForLimit {
            ranks: 4,
            ranks_waiting: 3,
        };
        assert_eq!(at(10, 3), [limit]);
        assert_eq!(at(20, 4), []);
    }
}
