//! A server that does not answer, or not as it should: noticed from the requests in flight, whatever they come to.
//!
//! Key type: [`ServerWatch`].

use std::time::{Duration, Instant};

use super::pace::{Now, Pace};
use super::saying::Saying;
use crate::events::{Retrying, TrafficState};

/// For so long a server may be silent before anything is said of it.
const SILENCE: Duration = Duration::from_secs(5);

/// Watches one rank's requests.
#[derive(Debug)]
pub(super) struct ServerWatch {
    /// It is first said of requests that are made again when it has lasted so long.
    first: Duration,
    rarest: Duration,
    trouble: Option<Trouble>,
}

#[derive(Debug)]
struct Trouble {
    pace: Pace,
    is_told: bool,
    attempts: u64,
}

impl ServerWatch {
    /// One that tells of what lasts for `first`, and then no more rarely than every `rarest`.
    pub(super) fn new(first: Duration, rarest: Duration) -> Self {
        Self {
            first,
            rarest,
            trouble: None,
        }
    }

    /// What is to be said of the requests in flight.
    pub(super) fn look(&mut self, seen: &TrafficState, now: &Now) -> Option<Saying> {
        let Some(since) = began(seen, now) else {
            let over = self.trouble.take()?;
            // That requests wait no more can be because they were given up.
            let last = seen.failed.max(Some(over.pace.since));
            let is_answered = seen.answered > last;
            return (over.is_told && is_answered).then(|| Saying::AnswersAgain {
                after_seconds: now.seconds_since(over.pace.since),
                attempts: over.attempts,
            });
        };
        let (first, rarest) = (self.first, self.rarest);
        let trouble = self.trouble.get_or_insert_with(|| Trouble {
            pace: Pace::doubling(since, first, rarest),
            is_told: false,
            attempts: 0,
        });
        if let Some(retrying) = &seen.retrying {
            trouble.attempts = trouble.attempts.max(retrying.attempts);
        }
        if !trouble.pace.is_due(now) {
            return None;
        }
        trouble.is_told = true;
        Some(told(trouble.pace.since, seen, now))
    }

    /// Does it not answer, as has been said?
    pub(super) fn is_told(&self) -> bool {
        self.trouble.as_ref().is_some_and(|trouble| trouble.is_told)
    }
}

/// Since when something is wrong, if something is: requests are made again, or for a while none has had a sign of life, and that is not
/// for want of keys.
fn began(seen: &TrafficState, now: &Now) -> Option<Instant> {
    let retried = seen.retrying.as_ref().map(|retrying| retrying.since);
    let oldest = seen.oldest.as_ref().map(|(_, begun)| *begun);
    let silent = oldest.map(|begun| seen.alive.map_or(begun, |alive| alive.max(begun)));
    let silent = silent.filter(|since| seen.keys.is_none() && now.since(*since) >= SILENCE);
    retried.into_iter().chain(silent).min()
}

