//! How long a server is asked again: the time since it last answered, or took what was sent to it.
//!
//! Key type: [`Patience`], of one request, or shared by all that is done for one object.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::debug;

/// How long a server may be busy, fail or not answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long it may stay silent before a request counts as lost; a third of the patience at most, so that there is time to
/// ask again.
const SILENCE: Duration = Duration::from_secs(20);
/// Attempts that may take longer than that, because sending takes long.
const EXCUSES: u32 = 4;
/// Pauses between attempts: the first one, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];

tokio::task_local! {
    static SHARED: Patience;
}

/// The patience that is left. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Patience(Arc<Mutex<PatienceState>>);

#[derive(Debug)]
struct PatienceState {
    allowed: Duration,
    /// Since the server last answered.
    spent: Duration,
    excuses: u32,
    pause: Duration,
}

impl Patience {
    pub(super) fn new(allowed: Duration) -> Self {
        Self(Arc::new(Mutex::new(PatienceState {
            allowed,
            spent: Duration::ZERO,
            excuses: EXCUSES,
            pause: PAUSES[0],
        })))
    }

    /// That which the requests of this task share, if it is of that length; else one of its own.
    pub(super) fn of_this_task(allowed: Duration) -> Self {
        let shared = SHARED.try_with(Clone::clone).ok();
        let shared = shared.filter(|shared| shared.state().allowed == allowed);
        shared.unwrap_or_else(|| Self::new(allowed))
    }

    /// Does `work`, whose requests share it.
    pub(crate) async fn share<T>(&self, work: impl Future<Output = T>) -> T {
        SHARED.scope(self.clone(), work).await
    }

    /// Is none left?
    #[must_use]
    pub(crate) fn is_over(&self) -> bool {
        let state = self.state();
        state.spent >= state.allowed
    }

    /// The server has answered.
    pub(super) fn answered(&self) {
        let mut state = self.state();
        state.spent = Duration::ZERO;
        state.excuses = EXCUSES;
        state.pause = PAUSES[0];
    }

    /// An attempt that took so long has failed; `excused` of that it was at work, or others were.
    pub(super) fn failed(&self, took: Duration, excused: Duration) {
        let mut state = self.state();
        let mut counts = took;
        if !excused.is_zero() && state.excuses > 0 {
            state.excuses -= 1;
            counts = took.saturating_sub(excused);
        }
        state.spent += counts;
    }

    /// Waits before the next attempt.
    pub(super) async fn pause(&self) {
        let pause = {
            let mut state = self.state();
            let pause = state.pause.mul_f64(rand::random_range(0.5..1.5));
            state.pause = (state.pause * 2).min(PAUSES[1]);
            state.spent += pause;
            let (spent, allowed) = (state.spent, state.allowed);
            debug!(?pause, ?spent, ?allowed, "waiting for the server");
            pause
        };
        tokio::time::sleep(pause).await;
    }

    fn state(&self) -> MutexGuard<'_, PatienceState> {
        // Nothing panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// [`PATIENCE`], or what tests set.
pub(super) fn patience() -> Duration {
    crate::knobs::patience().unwrap_or(PATIENCE)
}

/// How long a request may be silent where there is so much patience.
pub(super) fn silence(patience: Duration) -> Duration {
    SILENCE.min(patience / 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn it_is_over_when_the_server_has_not_answered_for_so_long() {
        let patience = Patience::new(10 * SECOND);
        patience.failed(6 * SECOND, Duration::ZERO);
        assert!(!patience.is_over());
        patience.answered();
        patience.failed(6 * SECOND, Duration::ZERO);
        assert!(!patience.is_over(), "it is counted from the last answer");
        patience.clone().failed(4 * SECOND, Duration::ZERO);
        assert!(patience.is_over());
    }

    #[test]
    fn sending_is_excused_but_not_for_ever() {
        let patience = Patience::new(10 * SECOND);
        for _ in 0..EXCUSES {
            patience.failed(100 * SECOND, 99 * SECOND);
            assert!(!patience.is_over());
        }
        patience.failed(100 * SECOND, 99 * SECOND);
        assert!(patience.is_over());
    }

    #[tokio::test]
    async fn what_is_done_for_one_object_shares_one() {
        let object = Patience::new(10 * SECOND);
        let shared = object.share(async {
            Patience::of_this_task(3 * SECOND).failed(9 * SECOND, Duration::ZERO);
            Patience::of_this_task(10 * SECOND).failed(10 * SECOND, Duration::ZERO);
        });
        shared.await;
        assert!(object.is_over());
        assert!(!Patience::of_this_task(10 * SECOND).is_over());
    }
}
