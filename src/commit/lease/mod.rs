//! Leases keep two jobs from writing the same store: objects in the store's ledger, with --lock-dir locked files of a directory
//! besides.
//!
//! Key types: [`Leases`], those of a run; [`LeaseSettings`]; [`Holder`], who has one. Where the server enforces it, a
//! lease is made by creating the next generation; elsewhere a claim is put, settles, and the lowest one wins.

mod claim;
mod contest;
mod error;
mod heartbeat;
mod holder;
#[allow(clippy::module_inception)] // the one of a single store
mod lease;
mod lock_dir;
mod sweep;
#[cfg(test)]
mod tests;
mod times;
mod wait;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures::{FutureExt, StreamExt, TryStreamExt, join, stream};
use msm_zarr::layout;
use serde::{Deserialize, Serialize};

use self::claim::{Claim, ClaimState, before};
use self::contest::{Attempt, Court, look};
use self::heartbeat::Heartbeat;
use self::lease::{Lease, RenewalError};
use self::lock_dir::Lock;
use self::wait::Wait;
use crate::events::Reporter;
use crate::store::REQUESTS;
use crate::store::{
    Bucket, Conditional, Fence, Guarantees, ServerClock, StoreError, ahead_of_limits,
};

pub use self::error::{LeaseError, ReleaseError};
pub(crate) use self::holder::Crew;
pub use self::holder::{Holder, RankProcess};
pub(crate) use self::sweep::{
    overwrite, probe_and_sweep, probe_sweep_and_remove, sweep, sweep_staged,
};
pub(crate) use self::times::LeaseTimes;

/// How leases are to be got.
#[derive(Clone, Debug)]
pub(crate) struct LeaseSettings {
    /// Lock files in this directory, before the leases in the ledgers.
    pub lock_dir: Option<PathBuf>,
    /// How long to wait for another job.
    pub wait: Duration,
    /// What the server was found to guarantee.
    pub guarantees: Guarantees,
    /// How long leases last.
    pub times: LeaseTimes,
    /// Are the guarantees what a ledger keeps, and has a look at the stores' leases shown none? Then the first claim tries the server
    /// once more.
    pub kept: bool,
}

/// What kept other jobs from writing the same stores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriterGuarantee {
    /// What the server does with conditional writes. Where it enforces them, nothing else is needed.
    pub conditional: Conditional,
    /// Elsewhere, leases keep others away as long as listings lag behind by less than this.
    pub lag: Duration,
    /// The directory in which files were locked.
    pub lock_dir: Option<PathBuf>,
}

/// The leases of all stores of a run, which keep the fence of its bucket open. Dropped without [`Leases::release`], they
/// expire.
pub(crate) struct Leases {
    /// The bucket without its fence.
    bucket: Bucket,
    fence: Fence,
    guarantees: Guarantees,
    times: LeaseTimes,
    heartbeat: Heartbeat,
    /// With a directory of locks, those of all stores.
    locks: Vec<Lock>,
    guarantee: WriterGuarantee,
}

impl Leases {
    /// Gets the leases of all `stores` for `holder`, in the order of their keys, so that no two jobs wait for each other; or none.
    ///
    /// # Errors
    /// If another job has one for longer than the wait; others as the server or the directory says.
    pub(crate) async fn acquire(
        bucket: &Bucket,
        stores: &[String],
        settings: &LeaseSettings,
        holder: &Holder,
        reporter: &dyn Reporter,
    ) -> Result<Self, LeaseError> {
        let mut stores: Vec<&str> = stores.iter().map(String::as_str).collect();
        stores.sort_unstable();
        stores.dedup();
        let desk = bucket.unfenced()?;
        let court = Court {
            bucket: &desk,
            guarantees: &settings.guarantees,
            times: settings.times,
            kept: settings.kept,
        };
        let mut waiting = Wait::new(settings.wait, settings.times.look, reporter);
        let locks = match &settings.lock_dir {
            Some(dir) => court.lock(dir, &stores, holder, &mut waiting).await?,
            None => Vec::new(),
        };
        // A claim that waits long for its turn is too old when it counts.
        let turn = settings.times.turn();
        let heartbeat = ahead_of_limits(turn, court.lease(&stores, holder, &mut waiting)).await?;
        heartbeat.open(bucket.fence());
        Ok(Self {
            bucket: desk,
            fence: bucket.fence().clone(),
            guarantees: settings.guarantees.clone(),
            times: settings.times,
            heartbeat,
            locks,
            guarantee: WriterGuarantee {
                conditional: settings.guarantees.create,
                lag: settings.times.settle(settings.guarantees.latency),
                lock_dir: settings.lock_dir.clone(),
            },
        })
    }

