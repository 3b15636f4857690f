//! Work whose progress is told.
//!
//! Key type: [`WorkSpan`].

use super::{Event, Reporter};

/// Work under way. Its end is told when it is dropped.
pub(crate) struct WorkSpan<'a> {
    reporter: &'a dyn Reporter,
}

impl<'a> WorkSpan<'a> {
    /// Work on so many bytes begins.
    pub(crate) fn begin(reporter: &'a dyn Reporter, bytes: u64) -> Self {
        reporter.tell(&Event::WorkBegun { bytes });
        Self { reporter }
    }

    /// So many bytes and objects are done.
    pub(crate) fn show(&self, bytes: u64, objects: u64) {
        self.reporter.tell(&Event::Progress { bytes, objects });
    }
}

impl Drop for WorkSpan<'_> {
    fn drop(&mut self) {
        self.reporter.tell(&Event::WorkEnded);
    }
}
