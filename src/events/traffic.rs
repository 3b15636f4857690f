//! The requests of a rank that are in flight, and those among them that are made again and again: counted where they are sent, and
//! looked at whenever a reporter wants to know whether the server answers. An event a request would be too many.
//!
//! Key types: [`Traffic`]; [`TrafficState`], what is seen of it. It must never hold more of a request than its method and path.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The requests in flight. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Traffic(Arc<Mutex<Flights>>);

#[derive(Debug, Default)]
struct Flights {
    /// By the order in which they began.
    requests: BTreeMap<u64, Flight>,
    next: u64,
    /// When the server last gave a sign of life, and when a good answer.
    alive: Option<Instant>,
    answered: Option<Instant>,
    /// When a request last came to nothing, made again or not.
    failed: Option<Instant>,
    trouble: Option<Retrying>,
    /// For how long something was kept back by a limit, and until when something is.
    kept_back: Duration,
    kept_until: Option<Instant>,
    /// Who is asked for keys, since when, and how many requests wait for them.
    keys: Option<(String, Instant, usize)>,
}

#[derive(Debug)]
struct Flight {
    name: String,
    begun: Instant,
    is_retried: bool,
    is_answered: bool,
}

/// What is seen of the requests in flight.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrafficState {
    /// How many there are.
    pub in_flight: usize,
    /// How many there were so far.
    pub begun: u64,
    /// The one that has been in flight for longest, by its method and path, and when it began.
    pub oldest: Option<(String, Instant)>,
    /// When the server last gave a sign of life, or until when what it would answer is kept back on this side.
    pub alive: Option<Instant>,
    /// When it last answered a request for good.
    pub answered: Option<Instant>,
    /// When a request last came to nothing, whether it is made again or given up.
    pub failed: Option<Instant>,
    /// What is made again; `None` if nothing is.
    pub retrying: Option<Retrying>,
    /// For how long altogether requests or bodies have waited for a limit: each moment counts once, however many waited.
    pub kept_back: Duration,
    /// Who has to give keys before anything can be sent, and since when there are none.
    pub keys: Option<(String, Instant)>,
}

/// Requests that are made again, from the first of them until there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retrying {
    /// When the first of them began.
    pub since: Instant,
    /// How many wait for a good answer now.
    pub requests: usize,
    /// How many attempts came to nothing.
    pub attempts: u64,
    /// The last of these, by method and path.
    pub last: String,
    /// Why it came to nothing: the server's answer, or that there was none.
    pub cause: String,
}

impl Traffic {
    /// What is seen of it now.
    #[must_use]
    pub fn state(&self) -> TrafficState {
        let flights = self.flights();
        let oldest = flights.requests.values().next();
        TrafficState {
            in_flight: flights.requests.len(),
            begun: flights.next,
            oldest: oldest.map(|flight| (flight.name.clone(), flight.begun)),
            alive: flights.alive,
            answered: flights.answered,
            failed: flights.failed,
            retrying: flights.trouble.clone(),
            kept_back: flights.kept_back_at(Instant::now()),
            keys: flights
                .keys
                .as_ref()
                .map(|(source, since, _)| (source.clone(), *since)),
        }
    }

    /// A request begins, and ends when what is returned is dropped.
    pub(crate) fn begin(&self, method: &str, path: &str) -> RequestInFlight {
        let mut flights = self.flights();
        let number = flights.next;
        flights.next += 1;
        let flight = Flight {
            name: format!("{method} {path}"),
            begun: Instant::now(),
            is_retried: false,
            is_answered: false,
        };
        flights.requests.insert(number, flight);
        RequestInFlight {
            traffic: self.clone(),
            number,
        }
    }

    /// The server has given a sign of life.
    pub(crate) fn is_alive(&self) {
        let mut flights = self.flights();
        flights.alive = flights.alive.max(Some(Instant::now()));
    }

    /// A request waits for a limit, for so long from now on.
    pub(crate) fn is_kept_back(&self, wait: Duration) {
        self.flights().keep_back(wait);
    }

    /// What is in flight waits for a limit, for so long from now on: that is no silence of the server.
    pub(crate) fn is_paced(&self, wait: Duration) {
        let mut flights = self.flights();
        flights.keep_back(wait);
        let until = Some(Instant::now() + wait);
        flights.alive = flights.alive.max(until);
    }

    /// A request waits for keys of `source`, which there are not since then, until what is returned is dropped.
    pub(crate) fn waits_for_keys(&self, source: &str, since: Instant) -> AwaitedKeys {
        let mut flights = self.flights();
        let first = || (source.to_owned(), since, 0);
        flights.keys.get_or_insert_with(first).2 += 1;
        AwaitedKeys(self.clone())
    }

    /// For how long the server has been silent, since `begun` at most; not at all while keys are waited for.
    pub(crate) fn silent_since(&self, begun: Instant) -> Duration {
        let flights = self.flights();
        let alive = flights.alive.map_or(begun, |alive| alive.max(begun));
        match flights.keys {
            Some(_) => Duration::ZERO,
            None => alive.elapsed(),
        }
    }

    fn flights(&self) -> MutexGuard<'_, Flights> {
        // Nothing panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flights {
    fn keep_back(&mut self, wait: Duration) {
        let now = Instant::now();
        let from = self.kept_until.map_or(now, |until| until.max(now));
        let until = now + wait;
        self.kept_back += until.saturating_duration_since(from);
        self.kept_until = self.kept_until.max(Some(until));
    }

