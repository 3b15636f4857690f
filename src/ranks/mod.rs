//! MPI behind four calls: broadcast, gather, agree, and abort, which a panic makes. The only place that names `mpi`.
//!
//! Key types: [`Ranks`]; [`Pulse`], what ranks tell each other while they work.
//!
//! Every wait polls and sleeps: a rank that waits leaves its core to those that work, also where there are more ranks
//! than cores.

mod guard;
mod message;
mod panic;

use std::time::Duration;

use mpi::Threading;
use mpi::collective::SystemOperation;
use mpi::environment::Universe;
use mpi::request::{Request, Scope};
use mpi::topology::{Communicator, SimpleCommunicator};
use mpi::traits::CommunicatorCollectives;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::exit::{Exit, Failure};

/// All ranks of the job, this one among them.
pub struct Ranks {
    // Finalizes MPI when dropped; keep it last to go.
    world: SimpleCommunicator,
    _universe: Universe,
}

/// Where a rank is in a phase; summed over ranks by [`Ranks::agree`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
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
}

impl Ranks {
    /// Starts MPI, and makes a panic on any thread end the whole job.
    ///
    /// # Errors
    /// If MPI does not start, or the launcher started more ranks than MPI knows of.
    pub fn start() -> Result<Self, Failure> {
        let refused = |message: &str| Failure::new(Exit::Launcher, message);
        let (universe, _) = mpi::initialize_with_threading(Threading::Funneled)
            .ok_or_else(|| refused("MPI was started twice in this process"))?;
        let world = universe.world();
        panic::end_the_job_on_panic();
        let size = usize::try_from(world.size()).unwrap_or(1);
        guard::refuse_silent_singletons(size, |name| std::env::var(name).ok())?;
        Ok(Self {
            world,
            _universe: universe,
        })
    }

    /// This rank.
    #[must_use]
    pub fn rank(&self) -> usize {
        usize::try_from(self.world.rank()).unwrap_or(0)
    }

    /// Number of ranks.
    #[must_use]
    pub fn size(&self) -> usize {
        usize::try_from(self.world.size()).unwrap_or(1)
    }

    /// Ranks on this node that may run on the same CPUs as this one, itself included: under a launcher that binds
    /// ranks to cores 1, else all of the node.
    #[must_use]
    pub fn sharing_cpus(&self) -> usize {
        let node = self.world.split_shared(self.world.rank());
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let allowed = status
            .lines()
            .find(|line| line.starts_with("Cpus_allowed_list"))
            .unwrap_or_default();
        let mine = crc32c::crc32c(allowed.as_bytes());
        let mut all = vec![0u32; usize::try_from(node.size()).unwrap_or(1)];
        node.all_gather_into(&mine, &mut all[..]);
        all.iter().filter(|&&other| other == mine).count().max(1)
    }

    /// Gives rank 0's `value` to all ranks; the others' values are not looked at.
    ///
    /// # Errors
    /// If a rank runs another version of the program.
    pub fn broadcast<T: Serialize + DeserializeOwned>(&self, value: &T) -> Result<T, Failure> {
        let bytes = message::encode(value)?;
        message::decode(&message::broadcast(&self.world, bytes))
    }

    /// Collects every rank's `value` on rank 0, in the order of ranks; the others get `None`.
    ///
    /// # Errors
    /// If a rank runs another version of the program.
    pub fn gather<T: Serialize + DeserializeOwned>(
        &self,
        value: &T,
    ) -> Result<Option<Vec<T>>, Failure> {
        let bytes = message::encode(value)?;
        let gathered = message::gather(&self.world, bytes);
        gathered
            .map(|all| all.iter().map(|bytes| message::decode(bytes)).collect())
            .transpose()
    }

    /// The sum of all ranks' pulses. Every rank must call it equally often.
    #[must_use]
    pub fn agree(&self, mine: Pulse) -> Pulse {
        let send = [
            mine.objects,
            mine.bytes,
            mine.finished,
            mine.failed,
            mine.interrupted,
        ];
        let mut sum = [0u64; 5];
        mpi::request::scope(|scope| {
            wait(self.world.immediate_all_reduce_into(
                scope,
                &send,
                &mut sum,
                SystemOperation::sum(),
            ));
        });
        let [objects, bytes, finished, failed, interrupted] = sum;
        Pulse {
            objects,
            bytes,
            finished,
            failed,
            interrupted,
        }
    }
}

/// Waits for `request` without keeping the core busy.
fn wait<'a, D: ?Sized, S: Scope<'a>>(mut request: Request<'a, D, S>) {
    let mut nap = Duration::from_micros(50);
    loop {
        panic::abort_if_any();
        match request.test() {
            Ok(_) => return,
            Err(pending) => request = pending,
        }
        std::thread::sleep(nap);
        nap = (nap * 2).min(Duration::from_millis(10));
    }
}
