//! WorkKind whose progress is told.
//!
//! Key type: [`WorkSpan`].

use super::{Event, RanksAtWork, Reporter, WorkKind};

/// WorkKind under way. Its end is told when it is dropped.
pub(crate) struct WorkSpan<'a> {
    reporter: &'a dyn Reporter,
}

impl<'a> WorkSpan<'a> {
    /// WorkKind begins, on so many objects and bytes.
    pub(crate) fn begin(
        reporter: &'a dyn Reporter,
        work: WorkKind,
        objects: Option<u64>,
        bytes: u64,
    ) -> Self {
        reporter.tell(&Event::WorkBegun {
            work,
            objects,
            bytes,
        });
        Self { reporter }
    }

    /// So many bytes and objects are done.
    pub(crate) fn show(&self, bytes: u64, objects: u64) {
        self.show_ranks(bytes, objects, 0, RanksAtWork::default());
    }

    /// The same of all ranks together, with how many objects are in flight.
    pub(crate) fn show_ranks(&self, bytes: u64, objects: u64, in_flight: u64, ranks: RanksAtWork) {
        self.reporter.tell(&Event::Progress {
            bytes,
            objects,
            in_flight,
            ranks,
        });
    }
}

impl Drop for WorkSpan<'_> {
    fn drop(&mut self) {
        self.reporter.tell(&Event::WorkEnded);
    }
}
