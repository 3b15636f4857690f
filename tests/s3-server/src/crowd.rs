//! How many requests are answered at a time, and how many the server bears. Key type: [`Crowd`].

use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the requests that are being answered.
#[derive(Debug)]
pub(crate) struct Crowd {
    inside: AtomicUsize,
    borne: AtomicUsize,
}

/// One of them, until this is dropped.
pub(crate) struct Visit<'a> {
    crowd: &'a Crowd,
    /// How many there are with it.
    pub(crate) at_once: usize,
}

impl Default for Crowd {
    fn default() -> Self {
        Crowd {
            inside: AtomicUsize::new(0),
            borne: AtomicUsize::new(usize::MAX),
        }
    }
}

impl Crowd {
    pub(crate) fn enter(&self) -> Visit<'_> {
        Visit {
            crowd: self,
            at_once: self.inside.fetch_add(1, Ordering::SeqCst) + 1,
        }
    }

    /// From now on, more than so many are too many.
    pub(crate) fn bear(&self, borne: usize) {
        self.borne.store(borne, Ordering::SeqCst);
    }
}

impl Visit<'_> {
    /// Is this one too many?
    pub(crate) fn is_too_many(&self) -> bool {
        self.at_once > self.crowd.borne.load(Ordering::SeqCst)
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.crowd.inside.fetch_sub(1, Ordering::SeqCst);
    }
}
