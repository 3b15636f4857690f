//! `status`: what goes on below a prefix, and what dead jobs left. Rank 0 reads ledgers, and writes nothing.
//!
//! Key types: [`Status`], what is asked; [`StatusReport`], of [`ArchiveStatus`] and [`StoreStatus`].

mod archive;

use std::time::SystemTime;

use futures::{StreamExt, stream};
use serde::{Deserialize, Serialize};

pub use self::archive::{ArchiveStatus, PartState, PartStatus};

use crate::commit::{
    CommittedTransactions, Holder, LeaseTimes, UnfinishedWork, read_journal, told_lease,
};
use crate::error::Error;
use crate::events::{ReplacedStore, TransactionIdentity};
use crate::session::Session;
use crate::store::{Bucket, REQUESTS, Spot, StoreError};
use crate::verbs::shared::abandoned::unended;
use crate::verbs::shared::remnant::remnant;
use crate::verbs::stores::absent::waiting;
use crate::verbs::stores::named::{count, keys, stores};

/// Where it is looked.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// Where the stores are.
    pub spot: Spot,
}

/// What goes on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StatusReport {
    /// Archives that jobs share in sending.
    pub archives: Vec<ArchiveStatus>,
    /// Stores with a lease, a journal or undo copies.
    pub stores: Vec<StoreStatus>,
    /// Stores that are gone, and about to be replaced: whoever deleted them died before that.
    pub replaced: Vec<ReplacedStore>,
    /// How many stores were looked at.
    pub looked_at: usize,
    /// What could not be read; all else is told.
    pub problems: Vec<Error>,
}

/// A store in which something is going on, or was left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreStatus {
    /// Its key.
    pub store: String,
    /// Its lease, if there is one.
    pub lease: Option<LeaseStatus>,
    /// What has not ended, or was left by a dead job.
    pub unfinished: Vec<TransactionIdentity>,
    /// Transactions that `rollback` can undo.
    pub undo: usize,
    /// Has it notes of an archive that jobs shared, and that is not shared out?
    pub remnants: bool,
}

/// A lease as it lies in a ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseStatus {
    /// The job, and since when, if it says so.
    pub holder: String,
    /// Seconds since it was renewed last, by this machine's clock.
    pub age_seconds: u64,
    /// Has it expired, or is its job known to be dead?
    pub is_over: bool,
}

/// What goes on, and what dead jobs left.
///
/// # Errors
/// On every rank the same: if the bucket or a ledger cannot be read.
pub fn status(session: &Session, request: &Status) -> Result<StatusReport, Error> {
    session.on_lead(async || look(&session.bucket, &request.spot).await)
}

async fn look(bucket: &Bucket, spot: &Spot) -> Result<StatusReport, Error> {
    bucket.reach(spot.key()).await?;
    let all = keys(&stores(bucket, spot, &[]).await?);
    let mut report = StatusReport {
        replaced: waiting(bucket, spot).await?,
        looked_at: count(&all),
        ..StatusReport::default()
    };
    let mut seen: Vec<String> = Vec::new();
    for store in &all {
        match archive::archive(bucket, store, &seen).await {
            Ok(None) => {}
            Ok(Some((id, archive))) => {
                report.archives.push(archive);
                seen.push(id);
            }
            Err(problem) => report.problem(problem)?,
        }
    }
    let told: Vec<String> = report
        .archives
        .iter()
        .flat_map(|a| a.stores.clone())
        .collect();
    let looked = stream::iter(&all).map(|store| of_store(bucket, store, told.contains(store)));
    let mut looked = looked.buffered(REQUESTS);
    while let Some(looked) = looked.next().await {
        match looked {
            Ok(store) if store.is_worth_telling() => report.stores.push(store),
            Ok(_) => {}
            Err(problem) => report.problem(problem)?,
        }
    }
    Ok(report)
}

impl StatusReport {
    /// Notes once what is damaged, though several stores may tell of the same.
    ///
    /// # Errors
    /// Everything else.
    fn problem(&mut self, problem: StoreError) -> Result<(), StoreError> {
        if !matches!(
            problem,
            StoreError::Journal { .. } | StoreError::Share { .. }
        ) {
            return Err(problem);
        }
        let problem = Error::from(problem);
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
        Ok(())
    }
}

impl StoreStatus {
    fn is_worth_telling(&self) -> bool {
        self.lease.is_some() || !self.unfinished.is_empty() || self.undo > 0 || self.remnants
    }
}

async fn of_store(
    bucket: &Bucket,
    store: &str,
    is_shared: bool,
) -> Result<StoreStatus, StoreError> {
    let journal = read_journal(bucket, store).await?;
    let remnants = !is_shared
        && match remnant(bucket, store).await {
            // It is told as a problem.
            Err(StoreError::Share { .. }) => false,
            left => left?.is_some(),
        };
    // What is being deleted goes with all that was done to it.
    let undo = if journal.unfinished.iter().any(UnfinishedWork::is_delete) {
        0
    } else {
        let committed = CommittedTransactions::of(bucket, store).await?;
        committed.undoable().count()
    };
    Ok(StoreStatus {
        store: store.to_owned(),
        lease: lease(bucket, store).await?,
        unfinished: journal.unfinished.iter().map(unended).collect(),
        undo,
        remnants,
    })
}

/// The lease of `place`, by this machine's clock: who only reads cannot ask the server for its time.
async fn lease(bucket: &Bucket, place: &str) -> Result<Option<LeaseStatus>, StoreError> {
    let Some((holder, renewed)) = told_lease(bucket, place).await? else {
        return Ok(None);
    };
    let age = SystemTime::now()
        .duration_since(renewed)
        .unwrap_or_default();
    let is_dead = holder.as_ref().is_some_and(Holder::is_dead);
    let silent = || "a job that does not say who it is".to_owned();
    Ok(Some(LeaseStatus {
        holder: holder.map_or_else(silent, |holder| holder.to_string()),
        is_over: is_dead || age > LeaseTimes::of_this_run().over(),
        age_seconds: age.as_secs(),
    }))
}
