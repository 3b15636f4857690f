//! What was measured of the work, told when it is over.
//!
//! Key types: [`Measure`]; [`RequestKind`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::stage::{PhaseWork, StageTimes};

/// Something of this rank that took its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// It has done its part of a phase, and the others theirs.
    Phase(PhaseWork),
    /// While a phase lasts, what its stages came to since this was last told; the phase has the sum.
    Stages {
        /// So much.
        times: StageTimes,
        /// Within so long until now.
        over: Duration,
    },
    /// Before or after phases, it waited for others, or for another job's lease.
    Wait {
        /// So long.
        took: Duration,
    },
    /// A request was answered, or counts as lost. One that is made again is another.
    Request {
        /// What it asked for.
        kind: RequestKind,
        /// Bytes of its body.
        sent: u64,
        /// Bytes of the answer's.
        received: u64,
        /// From the first byte of the one to the last of the other.
        took: Duration,
        /// What the server answered, if it did.
        status: Option<u16>,
    },
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RequestKind {
    /// An object.
    Get,
    /// What an object is like.
    Head,
    /// Which objects there are.
    List,
    /// That an object, or a part of one, be there.
    Put,
    /// That an object be there that is another one.
    Copy,
    /// That an object be gone.
    Delete,
    /// That many objects be gone.
    DeleteMany,
    /// Something else, such as credentials.
    Other,
}
