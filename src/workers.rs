//! The threads of a rank that decode and encode.
//!
//! Key type: [`Workers`].

use std::io;
use std::ops::Deref;
use std::thread::{self, JoinHandle};

use rayon::{ThreadBuilder, ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

/// A pool whose threads have ended when it is dropped, with all that they take down as they end; unless one of them drops it. Those of rayon
/// end some time later, which may be beside the end of the process. Where they read files, OpenSSL has things of theirs (the NetCDF library
/// starts it), takes them down with the thread, and all of its own with the process: a job that had done its work died of SIGSEGV, once in
/// some thousand times.
pub(crate) struct Workers {
    pool: ThreadPool,
    /// Waited for when the pool has been dropped.
    _threads: Threads,
}

struct Threads(Vec<JoinHandle<()>>);

impl Workers {
    /// Starts so many threads.
    pub(crate) fn start(count: usize) -> Result<Self, ThreadPoolBuildError> {
        let mut threads = Threads(Vec::new());
        let start = |worker: ThreadBuilder| -> io::Result<()> {
            let thread = thread::Builder::new().spawn(|| worker.run())?;
            threads.0.push(thread);
            Ok(())
        };
        let builder = ThreadPoolBuilder::new().num_threads(count);
        let pool = builder.spawn_handler(start).build()?;
        Ok(Self {
            pool,
            _threads: threads,
        })
    }
}

impl Deref for Workers {
    type Target = ThreadPool;

    fn deref(&self) -> &ThreadPool {
        &self.pool
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // One of them would wait for the others, which wait until its work is done.
        let this = thread::current().id();
        if self.0.iter().any(|thread| thread.thread().id() == this) {
            return;
        }
        for thread in self.0.drain(..) {
            // What panics in one of them has ended the process.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::sync::Arc;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    /// What a thread takes down as it ends, which takes it a while.
    struct Slow(Arc<AtomicUsize>);

    impl Drop for Slow {
        fn drop(&mut self) {
            thread::sleep(Duration::from_millis(50));
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    thread_local! {
        static SLOW: RefCell<Option<Slow>> = const { RefCell::new(None) };
    }

    #[test]
    fn its_threads_have_ended_when_it_is_dropped() {
        let workers = Workers::start(3).unwrap();
        assert_eq!(workers.current_num_threads(), 3);
        let (ended, all) = (Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(3)));
        for _ in 0..3 {
            let (ended, all) = (Arc::clone(&ended), Arc::clone(&all));
            workers.spawn(move || {
                SLOW.set(Some(Slow(ended)));
                all.wait(); // so that each thread has one
            });
        }
        drop(workers);
        assert_eq!(ended.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn a_thread_of_its_own_may_be_the_last_that_holds_it() {
        let workers = Arc::new(Workers::start(2).unwrap());
        let (held, ended) = (Arc::clone(&workers), Arc::new(AtomicUsize::new(0)));
        let (alone, told) = (Arc::new(Barrier::new(2)), Arc::clone(&ended));
        let go = Arc::clone(&alone);
        workers.spawn(move || {
            go.wait();
            drop(held);
            told.fetch_add(1, Ordering::SeqCst);
        });
        drop(workers);
        alone.wait();
        while ended.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
    }
}
