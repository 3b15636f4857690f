//! How far a shared archive is when a job ends.
//!
//! Key types: [`ShareReport`], [`HeldPart`].

use serde::{Deserialize, Serialize};

/// How far a shared archive is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareReport {
    /// Its parts.
    pub parts: usize,
    /// Those that this job has put.
    pub put: usize,
    /// Those that readers see.
    pub committed: usize,
    /// Those that are put and wait for others before them.
    pub waiting: usize,
    /// Those that other jobs hold.
    pub held: Vec<HeldPart>,
    /// The last step that readers see, of the archive's.
    pub edge: Option<String>,
    /// Did the job end because its time was over?
    pub out_of_time: bool,
}

/// A part that another job holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldPart {
    /// Its number, from 0.
    pub number: usize,
    /// The job, if it says who it is.
    pub holder: Option<String>,
}
