//! Leases keep two jobs from writing the same store: objects in the store's ledger, or locked files of a directory.
//!
//! Key types: [`Leases`], those of a run; [`LeaseSettings`]; [`Holder`], who has one. Where the server enforces it, a
//! lease is made by creating the next generation; elsewhere a claim is put, settles, and the lowest one wins.

mod claim;
mod contest;
mod heartbeat;
mod holder;
#[allow(clippy::module_inception)] // the one of a single store
mod lease;
mod lock_dir;
mod sweep;
#[cfg(test)]
mod tests;
mod times;
mod waiting;

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};

use self::claim::{State, before};
use self::contest::{Attempt, Court};
use self::heartbeat::{Heartbeat, REQUESTS};
use self::lease::{Lease, Trouble};
use self::lock_dir::Lock;
use self::waiting::Waiting;
use crate::exit::{Exit, Failure};
use crate::store::{Bucket, Conditional, Guarantees, StoreError};

pub use self::holder::Holder;
pub use self::sweep::probe_and_sweep;
pub use self::times::LeaseTimes;

/// How leases are to be got.
#[derive(Clone, Debug)]
pub struct LeaseSettings {
    /// Lock files in this directory instead of objects in the ledgers.
    pub lock_dir: Option<PathBuf>,
    /// How long to wait for another job.
    pub wait: Duration,
    /// What the server was found to guarantee.
    pub guarantees: Guarantees,
    /// How long leases last.
    pub times: LeaseTimes,
}

/// The leases of all stores of a run. Dropped without [`Leases::release`], they expire.
pub struct Leases {
    bucket: Bucket,
    guarantees: Guarantees,
    times: LeaseTimes,
    way: Way,
    guarantee: String,
}

enum Way {
    Ledger(Heartbeat),
    LockDir(Vec<Lock>),
}

impl Leases {
    /// Gets the leases of all `stores`, in the order of their keys, so that no two jobs wait for each other; or none.
    ///
    /// # Errors
    /// [`Exit::Busy`] if another job has one for longer than the wait; others as the server or the directory says.
    pub async fn acquire(
        bucket: &Bucket,
        stores: &[String],
        settings: &LeaseSettings,
        command: &str,
    ) -> Result<Self, Failure> {
        let holder = Holder::this(command).map_err(|cause| {
            let message = format!("this process cannot say who it is, for its lease: {cause}");
            Failure::new(Exit::Internal, message)
        })?;
        let mut stores: Vec<&str> = stores.iter().map(String::as_str).collect();
        stores.sort_unstable();
        stores.dedup();
        let court = Court {
            bucket,
            guarantees: &settings.guarantees,
            times: settings.times,
        };
        let waiting = Waiting::new(settings.wait, settings.times.look);
        let way = match &settings.lock_dir {
            Some(dir) => Way::LockDir(court.lock(dir, &stores, &holder, waiting).await?),
            None => Way::Ledger(court.lease(&stores, &holder, waiting).await?),
        };
        Ok(Self {
            bucket: bucket.clone(),
            guarantees: settings.guarantees.clone(),
            times: settings.times,
            way,
            guarantee: guarantee(settings),
        })
    }

