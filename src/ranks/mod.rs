//! The ranks of a job: one process each, connected by MPI; threads of one process; or a single one.
//!
//! Key types: [`Ranks`], one rank's way to all, to whoever does its work; `Role`, what it has to tell or to hear;
//! `PhasePulse`, what ranks tell each other while they work. `Transport` is what carries their messages.

mod error;
mod launcher;
#[cfg(feature = "mpi")]
mod mpi;
mod roles;
mod threads;
mod wire;

use crate::store::Fence;

pub use error::RanksError;
pub(crate) use launcher::LaunchedJob;
pub use launcher::is_launched;
#[cfg(not(feature = "mpi"))]
pub use launcher::run;
#[cfg(feature = "mpi")]
pub use mpi::run;
pub(crate) use roles::{Follower, Lead, Role};
pub use threads::threads;

/// All ranks of the job, this one among them.
pub struct Ranks {
    rank: usize,
    size: usize,
    sharing_cpus: usize,
    on_node: usize,
    launched: LaunchedJob,
    /// The way to them; `None` where there is one rank.
    others: Option<Box<dyn Transport>>,
}

/// Says why the job ends in the middle of its work, and gives the exit code for all ranks: one of them cannot go on and would keep the
/// others waiting for ever. It fell silent, or panicked, which the panic's own message tells.
pub type Ending = fn(&RanksError) -> i32;

/// What carries messages between rank 0 and all others. All ranks ask for the same things in the same order.
trait Transport: Send + Sync {
    /// Rank 0: to all others.
    fn tell(&self, bytes: Vec<u8>);
    /// Others: what rank 0 tells.
    fn hear(&self) -> Vec<u8>;
    /// Others: to rank 0.
    fn give(&self, bytes: Vec<u8>);
    /// Rank 0: what the others give, in the order of ranks.
    fn collect(&self) -> Vec<Vec<u8>>;
    /// The sum of all ranks' numbers, on every rank.
    fn sum(&self, mine: PulseNumbers) -> PulseNumbers;
    /// The others' fences stay open as long as rank 0 knows its own to, and no longer.
    fn share(&self, fence: &Fence);
}

/// A pulse on its way.
type PulseNumbers = [u64; 8];

/// Where a rank is in a phase; summed over ranks by [`Ranks::agree`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PhasePulse {
    /// Objects done.
    pub objects: u64,
    /// Decoded bytes done.
    pub bytes: u64,
    /// Ranks whose work has ended.
    pub finished: u64,
    /// Ranks that failed.
    pub failed: u64,
    /// Ranks that were sent a signal.
    pub interrupted: u64,
    /// Objects in flight.
    pub in_flight: u64,
    /// The numbers of the ranks whose work has not ended: where one is left, it is that one.
    pub unfinished: u64,
    /// Ranks that wait most of the time for the limits that the user gave.
    pub limited: u64,
}

impl Ranks {
    /// One rank, without MPI.
    #[must_use]
    pub fn alone() -> Self {
        Self {
            rank: 0,
            size: 1,
            sharing_cpus: 1,
            on_node: 1,
            launched: LaunchedJob::default(),
            others: None,
        }
    }

    /// The number of this one, from 0: rank 0 leads.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// How many there are, this one included.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Ranks on this node that may run on the same CPUs as this one, itself included: under a launcher that binds
    /// ranks to cores 1, else all of the node.
    #[must_use]
    pub(crate) fn sharing_cpus(&self) -> usize {
        self.sharing_cpus
    }

    /// Ranks on this node, this one included.
    #[must_use]
    pub(crate) fn on_node(&self) -> usize {
        self.on_node
    }

    /// What the launcher told of the job.
    #[must_use]
    pub(crate) fn launched(&self) -> &LaunchedJob {
        &self.launched
    }

    /// From now on, rank 0 tells the others how long its `fence` stays open, and theirs stay open no longer.
    pub(crate) fn share(&self, fence: &Fence) {
        if let Some(others) = &self.others {
            others.share(fence);
        }
    }

    /// The sum of all ranks' pulses. Every rank must call it equally often.
    #[must_use]
    pub(crate) fn agree(&self, mine: PhasePulse) -> PhasePulse {
        let Some(others) = &self.others else {
            return mine;
        };
        let [
            objects,
            bytes,
            finished,
            failed,
            interrupted,
            in_flight,
            unfinished,
            limited,
        ] = others.sum([
            mine.objects,
            mine.bytes,
            mine.finished,
            mine.failed,
            mine.interrupted,
            mine.in_flight,
            mine.unfinished,
            mine.limited,
        ]);
        PhasePulse {
            objects,
            bytes,
            finished,
            failed,
            interrupted,
            in_flight,
            unfinished,
            limited,
        }
    }
}
