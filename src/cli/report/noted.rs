//! What was said of files and stores before anything was written, which a report repeats.
//!
//! Key type: [`Noted`].

use std::sync::{Arc, Mutex, PoisonError};

use crate::cli::words;
use crate::events::{Event, Notice, Reporter, Traffic};

/// So many are kept.
const MOST: usize = 100;

/// Keeps notices in mind on their way to another reporter.
pub(super) struct Noted {
    inner: Arc<dyn Reporter>,
    lines: Mutex<Vec<String>>,
}

impl Noted {
    pub(super) fn new(inner: Arc<dyn Reporter>) -> Self {
        Self {
            inner,
            lines: Mutex::default(),
        }
    }

    /// The notices in words, in their order.
    pub(super) fn lines(&self) -> Vec<String> {
        // Nothing panics while the lock is held.
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.clone()
    }
}

impl Reporter for Noted {
    fn tell(&self, event: &Event) {
        match event {
            // That all is there is no warning.
            Event::Notice(Notice::HasAll { .. } | Notice::HasFiles { .. }) => {}
            Event::Notice(notice) => {
                let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
                if lines.len() < MOST {
                    lines.push(words::notice(notice));
                }
            }
            _ => {}
        }
        self.inner.tell(event);
    }

    fn traffic(&self) -> Traffic {
        self.inner.traffic()
    }
}
