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
             --mpi=pmix, else the mpirun of the MPI that msm_os was built with"
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
    #[error("encoding a message: {cause}")]
    Encoding { cause: String },
    #[error("decoding a message of another rank: {cause}; do all ranks run the same msm_os?")]
    Decoding { cause: String },
}
