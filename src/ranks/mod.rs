//! MPI behind four calls: broadcast, gather, agree, and abort, which a panic makes. The only room that names `mpi`.
//!
//! Key types: [`Ranks`], all ranks of the job, to whoever does its work; [`Pulse`], what ranks tell each other while they
//! work.
//!
//! The main thread does nothing but MPI: what `Ranks` is asked for, and between that signs of life to and from rank 0
//! ([`beats`]), which tell every rank how long the lease is sure to hold, and end the job when a rank falls silent. The job
//! itself runs on a thread of its own, so that it may take as long as it likes.
//!
//! Every wait polls and sleeps: a rank that waits leaves its core to those that work, also where there are more ranks
//! than cores.

mod beats;
mod desk;
mod ending;
mod guard;
mod message;
mod panic;

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, OnceLock};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::exit::Failure;
use crate::store::Fence;

pub use desk::run;

/// All ranks of the job, this one among them.
pub struct Ranks {
    rank: usize,
    size: usize,
    sharing_cpus: usize,
    /// To the thread that speaks MPI; `None` where there is one rank.
    desk: Option<Sender<Errand>>,
    /// Of the bucket that this rank writes.
    fence: Arc<OnceLock<Fence>>,
}

/// What the thread that speaks MPI is to do.
type Errand = Box<dyn FnOnce(&desk::Desk) + Send>;

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
    /// One rank, without MPI.
    #[must_use]
    pub fn alone() -> Self {
        Self {
            rank: 0,
            size: 1,
            sharing_cpus: 1,
            desk: None,
            fence: Arc::default(),
        }
    }

    /// This rank.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// Number of ranks.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Ranks on this node that may run on the same CPUs as this one, itself included: under a launcher that binds
    /// ranks to cores 1, else all of the node.
    #[must_use]
    pub fn sharing_cpus(&self) -> usize {
        self.sharing_cpus
    }

    /// From now on, rank 0 tells the others how long its `fence` stays open, and theirs stay open no longer.
    pub fn share(&self, fence: &Fence) {
        // There is one bucket a run.
        let _ = self.fence.set(fence.clone());
    }

    /// Gives rank 0's `value` to all ranks; the others' values are not looked at.
    ///
    /// # Errors
    /// If a rank runs another version of the program.
    pub fn broadcast<T: Serialize + DeserializeOwned>(&self, value: &T) -> Result<T, Failure> {
        let bytes = message::encode(value)?;
        let bytes = match &self.desk {
            None => bytes,
            Some(desk) => errand(desk, move |desk| message::broadcast(desk, bytes)),
        };
        message::decode(&bytes)
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
        let gathered = match &self.desk {
            None => Some(vec![bytes]),
            Some(desk) => errand(desk, move |desk| message::gather(desk, bytes)),
        };
        gathered
            .map(|all| all.iter().map(|bytes| message::decode(bytes)).collect())
            .transpose()
    }

    /// The sum of all ranks' pulses. Every rank must call it equally often.
    #[must_use]
    pub fn agree(&self, mine: Pulse) -> Pulse {
        let Some(desk) = &self.desk else { return mine };
        let mine = [
            mine.objects,
            mine.bytes,
            mine.finished,
            mine.failed,
            mine.interrupted,
        ];
        let [objects, bytes, finished, failed, interrupted] =
            errand(desk, move |desk| message::sum(desk, mine));
        Pulse {
            objects,
            bytes,
            finished,
            failed,
            interrupted,
        }
    }
}

/// Has the thread that speaks MPI do `work`, and waits for it.
fn errand<T: Send + 'static>(
    desk: &Sender<Errand>,
    work: impl FnOnce(&desk::Desk) -> T + Send + 'static,
) -> T {
    let (send, receive) = channel();
    let errand: Errand = Box::new(move |desk| {
        // It is waited for.
        let _ = send.send(work(desk));
    });
    if desk.send(errand).is_ok()
        && let Ok(done) = receive.recv()
    {
        return done;
    }
    // That thread is gone only where it is ending the process.
    loop {
        std::thread::park();
    }
}
