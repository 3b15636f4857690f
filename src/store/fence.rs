//! The fence: the gate that lets no changing request out of a job whose leases are not sure to hold still.
//!
//! Key types: [`Fence`]; [`Moment`], on a clock that goes on while the machine sleeps; [`FencedRequest`], what is said of a
//! request that was kept back.
//!
//! Every PUT, copy, DELETE and POST passes it: each attempt of a retry, and each piece of a long body. It opens when the
//! leases are got, stays open until a deadline that every renewal moves, and is closed for good when one is lost.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tracing::{debug, warn};

/// A moment of this machine's `CLOCK_BOOTTIME`, which nobody sets and which goes on while the machine sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(Duration);

impl Moment {
    /// What that clock says: of use on this machine alone.
    #[must_use]
    pub(crate) fn now() -> Self {
        let now = clock_gettime(ClockId::Boottime);
        // The machine was started at zero, so neither part is ever negative.
        Self(Duration::new(now.tv_sec as u64, now.tv_nsec as u32))
    }

    /// So long after this one.
    #[must_use]
    pub(crate) fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(time))
    }

    /// The moment so many nanoseconds after this machine's start.
    #[cfg(feature = "mpi")]
    #[must_use]
    pub(crate) fn at(nanos: u64) -> Self {
        Self(Duration::from_nanos(nanos))
    }

    /// Nanoseconds since this machine's start.
    #[must_use]
    pub(crate) fn nanos(self) -> u64 {
        u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX)
    }

    /// The time since then; none if it is still to come.
    #[must_use]
    pub(crate) fn elapsed(self) -> Duration {
        Self::now().0.saturating_sub(self.0)
    }

    /// The time until then; none if it is over.
    #[must_use]
    pub(crate) fn left(self) -> Duration {
        self.0.saturating_sub(Self::now().0)
    }
}

/// Why a request did not leave, or was cut off on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the lease of the store is not sure to hold any more")]
pub(crate) struct FencedRequest;

/// The fence of a bucket on one rank. Clones are the same fence.
#[derive(Clone, Debug)]
pub(crate) struct Fence(Arc<Gate>);

#[derive(Debug)]
struct Gate {
    deadline: AtomicU64,
    /// Of rank 0, whose leases keep this one open, if that is a rank of the same process.
    lead: OnceLock<Fence>,
}

// The deadline in nanoseconds, or one of these.
/// Nothing passes, and it is never opened again.
const LOST: u64 = 0;
/// Nothing passes yet.
const NOT_YET: u64 = 1;
/// Everything passes.
const OPEN: u64 = u64::MAX;

impl Fence {
    fn new(deadline: u64) -> Self {
        Self(Arc::new(Gate {
            deadline: AtomicU64::new(deadline),
            lead: OnceLock::new(),
        }))
    }

    /// One through which nothing passes before [`Fence::extend`].
    #[must_use]
    pub(crate) fn closed() -> Self {
        Self::new(NOT_YET)
    }

    /// One through which everything passes: of what belongs to no store, such as leases themselves.
    #[must_use]
    pub(crate) fn open() -> Self {
        Self::new(OPEN)
    }

    /// Lets requests pass until `deadline`, unless it is open for longer already. A lost lease is never found again.
    pub(crate) fn extend(&self, deadline: Moment) {
        let nanos = deadline.nanos().min(OPEN - 1);
        let longer = |now: u64| (now != LOST && now < nanos).then_some(nanos);
        // The deadline that stays is in force.
        let deadline = &self.0.deadline;
        let _ = deadline.fetch_update(Ordering::SeqCst, Ordering::SeqCst, longer);
    }

    /// From now on it is open as long as that of rank 0 is, which is in the same process.
    pub(crate) fn follow(&self, lead: &Self) {
        // There is one rank 0.
        let _ = self.0.lead.set(lead.clone());
    }

    /// Waits until it is open for the first time: other ranks hear of rank 0's leases a moment after it has got them.
    ///
    /// # Errors
    /// If nothing is heard of them.
    pub(crate) async fn opened(&self) -> Result<(), FencedRequest> {
        let begun = Moment::now();
        debug!("waiting until rank 0 has the leases");
        while self.check().is_err() {
            if self.is_lost() || begun.elapsed() > LONGEST_WAIT {
                return Err(FencedRequest);
            }
            tokio::time::sleep(LOOK_FOR_OPENING).await;
        }
        Ok(())
    }

    /// Lets nothing pass from now on.
    pub(crate) fn close(&self) {
        warn!("a lease is lost: the fence closes for good");
        self.0.deadline.store(LOST, Ordering::SeqCst);
    }

    /// Lets nothing pass until [`Fence::extend`]: the leases were given up.
    pub(crate) fn shut(&self) {
        let shut = |now: u64| (now != LOST).then_some(NOT_YET);
        let deadline = &self.0.deadline;
        // What is lost stays so.
        let _ = deadline.fetch_update(Ordering::SeqCst, Ordering::SeqCst, shut);
    }

    fn is_lost(&self) -> bool {
        let lead = self.0.lead.get().unwrap_or(self);
        lead.0.deadline.load(Ordering::SeqCst) == LOST
    }

    /// How long it stays open.
    #[must_use]
    pub(crate) fn left(&self) -> Duration {
        if let Some(lead) = self.0.lead.get() {
            return lead.left();
        }
        match self.0.deadline.load(Ordering::SeqCst) {
            LOST | NOT_YET => Duration::ZERO,
            OPEN => Duration::MAX,
            nanos => Moment(Duration::from_nanos(nanos)).left(),
        }
    }

