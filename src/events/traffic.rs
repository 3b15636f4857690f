//! The requests of a rank that are in flight, and those among them that are made again and again: counted where they are sent, and
//! looked at whenever a reporter wants to know whether the server answers. An event a request would be too many.
//!
//! Key types: [`Traffic`]; [`TrafficState`], what is seen of it. It must never hold more of a request than its method and path.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

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
    trouble: Option<Retrying>,
}

#[derive(Debug)]
struct Flight {
    name: String,
    begun: Instant,
    is_retried: bool,
}

/// What is seen of the requests in flight.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrafficState {
    /// How many there are.
    pub in_flight: usize,
    /// The one that has been in flight for longest, by its method and path, and when it began.
    pub oldest: Option<(String, Instant)>,
    /// When the server last gave a sign of life.
    pub alive: Option<Instant>,
    /// When it last answered a request for good.
    pub answered: Option<Instant>,
    /// What is made again; `None` if nothing is.
    pub retrying: Option<Retrying>,
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
            oldest: oldest.map(|flight| (flight.name.clone(), flight.begun)),
            alive: flights.alive,
            answered: flights.answered,
            retrying: flights.trouble.clone(),
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
        };
        flights.requests.insert(number, flight);
        RequestInFlight {
            traffic: self.clone(),
            number,
        }
    }

    /// The server has given a sign of life.
    pub(crate) fn is_alive(&self) {
        self.flights().alive = Some(Instant::now());
    }

    fn flights(&self) -> MutexGuard<'_, Flights> {
        // Nothing panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        (flights.alive, flights.answered) = (now, now);
    }
}

impl Drop for RequestInFlight {
    fn drop(&mut self) {
        let mut flights = self.traffic.flights();
        let ended = flights.requests.remove(&self.number);
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
        assert_eq!((over.in_flight, over.retrying), (0, None));
    }
}