    /// Without what is still to come.
    fn kept_back_at(&self, now: Instant) -> Duration {
        let ahead = self
            .kept_until
            .map(|until| until.saturating_duration_since(now));
        self.kept_back.saturating_sub(ahead.unwrap_or_default())
    }
}

/// A request waits for keys.
#[derive(Debug)]
pub(crate) struct AwaitedKeys(Traffic);

impl Drop for AwaitedKeys {
    fn drop(&mut self) {
        let mut flights = self.0.flights();
        let Some((_, _, waiting)) = &mut flights.keys else {
            return;
        };
        *waiting -= 1;
        if *waiting == 0 {
            flights.keys = None;
            // What is in flight could not go on meanwhile.
            flights.alive = flights.alive.max(Some(Instant::now()));
        }
    }
}

/// A request in flight, from its first attempt to its last.
#[derive(Debug)]
pub(crate) struct RequestInFlight {
    traffic: Traffic,
    number: u64,
}

impl RequestInFlight {
    /// An attempt of it came to nothing, and it is made again.
    pub(crate) fn failed(&self, cause: String) {
        let mut flights = self.traffic.flights();
        let Some(flight) = flights.requests.get_mut(&self.number) else {
            return;
        };
        let is_first = !std::mem::replace(&mut flight.is_retried, true);
        let (last, since) = (flight.name.clone(), flight.begun);
        flights.failed = Some(Instant::now());
        let trouble = flights.trouble.get_or_insert(Retrying {
            since,
            requests: 0,
            attempts: 0,
            last: String::new(),
            cause: String::new(),
        });
        trouble.requests += usize::from(is_first);
        trouble.attempts += 1;
        trouble.since = trouble.since.min(since);
        (trouble.last, trouble.cause) = (last, cause);
    }

    /// It has been answered for good.
    pub(crate) fn answered(&self) {
        let mut flights = self.traffic.flights();
        let now = Some(Instant::now());
        (flights.alive, flights.answered) = (flights.alive.max(now), now);
        if let Some(flight) = flights.requests.get_mut(&self.number) {
            flight.is_answered = true;
        }
    }
}

impl Drop for RequestInFlight {
    fn drop(&mut self) {
        let mut flights = self.traffic.flights();
        let ended = flights.requests.remove(&self.number);
        if ended.as_ref().is_some_and(|flight| !flight.is_answered) {
            flights.failed = Some(Instant::now());
        }
        if !ended.is_some_and(|flight| flight.is_retried) {
            return;
        }
        if let Some(trouble) = &mut flights.trouble {
            trouble.requests -= 1;
            if trouble.requests == 0 {
                flights.trouble = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_moment_that_something_is_kept_back_counts_once() {
        let traffic = Traffic::default();
        let second = Duration::from_secs(1);
        for wait in [second, 2 * second, second] {
            traffic.is_kept_back(wait);
        }
        let seen = traffic.state();
        assert!(seen.kept_back < second / 2, "it has hardly begun: {seen:?}");
        assert_eq!((seen.in_flight, seen.alive), (0, None));
        let flights = traffic.flights();
        let kept = flights.kept_back_at(Instant::now() + 5 * second);
        assert!((2 * second..second * 5 / 2).contains(&kept), "{kept:?}");
    }

    #[test]
    fn what_is_paced_is_no_silence_and_keys_are_waited_for_until_they_are_there() {
        let traffic = Traffic::default();
        let _request = traffic.begin("PUT", "/ocean/a");
        traffic.is_paced(Duration::from_secs(60));
        let alive = traffic.state().alive.unwrap();
        assert!(alive > Instant::now() + Duration::from_secs(50));
        traffic.is_alive();
        assert_eq!(traffic.state().alive, Some(alive));
        let waits = || traffic.waits_for_keys("lab", Instant::now());
        let (first, second) = (waits(), waits());
        drop(first);
        assert_eq!(traffic.state().keys.unwrap().0, "lab");
        drop(second);
        assert_eq!(traffic.state().keys, None);
    }

    #[test]
    fn trouble_lasts_from_the_first_request_that_is_made_again_to_the_last() {
        let traffic = Traffic::default();
        let first = traffic.begin("PUT", "/ocean/a");
        let second = traffic.begin("GET", "/ocean/b");
        let began = traffic.state().oldest.unwrap();
        assert_eq!(began.0, "PUT /ocean/a");
        assert_eq!(traffic.state().retrying, None);
        second.failed("503".to_owned());
        first.failed("503".to_owned());
        first.failed("500".to_owned());
        let state = traffic.state();
        let trouble = state.retrying.unwrap();
        assert_eq!(
            (state.in_flight, trouble.requests, trouble.attempts),
            (2, 2, 3)
        );
        assert_eq!(
            (trouble.since, &*trouble.last, &*trouble.cause),
            (began.1, "PUT /ocean/a", "500")
        );
        first.answered();
        drop(first);
        assert_eq!(traffic.state().retrying.map(|left| left.requests), Some(1));
        assert_eq!(traffic.state().answered, traffic.state().alive);
        drop(second);
        let over = traffic.state();
        assert_eq!((over.in_flight, over.begun, over.retrying), (0, 2, None));
        // The second has been given up, and nothing was answered since.
        assert!(over.failed > over.answered);
        traffic.begin("PUT", "/ocean/a").answered();
        let again = traffic.state();
        assert!(again.answered > again.failed);
    }
}
