//! How much of a rank's time goes into waiting for the limits that the user gave.
//!
//! Key type: [`LimitedTime`].

use std::time::{Duration, Instant};

/// It is looked for so long.
const WINDOW: Duration = Duration::from_secs(10);

/// Looks at how long requests and bodies were kept back, a window after the other.
#[derive(Debug, Default)]
pub(crate) struct LimitedTime {
    /// Since when it is reckoned, and how much it was then.
    window: Option<(Instant, Duration)>,
    is_most: bool,
}

/// A window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LimitedWindow {
    pub lasted: Duration,
    pub waited: Duration,
}

impl LimitedTime {
    /// So much was `kept_back` altogether until `now`. The window, if one has just ended in which more than half of the time was waited.
    pub(crate) fn look(&mut self, kept_back: Duration, now: Instant) -> Option<LimitedWindow> {
        let (begun, before) = *self.window.get_or_insert((now, kept_back));
        let lasted = now.saturating_duration_since(begun);
        if lasted < WINDOW {
            return None;
        }
        self.window = Some((now, kept_back));
        let waited = kept_back.saturating_sub(before).min(lasted);
        self.is_most = waited * 2 > lasted;
        self.is_most.then_some(LimitedWindow { lasted, waited })
    }

    /// Was that so in the last window?
    pub(crate) fn is_most(&self) -> bool {
        self.is_most
    }
}