fn told(since: Instant, seen: &TrafficState, now: &Now) -> Saying {
    let (time, seconds) = (now.time_of(since), now.seconds_since(since));
    match &seen.retrying {
        Some(Retrying {
            requests,
            attempts,
            last,
            cause,
            ..
        }) => Saying::Retrying {
            since: time,
            for_seconds: seconds,
            requests: *requests,
            attempts: *attempts,
            last_request: last.clone(),
            cause: cause.clone(),
        },
        None => Saying::Unanswered {
            since: time,
            for_seconds: seconds,
            requests: seen.in_flight,
            oldest_request: seen.oldest.as_ref().map(|(name, _)| name.clone()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::pace::tests::Clock;
    use super::*;

    fn watch() -> ServerWatch {
        ServerWatch::new(Duration::from_secs(2), Duration::from_secs(30))
    }

    /// One request, that began then.
    fn one(begun: Instant) -> TrafficState {
        TrafficState {
            in_flight: 1,
            oldest: Some(("PUT /ocean/a".to_owned(), begun)),
            ..TrafficState::default()
        }
    }

    fn retried(begun: Instant, attempts: u64) -> TrafficState {
        let retrying = Retrying {
            since: begun,
            requests: 1,
            attempts,
            last: "PUT /ocean/a".to_owned(),
            cause: "503 Service Unavailable".to_owned(),
        };
        TrafficState {
            retrying: Some(retrying),
            ..one(begun)
        }
    }

    #[test]
    fn a_server_that_stops_for_25_seconds_is_told_of_within_5_and_so_is_its_return() {
        let (clock, mut watch) = (Clock::new(), watch());
        let begun = clock.at(0.0).at;
        let mut said = Vec::new();
        for tick in 0..300 {
            let now = clock.at(f64::from(tick) / 10.0);
            let mut seen = match tick {
                // Nothing but silence; then it counts as lost, and is sent again.
                ..200 => one(begun),
                200..250 => retried(begun, 1),
                _ => TrafficState::default(),
            };
            if tick >= 250 {
                (seen.answered, seen.alive) = (Some(clock.at(25.0).at), Some(clock.at(25.0).at));
            }
            said.extend(watch.look(&seen, &now).map(|said| (tick / 10, said)));
        }
        let seconds: Vec<i32> = said.iter().map(|(second, _)| *second).collect();
        assert_eq!(seconds, [5, 8, 16, 25]);
        assert!(
            matches!(&said[0].1, Saying::Unanswered { for_seconds: 5, requests: 1, since, .. }
            if since == "1976-01-01T12:00:00Z")
        );
        let Saying::AnswersAgain {
            after_seconds,
            attempts,
        } = said[3].1
        else {
            panic!("{said:?}");
        };
        assert_eq!((after_seconds, attempts), (25, 1));
    }

    #[test]
    fn what_is_made_again_is_said_when_it_lasts_and_not_a_request() {
        let (clock, mut watch) = (Clock::new(), watch());
        let begun = clock.at(0.0).at;
        let look = |watch: &mut ServerWatch, seconds: f64, attempts| {
            watch.look(&retried(begun, attempts), &clock.at(seconds))
        };
        assert_eq!(look(&mut watch, 1.9, 30), None);
        let Some(Saying::Retrying {
            attempts: 31,
            for_seconds: 2,
            cause,
            ..
        }) = look(&mut watch, 2.0, 31)
        else {
            panic!("it is not said");
        };
        assert_eq!(cause, "503 Service Unavailable");
        assert_eq!(look(&mut watch, 3.9, 90), None);
        assert!(look(&mut watch, 4.0, 91).is_some() && watch.is_told());
        // The job gives up: the server does not answer again.
        assert_eq!(watch.look(&TrafficState::default(), &clock.at(5.0)), None);
        assert!(!watch.is_told());
        // Another request was answered in that time, before the server died.
        assert!(look(&mut watch, 2.0, 90).is_some() && watch.is_told());
        let given_up = TrafficState {
            answered: Some(clock.at(0.1).at),
            failed: Some(clock.at(4.5).at),
            ..TrafficState::default()
        };
        assert_eq!(watch.look(&given_up, &clock.at(5.0)), None);
    }

    #[test]
    fn who_waits_for_keys_or_is_paced_is_not_without_an_answer() {
        let (clock, mut watch) = (Clock::new(), watch());
        let begun = clock.at(0.0).at;
        let no_keys = TrafficState {
            keys: Some(("lab".to_owned(), begun)),
            ..one(begun)
        };
        assert_eq!(watch.look(&no_keys, &clock.at(20.0)), None);
        let paced = TrafficState {
            alive: Some(clock.at(30.0).at),
            ..one(begun)
        };
        assert_eq!(watch.look(&paced, &clock.at(21.0)), None);
        assert!(watch.look(&one(begun), &clock.at(21.0)).is_some());
    }

    #[test]
    fn short_trouble_and_long_uploads_are_none() {
        let (clock, mut watch) = (Clock::new(), watch());
        let begun = clock.at(0.0).at;
        assert_eq!(watch.look(&retried(begun, 1), &clock.at(1.0)), None);
        let answered = TrafficState {
            answered: Some(clock.at(1.1).at),
            ..TrafficState::default()
        };
        assert_eq!(watch.look(&answered, &clock.at(1.5)), None);
        for second in 2..60u32 {
            let now = clock.at(f64::from(second));
            let alive = TrafficState {
                alive: Some(clock.at(f64::from(second) - 1.0).at),
                ..one(begun)
            };
            assert_eq!(watch.look(&alive, &now), None);
        }
    }
}
