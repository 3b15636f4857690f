//! How long a lease lasts, and every time that follows from it: the one place for them.
//!
//! Key type: [`LeaseTimes`].

use std::time::Duration;

/// How long a lease lasts without a sign of life of its holder.
const LIFE: Duration = Duration::from_secs(60);

/// How long a lease lasts, and how often others look at it; when it is renewed, trusted and taken follows from that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LeaseTimes {
    /// After so long without a renewal a lease has expired. Others wait for [`LeaseTimes::over`].
    pub life: Duration,
    /// From one look at a lease that another holds to the next, about; a claim lies at least so long before it counts.
    pub look: Duration,
}

impl LeaseTimes {
    /// The times of every run; tests may set others.
    #[must_use]
    pub(crate) fn of_this_run() -> Self {
        #[cfg(test)]
        let usual = crate::in_process::lease_times();
        #[cfg(not(test))]
        let usual = Self::lasting(LIFE);
        crate::knobs::lease().map_or(usual, Self::lasting)
    }

    /// The times of leases that last for `life`.
    #[must_use]
    pub(crate) fn lasting(life: Duration) -> Self {
        Self {
            life,
            look: life / 60,
        }
    }

    /// From one renewal to the next.
    #[must_use]
    pub(crate) fn beat(&self) -> Duration {
        self.life / 6
    }

    /// The longest that a request is on its way once it has left: the kernel gives up what is not acknowledged, and a
    /// server has done by then what it has received.
    #[must_use]
    pub(crate) fn tail(&self) -> Duration {
        self.life / 6
    }

    /// After so long without a good renewal, a holder counts its own lease as lost, and lets no request leave any more:
    /// earlier than it expires by the longest that one may take.
    #[must_use]
    pub(crate) fn trusted(&self) -> Duration {
        self.life.saturating_sub(self.tail())
    }

    /// After so long without a renewal, by the server's clock, another may take the lease: later than it expires by the
    /// longest that a request may take.
    #[must_use]
    pub(crate) fn over(&self) -> Duration {
        self.life + self.tail()
    }

    /// How long one renewal may take.
    #[must_use]
    pub(crate) fn patience(&self) -> Duration {
        self.life / 6
    }

    /// The longest that a request for a lease waits for a limit of requests: a claim takes a few, and so does giving one up.
    #[must_use]
    pub(crate) fn turn(&self) -> Duration {
        self.life / 120
    }

    /// How long a claim lies before it counts, where the server answers a request in `latency`.
    #[must_use]
    pub(crate) fn settle(&self, latency: Duration) -> Duration {
        // Not so long that the claim is no longer trusted when it counts.
        (latency * 20).min(self.life / 4).max(self.look)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_of_a_lease_of_a_minute() {
        let times = LeaseTimes::lasting(LIFE);
        assert_eq!(times.beat(), Duration::from_secs(10));
        assert_eq!(times.trusted(), Duration::from_secs(50));
        assert_eq!(times.over(), Duration::from_secs(70));
        assert_eq!(times.look, Duration::from_secs(1));
        let settle = |ms| times.settle(Duration::from_millis(ms)).as_millis();
        assert_eq!([settle(1), settle(100), settle(9000)], [1000, 2000, 15000]);
    }
}
