//! `recover`: what dead jobs left goes forward or back, and what no transaction owns is removed. Rank 0's work; the others
//! wait.
//!
//! Key types: [`Recover`], what is asked; [`RecoverReport`]; [`Forecast`], what would be done.

mod abandon;
mod error;
mod forecast;
mod truncate;

use std::time::Duration;

use futures::{StreamExt, stream};
use msm_zarr::{Group, layout};
use serde::{Deserialize, Serialize};

pub use self::error::RecoverError;
pub use self::forecast::{ArchiveForecast, Forecast, Outlook, StoreForecast, foretell};
pub use self::truncate::Truncate;

use self::abandon::abandon;
use self::truncate::{needs_cut, truncate};
use crate::commit::{
    CleanupError, Journal, LeaseTimes, LiveLease, clear_ledger, live_lease, orphans,
    probe_sweep_and_remove, sweep, sweep_staged,
};
use crate::error::Error;
use crate::events::{Event, ReplacedStore};
use crate::session::Session;
use crate::store::{Bucket, REQUESTS, Spot, StoreLookup, read_store};
use crate::verbs::shared::abandoned::journals;
use crate::verbs::shared::hold::{Hold, Leasing, this};
use crate::verbs::stores::absent::{made_beside, waiting_among};
use crate::verbs::stores::named::{count, keys, stores};
use crate::verbs::stores::place::CommandPlace;
use crate::verbs::stores::shelf::Shelf;

/// What is recovered.
#[derive(Clone, Debug, Default)]
pub struct Recover {
    /// Where the stores are.
    pub spot: Spot,
    /// How the stores' leases are got.
    pub leasing: Leasing,
    /// Are objects removed too that no transaction owns?
    pub orphans: bool,
    /// Are stores cut whose arrays have different lengths?
    pub truncate: Option<Truncate>,
    /// Are archives that many jobs send not to be sent any further?
    pub abandon: bool,
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoverReport {
    /// Transactions that were brought to their ends.
    pub transactions: usize,
    /// Stores that were looked at.
    pub stores: usize,
    /// Objects that no transaction owned, and that are removed.
    pub orphans: u64,
    /// Stores that were cut.
    pub truncated: u64,
    /// Archives that are not shared out among jobs any more.
    pub abandoned: usize,
    /// Stores that were left alone, for their leases have not expired.
    pub held: Vec<HeldStore>,
    /// Stores that are gone, and about to be replaced: whoever deleted them died before that.
    pub replaced: Vec<ReplacedStore>,
}

impl RecoverReport {
    /// Was there nothing to bring to an end?
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        let Self {
            transactions,
            orphans,
            truncated,
            abandoned,
            held,
            replaced,
            stores: _,
        } = self;
        // What is being replaced is somebody's to go on with.
        held.is_empty()
            && replaced.is_empty()
            && (*transactions, *orphans, *truncated, *abandoned) == (0, 0, 0, 0)
    }
}

/// A store that is being written, or whose job has died so recently that nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldStore {
    /// Its key.
    pub store: String,
    /// The job that has its lease.
    pub holder: String,
    /// How long the lease still holds, if it is not renewed.
    pub left: Duration,
}

/// Brings to an end what dead jobs left. Jobs that are alive are left alone.
///
/// # Errors
/// On every rank the same: what cannot be read or brought to an end, when all else has been.
pub fn recover(session: &Session, request: &Recover) -> Result<RecoverReport, Error> {
    session.on_lead(async || recover_here(session, request).await)
}

async fn recover_here(session: &Session<'_>, request: &Recover) -> Result<RecoverReport, Error> {
    let (bucket, spot) = (&session.bucket, &request.spot);
    bucket.reach(spot.key()).await?;
    let own = keys(&stores(bucket, spot, &[]).await?);
    let folders = folders(bucket, spot, &own).await?;
    let all = with_made(bucket, spot, own).await?;
    let (found, mut problems) = readable_journals(bucket, &all).await;
    let desk = bucket.unfenced()?;
    let guarantees = probe_sweep_and_remove(&desk, &folders[0], &this(session, "recover")?).await?;
    for folder in &folders[1..] {
        sweep(&desk, folder, &guarantees).await?;
    }
    let times = LeaseTimes::of_this_run();
    let mut report = RecoverReport {
        stores: count(&all),
        ..RecoverReport::default()
    };
    if request.abandon {
        let done = abandon(session, request, &all).await?;
        report.abandoned = done.archives;
        report.orphans = done.objects;
        report.held = done.held;
        problems.extend(done.problems);
    }
    // One store after the other: each is whole on its own, and a busy one is not in the way of the others.
    for store in &all {
        let journal = found.iter().find(|(other, _)| other == store);
        let count = journal.and_then(|(_, found)| Some(found.as_ref()?.unfinished.len()));
        let leases = bucket.list(&layout::leases(store)).await?;
        let mut staged = bucket.staged(store).await?;
        staged.extend(bucket.staged(&layout::ledger(store)).await?);
        let is_tidy = journal.is_none() && leases.is_empty() && staged.is_empty();
        let is_uneven = match needs_cut(request, bucket, store, journal.is_some()).await {
            Ok(is_uneven) => is_uneven,
            Err(failure) => {
                problems.push(failure);
                continue;
            }
        };
        if is_tidy && !request.orphans && !is_uneven {
            continue;
        }
        if let Some(lease) = live_lease(bucket, store, Some(guarantees.clock), times).await? {
            report.held.push(held_store(store, &lease));
            continue;
        }
        if journal.is_some_and(|(_, journal)| journal.is_none()) {
            continue;
        }
        match recover_one(session, request, store).await {
            Ok(done) => {
                report.transactions += count.unwrap_or(0);
                report.orphans += done.orphans;
                report.truncated += u64::from(done.is_cut);
            }
            Err(failure) => problems.push(failure),
        }
    }
    report.replaced = waiting_among(bucket, &all).await?;
    if !problems.is_empty() {
        let held = report.held.iter().map(RecoverError::from);
        problems.extend(held.map(Error::from));
    }
    Error::together(problems)?;
    Ok(report)
}

