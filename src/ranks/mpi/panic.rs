//! A panic on any thread ends the whole job, soon.
//!
//! rsmpi finalizes MPI while it unwinds, which hangs when the other ranks do not: abort instead. Only one thread may be
//! inside MPI at a time, and the main thread usually is: it aborts in the name of the others. Two threads that abort
//! together crash in the MPI library, and the job then ends with a signal in the place of the exit code.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ThreadId};
use std::time::Duration;

use mpi::topology::{Communicator, SimpleCommunicator};

use crate::ranks::{Ending, RanksError};

/// Did another thread than the main one panic?
static PANICKED: AtomicBool = AtomicBool::new(false);
/// Is a thread aborting already?
static ABORTING: AtomicBool = AtomicBool::new(false);
/// The main thread, when it waits for other ranks, looks several times in this, however busy the machine is. When it
/// waits for this rank's own work, it is not inside MPI, and the panicked thread aborts itself after this.
const GRACE: Duration = Duration::from_secs(3);
/// An abort that takes longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// Installs the panic hook; call it on the thread that started MPI.
pub(super) fn end_the_job_on_panic(ending: Ending) {
    let report = std::panic::take_hook();
    let main: ThreadId = thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        report(info);
        if thread::current().id() != main {
            PANICKED.store(true, Ordering::SeqCst);
            thread::sleep(GRACE);
        }
        abort(ending);
    }));
}

/// The main thread's part: aborts if another thread panicked.
pub(super) fn abort_if_any(ending: Ending) {
    if PANICKED.load(Ordering::SeqCst) {
        abort(ending);
    }
}

fn abort(ending: Ending) -> ! {
    let code = ending(&RanksError::Panicked);
    if ABORTING.swap(true, Ordering::SeqCst) {
        // The other thread ends the process under us.
        thread::sleep(PATIENCE);
    } else if mpi::is_initialized() && !mpi::is_finalized() {
        SimpleCommunicator::world().abort(code);
    }
    std::process::exit(code);
}
