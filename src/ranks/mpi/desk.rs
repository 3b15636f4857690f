//! The thread that speaks MPI: starts it, does what the job's thread asks for, and keeps in touch with the other ranks.
//!
//! Key type: [`Desk`].

use std::cell::RefCell;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use mpi::Threading;
use mpi::environment::Universe;
use mpi::request::{Request, Scope};
use mpi::topology::{Communicator, SimpleCommunicator};
use mpi::traits::CommunicatorCollectives;

use super::beats::{Beats, OpenFence, buffer_size};
use super::{Mpi, message, panic};
use crate::ranks::launcher::{self, LaunchedJob, is_launched, refuse_silent_singletons};
use crate::ranks::{Ending, PulseNumbers, Ranks, RanksError, Transport};

/// From one look at what other ranks say to the next, while nothing is asked for.
const IDLE: Duration = Duration::from_millis(20);
/// What main threads usually get.
const STACK: usize = 8 << 20;

/// What the thread that speaks MPI is to do.
pub(super) type Errand = Box<dyn FnOnce(&Desk) + Send>;

/// MPI, as its one thread has it.
pub(super) struct Desk {
    beats: RefCell<Beats>,
    ending: Ending,
    pub world: SimpleCommunicator,
    // Finalizes MPI when dropped; keep it last to go.
    _universe: Universe,
}

/// Starts MPI, if a launcher started this process, does `job` on a thread of its own, and ends MPI when all ranks have done theirs. A panic
/// on any thread ends the whole job.
///
/// # Errors
/// If MPI does not start, or the launcher started more ranks than MPI knows of.
pub fn run<T: Send>(ending: Ending, job: impl FnOnce(&Ranks) -> T + Send) -> Result<T, RanksError> {
    if !is_launched() {
        return launcher::run(ending, job);
    }
    let (mut universe, _) =
        mpi::initialize_with_threading(Threading::Funneled).ok_or(RanksError::StartedTwice)?;
    let world = universe.world();
    panic::end_the_job_on_panic(ending);
    let count = |n: i32| usize::try_from(n).unwrap_or(1);
    let (rank, size) = (count(world.rank()), count(world.size()));
    let variable = |name: &str| std::env::var(name).ok();
    refuse_silent_singletons(size, variable)?;
    universe.set_buffer_size(buffer_size(size));
    let open = OpenFence::default();
    let desk = Desk {
        ending,
        beats: RefCell::new(Beats::new(&world, open.clone(), ending)),
        world,
        _universe: universe,
    };
    let (send, errands) = channel();
    let mpi = Mpi { desk: send, open };
    let (sharing_cpus, on_node) = neighbours(&desk.world);
    let ranks = Ranks {
        rank,
        size,
        sharing_cpus,
        on_node,
        launched: LaunchedJob {
            library: library(),
            ..LaunchedJob::told(&variable)
        },
        others: (size > 1).then(|| Box::new(mpi) as Box<dyn Transport>),
    };
    thread::scope(|scope| {
        let work = move || job(&ranks);
        let builder = thread::Builder::new()
            .name("job".to_owned())
            .stack_size(STACK);
        let job = builder
            .spawn_scoped(scope, work)
            .map_err(|cause| RanksError::Thread {
                cause: cause.to_string(),
            })?;
        desk.serve(&errands);
        // The panic hook ends the process.
        job.join().map_err(|_| RanksError::ThreadPanicked)
    })
}

/// `Open MPI v4.1.4, package: …`, of which the first part is enough.
fn library() -> Option<String> {
    let told = mpi::environment::library_version().ok()?;
    let first = told.split(['\n', ',', '\0']).next()?.trim();
    (!first.is_empty()).then(|| first.to_owned())
}

impl Desk {
    /// Does errands until there will be no more, on any rank.
    fn serve(&self, errands: &Receiver<Errand>) {
        loop {
            self.keep_in_touch();
            match errands.recv_timeout(IDLE) {
                Ok(errand) => errand(self),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        // Others may still work, and want to hear of this rank.
        if self.world.size() > 1 {
            message::sum(self, PulseNumbers::default());
        }
    }

    fn keep_in_touch(&self) {
        panic::abort_if_any(self.ending);
        self.beats.borrow_mut().keep_in_touch();
    }

    /// Waits for `request` without keeping the core busy.
    pub(super) fn wait<'a, D: ?Sized, S: Scope<'a>>(&self, mut request: Request<'a, D, S>) {
        let mut nap = Duration::from_micros(50);
        loop {
            self.keep_in_touch();
            match request.test() {
                Ok(_) => return,
                Err(pending) => request = pending,
            }
            thread::sleep(nap);
            nap = (nap * 2).min(Duration::from_millis(10));
        }
    }
}

/// Ranks of `world` on this node that may run on the same CPUs as this one; and all that are on this node.
fn neighbours(world: &SimpleCommunicator) -> (usize, usize) {
    let node = world.split_shared(world.rank());
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let allowed = status
        .lines()
        .find(|line| line.starts_with("Cpus_allowed_list"))
        .unwrap_or_default();
    let mine = crc32c::crc32c(allowed.as_bytes());
    let mut all = vec![0u32; usize::try_from(node.size()).unwrap_or(1)];
    node.all_gather_into(&mine, &mut all[..]);
    let sharing = all.iter().filter(|&&other| other == mine).count();
    (sharing.max(1), all.len().max(1))
}

/// Has the thread that speaks MPI do `work`, and waits for it.
pub(super) fn errand<T: Send + 'static>(
    desk: &Sender<Errand>,
    work: impl FnOnce(&Desk) -> T + Send + 'static,
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
        thread::park();
    }
}
