//! Renewing leases while the run works, on a thread and with connections of its own: busy threads must not starve it.
//!
//! Key type: [`Heartbeat`].

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use futures::{StreamExt, stream};
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tracing::{debug, warn};

use super::error::{LeaseError, ReleaseError};
use super::lease::{Lease, RenewalError};
use super::times::LeaseTimes;
use crate::store::REQUESTS;
use crate::store::{Bucket, Conditional, Fence, Moment, ahead_of_limits};

/// After a renewal that failed, the next try comes this much sooner.
const SOONER: u32 = 5;

/// What the thread and the others share.
#[derive(Default)]
struct SharedLeases {
    leases: Mutex<Vec<Arc<Lease>>>,
    /// What they keep open, once all of them are there.
    fence: OnceLock<Fence>,
}

impl SharedLeases {
    fn leases(&self) -> Vec<Arc<Lease>> {
        // Nothing panics while it is locked.
        let leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        leases.clone()
    }

    /// Keeps the fence open for as long as every lease is sure to hold; closes it if one is lost.
    fn extend(&self, times: LeaseTimes) {
        let Some(fence) = self.fence.get() else {
            return;
        };
        let leases = self.leases();
        if leases.iter().any(|lease| lease.lost().is_some()) {
            fence.close();
        } else {
            let oldest = leases.iter().map(|lease| lease.renewed()).min();
            // Without any, what is changed belongs to no store: what is left of one that is gone.
            fence.extend(oldest.unwrap_or_else(Moment::now).after(times.trusted()));
        }
    }
}

/// Leases that are being renewed; those not released expire once this is dropped.
pub(super) struct Heartbeat {
    shared: Arc<SharedLeases>,
    times: LeaseTimes,
    /// The thread ends when this is dropped …
    stop: oneshot::Sender<()>,
    /// … and drops the other end of this.
    ended: oneshot::Receiver<()>,
}

impl Heartbeat {
    /// Starts the thread, which has nothing to renew yet.
    ///
    /// # Errors
    /// If it cannot be started, or its connections not be made.
    pub(super) fn start(
        bucket: &Bucket,
        replace: Conditional,
        times: LeaseTimes,
    ) -> Result<Self, LeaseError> {
        let failed = |cause: std::io::Error| LeaseError::Thread {
            cause: cause.to_string(),
        };
        let bucket = bucket.unfenced()?;
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let shared = Arc::<SharedLeases>::default();
        let (stop, stopped) = oneshot::channel();
        let (ending, ended) = oneshot::channel::<()>();
        let theirs = Arc::clone(&shared);
        let beat = move || {
            let beat = beat(&theirs, &bucket, replace, times, stopped);
            // A lease that waits for its turn is lost.
            runtime.block_on(ahead_of_limits(Duration::ZERO, beat));
            drop(ending);
        };
        thread::Builder::new()
            .name("leases".to_owned())
            .spawn(beat)
            .map_err(failed)?;
        Ok(Self {
            shared,
            times,
            stop,
            ended,
        })
    }

    /// Renews `lease`, too, from now on.
    pub(super) fn keep(&self, lease: Lease) {
        let leases = &self.shared.leases;
        let mut leases = leases.lock().unwrap_or_else(PoisonError::into_inner);
        leases.push(Arc::new(lease));
    }

    /// The leases that are renewed.
    pub(super) fn kept(&self) -> Vec<Arc<Lease>> {
        self.shared.leases()
    }

    /// All of them are there: as long as they hold, `fence` is open.
    pub(super) fn open(&self, fence: &Fence) {
        let _ = self.shared.fence.set(fence.clone());
        self.shared.extend(self.times);
    }

    /// Stops, and gives up the leases; returns what could not be done.
    pub(super) async fn release(self, bucket: &Bucket) -> Vec<ReleaseError> {
        drop(self.stop);
        // Answers with an error, for nothing is ever sent: a renewal on its way must not come after the end.
        let _ = self.ended.await;
        if let Some(fence) = self.shared.fence.get() {
            fence.shut();
        }
        let leases = self.shared.leases();
        stream::iter(leases)
            .map(|lease| async move {
                let released = lease.release(bucket).await;
                released.err().map(|cause| ReleaseError::Lease {
                    store: lease.store.clone(),
                    cause,
                })
            })
            .buffer_unordered(REQUESTS)
            .filter_map(|problem| async move { problem })
            .collect()
            .await
    }
}

async fn beat(
    shared: &SharedLeases,
    bucket: &Bucket,
    replace: Conditional,
    times: LeaseTimes,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut pause = times.beat();
    loop {
        // Ends by itself, or because the other end was dropped.
        if tokio::time::timeout(pause, &mut stopped).await.is_ok() {
            return;
        }
        let leases = shared.leases();
        let renewals = leases.iter().map(|lease| lease.renew(bucket, replace));
        let renewed: Vec<Result<(), RenewalError>> =
            stream::iter(renewals).buffered(REQUESTS).collect().await;
        for (lease, done) in leases.iter().zip(&renewed) {
            match done {
                Ok(()) => debug!(store = %lease.store, "renewed the lease"),
                Err(trouble) => warn!(store = %lease.store, ?trouble, "could not renew the lease"),
            }
        }
        shared.extend(times);
        // Those that are lost say so themselves when they are asked; those that failed do, when it was for too long.
        let failed = |done: &Result<(), RenewalError>| matches!(done, Err(RenewalError::Failed(_)));
        pause = if renewed.iter().any(failed) {
            times.beat() / SOONER
        } else {
            times.beat()
        };
    }
}
