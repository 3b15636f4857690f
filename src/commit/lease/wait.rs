//! Waiting for another job's lease: how long, whom for, and what the user hears of it.
//!
//! Key type: [`Wait`].

use std::time::{Duration, Instant};

use tracing::debug;

use super::error::LeaseError;
use super::holder::Holder;
use crate::events::{Event, Measure, Reporter};

/// From one time that the user hears of a wait to the next.
const AGAIN: Duration = Duration::from_secs(30);

/// A wait that ends at a certain time.
pub(super) struct Wait<'a> {
    reporter: &'a dyn Reporter,
    /// At most.
    longest: Duration,
    /// From one look to the next, about.
    look: Duration,
    until: Instant,
    /// The store of which the user has heard that it is waited for.
    announced: Option<Announced>,
}

/// What the user has heard.
struct Announced {
    store: String,
    since: Instant,
    last: Instant,
}

impl<'a> Wait<'a> {
    /// A wait that begins now.
    pub(super) fn new(wait: Duration, look: Duration, reporter: &'a dyn Reporter) -> Self {
        let now = Instant::now();
        Self {
            reporter,
            longest: wait,
            look,
            // A wait longer than clocks count is as good as one of a year.
            until: now
                .checked_add(wait)
                .unwrap_or(now + Duration::from_secs(31_557_600)),
            announced: None,
        }
    }

    /// Sleeps until the next look at the lease of `store`, which `holder` has.
    ///
    /// # Errors
    /// [`LeaseError::Busy`] if the time is up.
    pub(super) async fn pause(
        &mut self,
        store: &str,
        holder: Option<&Holder>,
    ) -> Result<(), LeaseError> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(LeaseError::Busy {
                store: store.to_owned(),
                holder: holder.cloned(),
                waited: self.longest,
            });
        }
        if let Some(holder) = holder
            && let Some(waited) = self.news(store, Instant::now())
        {
            self.reporter.tell(&Event::Waiting {
                store: store.to_owned(),
                holder: holder.to_string(),
                waited_seconds: waited.as_secs(),
                at_most_seconds: self.longest.as_secs(),
            });
        }
        // Jobs that wait for the same store must not look in step.
        let pause = self.look.mul_f64(rand::random_range(0.5..1.5));
        debug!(store, ?pause, ?left, "waiting for another job's lease");
        let took = pause.min(left);
        tokio::time::sleep(took).await;
        self.reporter.tell(&Event::Measured(Measure::Wait { took }));
        Ok(())
    }

    /// How long `store` has been waited for, if it is time to say so: at once, then every half minute.
    fn news(&mut self, store: &str, now: Instant) -> Option<Duration> {
        match &mut self.announced {
            Some(told) if told.store == store => {
                let is_due = now.duration_since(told.last) >= AGAIN;
                is_due.then(|| {
                    told.last = now;
                    now.duration_since(told.since)
                })
            }
            _ => {
                self.announced = Some(Announced {
                    store: store.to_owned(),
                    since: now,
                    last: now,
                });
                Some(Duration::ZERO)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::holder::tests::elsewhere;
    use super::*;
    use crate::events::SilentReporter;

    #[test]
    fn a_wait_is_told_of_at_once_and_then_every_half_minute() {
        let second = Duration::from_secs(1);
        let mut waiting = Wait::new(300 * second, second, &SilentReporter);
        let begun = Instant::now();
        let mut told = |store: &str, after: u32| waiting.news(store, begun + after * second);
        assert_eq!(told("a", 0), Some(Duration::ZERO));
        assert_eq!((told("a", 1), told("a", 29)), (None, None));
        assert_eq!((told("a", 31), told("a", 60)), (Some(31 * second), None));
        assert_eq!(
            (told("a", 61), told("b", 62)),
            (Some(61 * second), Some(Duration::ZERO))
        );
    }

    #[tokio::test]
    async fn the_wait_ends_with_the_holders_name() {
        let wait = Duration::from_millis(50);
        let mut waiting = Wait::new(wait, Duration::from_millis(20), &SilentReporter);
        let begun = Instant::now();
        let holder = elsewhere();
        let failure = loop {
            if let Err(failure) = waiting.pause("a/tos.zarr", Some(&holder)).await {
                break failure;
            }
        };
        assert!(begun.elapsed() >= wait);
        assert!(matches!(failure, LeaseError::Busy { .. }));
        let message = failure.to_string();
        for part in [
            "'a/tos.zarr'",
            "'send' on elsewhere, process",
            "--lock-wait",
        ] {
            assert!(message.contains(part), "{message}");
        }
    }
}