    /// May a request, or a piece of one, leave now?
    ///
    /// # Errors
    /// If not.
    pub(crate) fn check(&self) -> Result<(), FencedRequest> {
        if self.left().is_zero() {
            return Err(FencedRequest);
        }
        Ok(())
    }

    /// Does `work`, which sends one request, and drops it at the deadline wherever it is: it takes no step once that is
    /// over, even if this process has been asleep.
    ///
    /// # Errors
    /// If the fence is closed, or closes before the end.
    pub(crate) async fn guard<T>(&self, work: impl Future<Output = T>) -> Result<T, FencedRequest> {
        let mut work = pin!(work);
        loop {
            let left = self.left();
            if left.is_zero() {
                return Err(FencedRequest);
            }
            let step = poll_fn(|context| match self.check() {
                Ok(()) => work.as_mut().poll(context).map(Ok),
                Err(fenced) => std::task::Poll::Ready(Err(fenced)),
            });
            // A renewal may have moved the deadline meanwhile. What never closes may still be closed by hand.
            if let Ok(done) = tokio::time::timeout(left.min(LOOK), step).await {
                return done;
            }
        }
    }
}

impl Fence {
    /// Is it closed, and was not before?
    fn is_over(&self) -> bool {
        let lead = self.0.lead.get().unwrap_or(self);
        match lead.0.deadline.load(Ordering::SeqCst) {
            NOT_YET | OPEN => false,
            LOST => true,
            _ => self.left().is_zero(),
        }
    }

    /// Does `work`, which changes nothing, and drops it when the fence has been closed for `grace`, if it was not at the beginning: what
    /// it was wanted for is over.
    ///
    /// # Errors
    /// If it closes so before the end.
    pub(crate) async fn outlive<T>(
        &self,
        grace: Duration,
        work: impl Future<Output = T>,
    ) -> Result<T, FencedRequest> {
        let mut work = pin!(work);
        if self.is_over() {
            return Ok(work.await);
        }
        let mut closed: Option<Moment> = None;
        loop {
            if let Ok(done) = tokio::time::timeout(grace.min(LOOK), work.as_mut()).await {
                return Ok(done);
            }
            closed = { self.is_over() }.then(|| closed.unwrap_or_else(Moment::now));
            if closed.is_some_and(|since| since.elapsed() >= grace) {
                return Err(FencedRequest);
            }
        }
    }
}

/// From one look at the deadline to the next.
const LOOK: Duration = Duration::from_secs(1);
/// The same for its opening, and how long that is waited for.
const LOOK_FOR_OPENING: Duration = Duration::from_millis(5);
const LONGEST_WAIT: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_passes_and_what_does_not() {
        let fence = Fence::closed();
        assert_eq!(fence.guard(async { 1 }).await, Err(FencedRequest));
        fence.extend(Moment::now().after(Duration::from_millis(200)));
        assert_eq!(fence.guard(async { 1 }).await, Ok(1));
        let begun = Moment::now();
        let never = fence.guard(std::future::pending::<()>()).await;
        assert_eq!(never, Err(FencedRequest));
        assert!(begun.elapsed() >= Duration::from_millis(150));
        fence.extend(Moment::now().after(Duration::from_secs(60)));
        assert_eq!(fence.check(), Ok(()), "a deadline that is over is no loss");
        fence.clone().close();
        fence.extend(Moment::now().after(Duration::from_secs(60)));
        assert_eq!(fence.check(), Err(FencedRequest));
        assert_eq!(Fence::open().check(), Ok(()));
    }

    #[tokio::test]
    async fn a_deadline_that_moves_lets_the_work_go_on() {
        let fence = Fence::closed();
        fence.extend(Moment::now().after(Duration::from_millis(100)));
        let renewing = fence.clone();
        tokio::spawn(async move {
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_millis(30)).await;
                renewing.extend(Moment::now().after(Duration::from_millis(100)));
            }
        });
        let work = tokio::time::sleep(Duration::from_millis(250));
        assert_eq!(fence.guard(work).await, Ok(()));
    }

    #[tokio::test]
    async fn what_is_only_read_outlives_the_fence_for_a_while() {
        let grace = Duration::from_millis(60);
        let read = |time: u64| tokio::time::sleep(Duration::from_millis(time));
        for fence in [Fence::closed(), Fence::open()] {
            assert_eq!(fence.outlive(grace, read(150)).await, Ok(()));
        }
        let fence = Fence::closed();
        fence.extend(Moment::now().after(Duration::from_millis(20)));
        assert_eq!(fence.outlive(grace, read(40)).await, Ok(()));
        assert_eq!(
            fence.outlive(grace, read(150)).await,
            Ok(()),
            "it began after"
        );
        fence.extend(Moment::now().after(Duration::from_millis(20)));
        let never = std::future::pending::<()>();
        assert_eq!(fence.outlive(grace, never).await, Err(FencedRequest));
    }

    /// As after SIGSTOP: the deadline has passed while no thread ran.
    #[tokio::test]
    async fn who_wakes_after_the_deadline_takes_no_step() {
        let fence = Fence::closed();
        fence.extend(Moment::now().after(Duration::from_millis(50)));
        let mut steps = 0;
        let work = poll_fn(|context| {
            steps += 1;
            std::thread::sleep(Duration::from_millis(100));
            context.waker().wake_by_ref();
            std::task::Poll::<()>::Pending
        });
        assert_eq!(fence.guard(work).await, Err(FencedRequest));
        assert_eq!(steps, 1);
    }
}