/// The stores at `spot`, which are its `own`, and what was made to replace them: a job that died may have left that, or its leases.
async fn with_made(
    bucket: &Bucket,
    spot: &Spot,
    mut own: Vec<String>,
) -> Result<Vec<String>, Error> {
    // Below no prefix, that is among them.
    if !spot.key().is_empty() {
        match stores(bucket, &made_beside(spot), &[]).await {
            Ok(made) => own.extend(keys(&made)),
            // There is none.
            Err(Error::Stores(_)) => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(own)
}

/// The folders whose ledgers' folders are swept, at least one; none is in a store.
async fn folders(bucket: &Bucket, spot: &Spot, stores: &[String]) -> Result<Vec<String>, Error> {
    let folder = |key: &str| {
        key.rsplit_once('/')
            .map_or("", |(folder, _)| folder)
            .to_owned()
    };
    Ok(match CommandPlace::of(bucket, spot).await? {
        CommandPlace::Shelf(Shelf { prefix, .. }) if prefix.is_empty() => vec![prefix],
        // The ledger of the store of all variables lies beside the prefix, not below it.
        CommandPlace::Shelf(Shelf { prefix, .. }) => vec![prefix.clone(), folder(&prefix)],
        CommandPlace::Store(key) | CommandPlace::Group(Group { store: key, .. }) => {
            vec![folder(stores.first().unwrap_or(&key))]
        }
    })
}

/// A store is left alone: whoever has this `lease` may be writing it.
fn held_store(store: &str, lease: &LiveLease) -> HeldStore {
    HeldStore {
        store: store.to_owned(),
        holder: lease.to_string(),
        // Rounded up, so that it is over by then.
        left: Duration::from_secs(lease.left.as_secs() + 1),
    }
}

/// The journals of those of `stores` that have one; none of what cannot be read, and why not. A damaged one is not in the way
/// of other stores.
async fn readable_journals(
    bucket: &Bucket,
    stores: &[String],
) -> (Vec<(String, Option<Journal>)>, Vec<Error>) {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    let read = stream::iter(stores).map(|store| async move {
        let journal = journals(bucket, std::slice::from_ref(store)).await;
        (store, journal)
    });
    let mut read = read.buffered(REQUESTS);
    while let Some((store, journal)) = read.next().await {
        match journal {
            Ok(journal) => found.extend(journal.into_iter().map(|(s, j)| (s, Some(j)))),
            Err(error) => {
                found.push((store.clone(), None));
                problems.push(error.into());
            }
        }
    }
    (found, problems)
}

/// What was done to one store.
struct StoreRecovery {
    /// Objects that no transaction owned.
    orphans: u64,
    /// Was it cut?
    is_cut: bool,
}

/// Heals one store, and mends it.
async fn recover_one(
    session: &Session<'_>,
    request: &Recover,
    store: &str,
) -> Result<StoreRecovery, Error> {
    let stores = [store.to_owned()];
    let work = async |hold: &Hold| {
        sweep_staged(&session.bucket, store).await?;
        let is_cut = match &request.truncate {
            Some(asked) => truncate(session, asked, store, hold).await?,
            None => false,
        };
        let orphans = if request.orphans {
            remove_orphans(session, store).await?
        } else {
            0
        };
        Ok(StoreRecovery { orphans, is_cut })
    };
    let leasing = &request.leasing;
    if request.orphans || request.truncate.is_some() {
        // What jobs that share an archive have put out of sight would go.
        return Hold::during(session, leasing, &stores, "recover", work).await;
    }
    Hold::during_share(session, leasing, &stores, "recover", work).await
}

async fn remove_orphans(session: &Session<'_>, store: &str) -> Result<u64, Error> {
    let bucket = &session.bucket;
    let orphans = orphans(bucket, store).await?;
    let keys: Vec<String> = orphans.into_iter().map(|entry| entry.key).collect();
    for key in &keys {
        session.tell(&Event::Removing { key: key.clone() });
    }
    let deleted = bucket.delete_all(keys, false).await;
    let incomplete = |cause: CleanupError| RecoverError::Orphans {
        store: store.to_owned(),
        cause,
    };
    CleanupError::of(deleted.problems).map_err(incomplete)?;
    if let StoreLookup::Nothing = read_store(bucket, &Group::whole(store), "").await? {
        // What is left tells of a store that is no more.
        let cleared = clear_ledger(bucket, store, None).await;
        cleared.map_err(incomplete)?;
    }
    Ok(deleted.objects)
}
