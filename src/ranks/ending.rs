//! Ending the job when another rank has fallen silent: nothing that waits for it would ever end.

use std::time::Duration;

use mpi::topology::{Communicator, SimpleCommunicator};

use crate::exit::Exit;

/// MPI gets so long to end the processes that it reaches.
const PATIENCE: Duration = Duration::from_secs(5);

/// Ends this process, and all others of the job that can be reached. What the job left, whoever comes next heals.
pub(super) fn end_the_job(rank: i32, silent: i32, time: Duration) -> ! {
    let exit = Exit::LeaseLost;
    eprintln!(
        "msm_os: rank {rank}: no word from rank {silent} for {} s: its host is dead or cannot be reached, so the lease is not \
         sure to hold; the job ends here, and nothing more is changed. Run the command again: it heals what was left",
        time.as_secs()
    );
    std::thread::spawn(move || {
        std::thread::sleep(PATIENCE);
        rustix::process::kill_current_process_group(rustix::process::Signal::KILL).ok();
    });
    SimpleCommunicator::world().abort(exit.code())
}
