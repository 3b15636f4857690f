//! What keeps ranks from working together.

use serde::{Deserialize, Serialize};

/// What keeps ranks from working together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum RanksError {
    #[error("MPI was started twice in this process")]
    StartedTwice,
    #[error(
        "the launcher started {started} processes ({variable}={started}), but {}; nothing was written",
        if cfg!(feature = "mpi") {
            "MPI connects only this one: the launcher belongs to another MPI than the program; under Slurm use srun \
             --mpi=pmix (--mpi=pmi2 for MPICH), else the mpirun of the MPI that msm_os was built with"
        } else {
            "this msm_os was built without MPI: start it without a launcher, or build it with the feature mpi"
        }
    )]
    Singleton { variable: String, started: usize },
    #[error("starting the job's thread: {cause}")]
    Thread { cause: String },
    #[error("the job's thread panicked")]
    ThreadPanicked,
    #[error("it panicked, see above")]
    Panicked,
    /// Nobody returns it: who waits for that rank would never end. See [`super::Ending`].
    #[error(
        "rank {rank}: no word from rank {silent} for {seconds} s: its host is dead or cannot be reached, so the lease is not \
         sure to hold; the job ends here, and nothing more is changed. Run the command again: it heals what was left"
    )]
    Silent {
        rank: i32,
        silent: i32,
        seconds: u64,
    },
    /// Nobody returns it, either: the job has ended by then.
    #[error("{launcher} may stay for a while, for nothing can be started to end it: {cause}")]
    LauncherStays { launcher: String, cause: String },
    #[error("encoding a message: {cause}")]
    Encoding { cause: String },
    #[error("decoding a message of another rank: {cause}; do all ranks run the same msm_os?")]
    Decoding { cause: String },
}