    /// Is a lease known to be lost, and why? Asks nobody.
    #[must_use]
    pub(crate) fn lost(&self) -> Option<LeaseError> {
        let leases = self.heartbeat.kept();
        let lost = |lease: &Arc<Lease>| Some(lost(&lease.store, lease.lost()?));
        leases.iter().find_map(lost)
    }

    /// Renews every lease and looks at the others' claims: the last step before anything that cannot be taken back.
    ///
    /// # Errors
    /// [`LeaseError::Lost`] if one is ours no more; others if the server cannot say.
    pub(crate) async fn check(&self) -> Result<(), LeaseError> {
        let leases = self.heartbeat.kept();
        for lock in &self.locks {
            if let Err(why) = lock.check() {
                let of_store = leases.iter().filter(|lease| lease.store == lock.store());
                of_store.for_each(|lease| lease.lose(why.clone()));
            }
        }
        let checks = leases.into_iter().map(|lease| async move {
            match ahead_of_limits(self.times.turn(), self.check_one(&lease)).await {
                Ok(()) => Ok(()),
                Err(RenewalError::Lost(why)) => Err(lost(&lease.store, &why)),
                Err(RenewalError::Failed(error)) => Err(error.into()),
            }
        });
        let checked = stream::iter(checks)
            .buffer_unordered(REQUESTS)
            .try_collect();
        let checked: Result<(), LeaseError> = checked.await;
        if self.lost().is_some() {
            self.fence.close();
        }
        checked
    }

    async fn check_one(&self, lease: &Lease) -> Result<(), RenewalError> {
        let replace = self.guarantees.replace;
        let renewing = async {
            match lease.renew(&self.bucket, replace).await {
                // Once more: it may have been the server's bad moment.
                Err(RenewalError::Failed(_)) => lease.renew(&self.bucket, replace).await,
                renewed => renewed,
            }
        };
        let court = Court {
            bucket: &self.bucket,
            guarantees: &self.guarantees,
            times: self.times,
            kept: false,
        };
        let (renewed, seen) = join!(renewing, court.look(&lease.store, Some(lease.claim())));
        renewed?;
        let seen = seen?;
        if let Some(rival) = seen
            .rivals
            .iter()
            .find(|rival| rival.state == ClaimState::Held)
        {
            let who = rival.holder.as_ref().map(|holder| format!(": {holder}"));
            lease.lose(format!("another job has it{}", who.unwrap_or_default()));
        }
        match lease.lost() {
            Some(why) => Err(RenewalError::Lost(why.to_owned())),
            None => Ok(()),
        }
    }

    /// Which guarantee this run had against other writers.
    #[must_use]
    pub(crate) fn guarantee(&self) -> WriterGuarantee {
        self.guarantee.clone()
    }

    /// Gives up all leases; returns what could not be done.
    pub(crate) async fn release(self) -> Vec<ReleaseError> {
        let turn = self.times.turn();
        let mut problems = ahead_of_limits(turn, self.heartbeat.release(&self.bucket)).await;
        let released = self.locks.into_iter().map(Lock::release);
        problems.extend(released.filter_map(Result::err));
        problems
    }
}

fn lost(store: &str, cause: &str) -> LeaseError {
    LeaseError::Lost {
        store: store.to_owned(),
        cause: cause.to_owned(),
    }
}

