//! What was measured while a verb ran: how long stages took, which requests were made, what became of each transaction.
//!
//! Key types: [`Recorder`], a [`Reporter`](crate::Reporter) that measures what it hears; [`Measurements`], what one rank did;
//! [`Latency`], how long requests took; [`Samples`], what went on over time.

mod latency;
mod recorder;
mod samples;
mod transaction;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::events::{HeldSteps, PhaseWork, RequestKind, StageTimes};

pub use latency::Latency;
pub use recorder::Recorder;
pub use samples::{Sample, Samples};
pub use transaction::{TransactionKind, TransactionOutcome, TransactionRecord};

/// So many of the slowest objects are kept.
pub const SLOWEST: usize = 10;

/// What one rank did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measurements {
    /// What its stages came to.
    pub stages: StageTimes,
    /// Its phases, in their order.
    pub phases: Vec<PhaseRecord>,
    /// Objects that it put.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Its objects by their sizes: by a power of two, how many are as large, but not twice as large.
    pub object_sizes: BTreeMap<u64, u64>,
    /// Its requests; none where stores are in a directory.
    pub requests: BTreeMap<RequestKind, RequestTally>,
    /// How often it made requests again, by what the server had answered; `None` is for no answer.
    pub retries: BTreeMap<Option<u16>, u64>,
    /// The objects that took longest to put and verify, the slowest first.
    pub slowest: Vec<SlowObject>,
    /// What it did over time.
    pub samples: Samples,
    /// On rank 0: the transactions, in their order.
    pub transactions: Vec<TransactionRecord>,
    /// On rank 0: stores that have all that was to be sent.
    pub complete: Vec<String>,
    /// On rank 0: what stores hold, as it last knew.
    pub held: BTreeMap<String, HeldRecord>,
    /// What it did not write, or undo, as it should have: what was said of it.
    pub problems: Vec<String>,
}

/// The steps that readers see of a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldRecord {
    /// The steps.
    pub steps: HeldSteps,
    /// When that was so.
    pub seen: SystemTime,
}

/// A phase of a rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseRecord {
    /// Its work.
    pub work: PhaseWork,
    /// On rank 0: of which of the transactions it is, by its place among them; `None` before the first.
    pub transaction: Option<usize>,
}

/// Requests of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestTally {
    /// How many were made, those that were made again counted each time.
    pub count: u64,
    /// How many of them were not answered.
    pub unanswered: u64,
    /// Bytes of their bodies.
    pub sent: u64,
    /// Bytes of the answers' bodies.
    pub received: u64,
    /// How long those took that were answered.
    pub latency: Latency,
}

/// An object that took long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlowObject {
    /// Its key.
    pub key: String,
    /// Its length.
    pub bytes: u64,
    /// How long it took to put and to verify it.
    pub took: Duration,
}

impl RequestTally {
    /// Adds those of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.unanswered += other.unanswered;
        self.sent += other.sent;
        self.received += other.received;
        self.latency.merge(&other.latency);
    }
}

impl Measurements {
    /// Keeps `object` in mind if it is one of the slowest.
    fn note_slow(&mut self, object: impl FnOnce() -> SlowObject, took: Duration) {
        let place = self.slowest.partition_point(|other| other.took >= took);
        if place < SLOWEST {
            self.slowest.insert(place, object());
            self.slowest.truncate(SLOWEST);
        }
    }
}
