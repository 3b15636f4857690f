//! A panic on any thread ends the whole job, soon.
//!
//! rsmpi finalizes MPI while it unwinds, which hangs when the other ranks do not: abort instead. Only one thread may be
//! inside MPI at a time, and the main thread usually is: it aborts in the name of the others.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ThreadId};
use std::time::Duration;

use mpi::topology::{Communicator, SimpleCommunicator};

use crate::exit::Exit;

/// Did another thread than the main one panic?
static PANICKED: AtomicBool = AtomicBool::new(false);
/// The main thread looks at least so often while it is inside MPI's business.
const GRACE: Duration = Duration::from_secs(1);

/// Installs the panic hook; call it on the thread that started MPI.
pub(super) fn end_the_job_on_panic() {
    let report = std::panic::take_hook();
    let main: ThreadId = thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        report(info);
        if thread::current().id() != main {
            PANICKED.store(true, Ordering::SeqCst);
            thread::sleep(GRACE);
            // Still here: the main thread waits for something else, and is not inside MPI.
        }
        abort();
    }));
}

/// The main thread's part: aborts if another thread panicked.
pub(super) fn abort_if_any() {
    if PANICKED.load(Ordering::SeqCst) {
        abort();
    }
}

fn abort() -> ! {
    if mpi::is_initialized() && !mpi::is_finalized() {
        SimpleCommunicator::world().abort(Exit::Panic.code());
    }
    std::process::exit(Exit::Panic.code());
}