impl Court<'_> {
    /// Gets the leases of all stores, or none.
    async fn lease(
        &self,
        stores: &[&str],
        holder: &Holder,
        waiting: &mut Wait<'_>,
    ) -> Result<Heartbeat, LeaseError> {
        loop {
            let heartbeat = Heartbeat::start(self.bucket, self.guarantees.replace, self.times)?;
            let tried = self.lease_all(&heartbeat, stores, holder).await;
            if let Ok(None) = tried {
                return Ok(heartbeat);
            }
            // What cannot be given up expires, and the failure is worth more to the user.
            let _ = heartbeat.release(self.bucket).await;
            if let Some((store, other)) = tried? {
                waiting.pause(store, other.as_ref()).await?;
            }
        }
    }

    /// Tries to get the leases of all stores; returns one that another job has. Jobs that want the same stores meet at the
    /// first one, where one of them is stopped before it is in the way of the other.
    async fn lease_all<'s>(
        &self,
        heartbeat: &Heartbeat,
        stores: &[&'s str],
        holder: &Holder,
    ) -> Result<Option<(&'s str, Option<Holder>)>, StoreError> {
        let (first, others) = stores.split_at(stores.len().min(1));
        let mut busy = None;
        for (stores, tries) in [(first, self.kept), (others, false)] {
            let tries: Vec<_> = stores
                .iter()
                .map(|&store| {
                    async move { (store, self.attempt(store, holder, tries).await) }.boxed()
                })
                .collect();
            let tried: Vec<_> = stream::iter(tries)
                .buffer_unordered(REQUESTS)
                .collect()
                .await;
            let mut failed = Ok(());
            for (store, attempt) in tried {
                match attempt {
                    Ok(Attempt::Held(lease)) => heartbeat.keep(*lease),
                    Ok(Attempt::Busy(other)) => busy = Some((store, other)),
                    Err(error) => failed = Err(error),
                }
            }
            failed?;
            if busy.is_some() {
                break;
            }
        }
        Ok(busy)
    }

    /// Locks the files of all stores, or none.
    async fn lock(
        &self,
        dir: &Path,
        stores: &[&str],
        holder: &Holder,
        waiting: &mut Wait<'_>,
    ) -> Result<Vec<Lock>, LeaseError> {
        let mut locks = Vec::new();
        for store in stores {
            locks.push(loop {
                match Lock::attempt(dir, &self.bucket.name(), store, holder)? {
                    Ok(lock) => break lock,
                    Err(other) => waiting.pause(store, other.as_ref()).await?,
                }
            });
        }
        Ok(locks)
    }
}

/// A lease that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LiveLease {
    /// Who has it; `None` where it cannot be read.
    pub holder: Option<Holder>,
    /// How long it still holds, if it is not renewed.
    pub left: Duration,
}

impl fmt::Display for LiveLease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.holder {
            Some(holder) => holder.fmt(f),
            None => f.write_str("a job that does not say who it is"),
        }
    }
}

/// The lease of `store` in its ledger, if it holds, by this machine's clock without that of the server, and its job is not known to be dead.
///
/// # Errors
/// As the server says.
pub(crate) async fn live_lease(
    bucket: &Bucket,
    store: &str,
    clock: Option<ServerClock>,
    times: LeaseTimes,
) -> Result<Option<LiveLease>, StoreError> {
    let seen = look(bucket, store, None, clock, times).await?;
    Ok(before(&seen.rivals).map(|rival| LiveLease {
        holder: rival.holder.clone(),
        left: rival.left,
    }))
}

/// The newest claim to `place` that lies in its ledger: whose it is, if that can be read, and when it was put.
///
/// # Errors
/// As the server says.
pub(crate) async fn told_lease(
    bucket: &Bucket,
    place: &str,
) -> Result<Option<(Option<Holder>, SystemTime)>, StoreError> {
    let listed = bucket.list_dated(&layout::leases(place)).await?;
    let Some((key, put)) = listed.into_iter().max_by_key(|(_, put)| *put) else {
        return Ok(None);
    };
    match bucket.get(&key).await {
        Ok(claim) => Ok(Some((Claim::read(&claim).map(|claim| claim.holder), put))),
        // Given up since.
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}
