//! How much there is of something in a bucket.
//!
//! Key type: [`Tally`].

use serde::{Deserialize, Serialize};

/// Objects, and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// How many.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Tally {
    /// Counts an object of so many bytes.
    pub(in crate::verbs) fn count(&mut self, bytes: u64) {
        self.objects += 1;
        self.bytes += bytes;
    }

    /// Counts what `other` counts, too.
    pub(crate) fn add(&mut self, other: Self) {
        self.objects += other.objects;
        self.bytes += other.bytes;
    }
}
