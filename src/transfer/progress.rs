//! How far the engine is, and whether it should stop. Shared between threads.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Counters of one rank's engine.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    objects: AtomicU64,
    bytes: AtomicU64,
    in_flight: AtomicU64,
    failed: AtomicBool,
    stopped: AtomicBool,
}

impl Progress {
    /// Another object of this many decoded bytes is done.
    pub(crate) fn add(&self, bytes: u64) {
        self.objects.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// An object is on its way, until what is returned is dropped.
    pub(crate) fn send_off(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(self)
    }

    /// Objects on their way.
    #[must_use]
    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Objects done.
    #[must_use]
    pub(crate) fn objects(&self) -> u64 {
        self.objects.load(Ordering::Relaxed)
    }

    /// Decoded bytes done.
    #[must_use]
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// This rank failed: start no more work, here or on other ranks.
    pub(crate) fn fail(&self) {
        self.failed.store(true, Ordering::Relaxed);
        self.stop();
    }

    /// Did this rank fail?
    #[must_use]
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Start no more work: some rank failed.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Should no more work be started?
    #[must_use]
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// An object on its way.
#[derive(Debug)]
pub(crate) struct InFlight<'a>(&'a Progress);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