    /// Is a lease known to be lost? Asks nobody.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        match &self.way {
            Way::Ledger(heartbeat) => heartbeat.kept().iter().any(|lease| lease.lost().is_some()),
            Way::LockDir(_) => false,
        }
    }

    /// Renews every lease and looks at the others' claims: the last step before anything that cannot be taken back.
    ///
    /// # Errors
    /// [`Exit::LeaseLost`] if one is ours no more; others if the server cannot say.
    pub async fn check(&self) -> Result<(), Failure> {
        let lost = |store: &str, why: &str| {
            Failure::new(
                Exit::LeaseLost,
                format!(
                    "the lease of store '{store}' was lost ({why}); nothing was committed, for another job may be writing \
                     the store. Run the command again"
                ),
            )
        };
        let heartbeat = match &self.way {
            Way::Ledger(heartbeat) => heartbeat,
            Way::LockDir(locks) => {
                return locks.iter().try_for_each(|lock| {
                    let checked = lock.check();
                    checked.map_err(|why| lost(lock.store(), &why))
                });
            }
        };
        let checks = heartbeat.kept().into_iter().map(|lease| async move {
            match self.check_one(&lease).await {
                Ok(()) => Ok(()),
                Err(Trouble::Lost(why)) => Err(lost(&lease.store, &why)),
                Err(Trouble::Failed(error)) => Err(error.into()),
            }
        });
        stream::iter(checks)
            .buffer_unordered(REQUESTS)
            .try_collect()
            .await
    }

    async fn check_one(&self, lease: &Lease) -> Result<(), Trouble> {
        let replace = self.guarantees.replace;
        let renewed = match lease.renew(&self.bucket, replace).await {
            // Once more: it may have been the server's bad moment.
            Err(Trouble::Failed(_)) => lease.renew(&self.bucket, replace).await,
            renewed => renewed,
        };
        renewed?;
        let court = Court {
            bucket: &self.bucket,
            guarantees: &self.guarantees,
            times: self.times,
        };
        let seen = court.look(&lease.store, Some(lease.token())).await?;
        if let Some(rival) = seen.rivals.iter().find(|rival| rival.state == State::Held) {
            let who = rival.holder.as_ref().map(|holder| format!(": {holder}"));
            lease.lose(format!("another job has it{}", who.unwrap_or_default()));
        }
        match lease.lost() {
            Some(why) => Err(Trouble::Lost(why.to_owned())),
            None => Ok(()),
        }
    }

    /// Which guarantee this run had against other writers: one plain sentence.
    #[must_use]
    pub fn guarantee(&self) -> &str {
        &self.guarantee
    }

    /// Gives up all leases; returns what could not be done.
    pub async fn release(self) -> Vec<String> {
        match self.way {
            Way::Ledger(heartbeat) => heartbeat.release(&self.bucket).await,
            Way::LockDir(locks) => {
                let released = locks.into_iter().map(Lock::release);
                released.filter_map(Result::err).collect()
            }
        }
    }
}

impl Court<'_> {
    /// Gets the leases of all stores, or none.
    async fn lease(
        &self,
        stores: &[&str],
        holder: &Holder,
        mut waiting: Waiting,
    ) -> Result<Heartbeat, Failure> {
        let heartbeat = Heartbeat::start(self.bucket, self.guarantees.replace, self.times)?;
        for store in stores {
            loop {
                let failure = match self.attempt(store, holder).await {
                    Ok(Attempt::Held(lease)) => {
                        heartbeat.keep(*lease);
                        break;
                    }
                    Ok(Attempt::Busy(other)) => match waiting.pause(store, other.as_ref()).await {
                        Ok(()) => continue,
                        Err(failure) => failure,
                    },
                    Err(error) => error.into(),
                };
                // What cannot be given up expires, and the failure is worth more to the user.
                let _ = heartbeat.release(self.bucket).await;
                return Err(failure);
            }
        }
        Ok(heartbeat)
    }

    /// Locks the files of all stores, or none; and sees that no job without them has a lease.
    async fn lock(
        &self,
        dir: &Path,
        stores: &[&str],
        holder: &Holder,
        mut waiting: Waiting,
    ) -> Result<Vec<Lock>, Failure> {
        let mut locks = Vec::new();
        for store in stores {
            let lock = loop {
                match Lock::attempt(dir, self.bucket.place(), store, holder)? {
                    Ok(lock) => break lock,
                    Err(other) => waiting.pause(store, other.as_ref()).await?,
                }
            };
            while let Some(rival) = before(&self.look(store, None).await?.rivals) {
                waiting.pause(store, rival.holder.as_ref()).await?;
            }
            locks.push(lock);
        }
        Ok(locks)
    }
}

/// Who holds the lease of `store` in its ledger, if it is anybody alive.
///
/// # Errors
/// As the server says.
pub async fn live_holder(
    bucket: &Bucket,
    store: &str,
    guarantees: &Guarantees,
) -> Result<Option<Holder>, StoreError> {
    let court = Court {
        bucket,
        guarantees,
        times: LeaseTimes::of_this_run(),
    };
    let seen = court.look(store, None).await?;
    Ok(before(&seen.rivals).and_then(|rival| rival.holder.clone()))
}

fn guarantee(settings: &LeaseSettings) -> String {
    if let Some(dir) = &settings.lock_dir {
        return format!(
            "Locks in {} kept other jobs with the same --lock-dir from writing these stores.",
            dir.display()
        );
    }
    let how = match settings.guarantees.create {
        Conditional::Enforced => {
            return "Conditional writes are enforced: no other job could get the leases of these stores."
                .to_owned();
        }
        Conditional::Refused => "refuses",
        Conditional::Ignored => "ignores",
    };
    let settle = settings.times.settle(settings.guarantees.latency);
    format!(
        "The server {how} conditional writes: leases kept other jobs from writing these stores as long as its listings lag \
         behind by less than {:.1} s; --lock-dir is stronger.",
        settle.as_secs_f64()
    )
}
