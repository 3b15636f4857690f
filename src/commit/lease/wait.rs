//! Waiting for another job's lease: how long, whom for, and what the user hears of it.
//!
//! Key type: [`Wait`].

use std::time::{Duration, Instant};

use tracing::debug;

use super::error::LeaseError;
use super::holder::Holder;
use crate::events::{Event, Measure, Reporter};

/// A wait that ends at a certain time.
pub(super) struct Wait<'a> {
    reporter: &'a dyn Reporter,
    /// At most.
    longest: Duration,
    /// From one look to the next, about.
    look: Duration,
    until: Instant,
    /// The store of which the user has heard that it is waited for.
    announced: Option<String>,
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
            && self.announced.as_deref() != Some(store)
        {
            self.reporter.tell(&Event::Waiting {
                store: store.to_owned(),
                holder: holder.to_string(),
            });
            self.announced = Some(store.to_owned());
        }
        // Jobs that wait for the same store must not look in step.
        let pause = self.look.mul_f64(rand::random_range(0.5..1.5));
        debug!(store, ?pause, ?left, "waiting for another job's lease");
        let took = pause.min(left);
        tokio::time::sleep(took).await;
        self.reporter.tell(&Event::Measured(Measure::Wait { took }));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::holder::tests::elsewhere;
    use super::*;
    use crate::events::SilentReporter;

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
