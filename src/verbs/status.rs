//! `status`: what goes on below a prefix, and what dead jobs left. Rank 0 reads ledgers, and writes nothing.
//!
//! Key types: [`Status`], what is asked; [`StatusReport`], of [`ArchiveStatus`] and [`StoreStatus`].

use std::time::{Duration, SystemTime};

use futures::{StreamExt, TryStreamExt, stream};
use msm_zarr::{Group, layout};
use serde::{Deserialize, Serialize};

use crate::commit::{
    Holder, LeaseTimes, PartResult, ShareState, SharedArchive, last_taker, read_journal, told_lease,
};
use crate::error::Error;
use crate::events::TransactionIdentity;
use crate::session::Session;
use crate::store::{Bucket, REQUESTS, Spot, StoreError, StoreLookup, read_store};
use crate::verbs::shared::abandoned::unended;
use crate::verbs::stores::named::{keys, stores};

/// Where it is looked.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// Where the stores are.
    pub spot: Spot,
}

/// What goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReport {
    /// Archives that jobs share in sending.
    pub archives: Vec<ArchiveStatus>,
    /// Stores with a lease, a journal or undo copies.
    pub stores: Vec<StoreStatus>,
}

/// An archive that jobs share in sending.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveStatus {
    /// Its stores.
    pub stores: Vec<String>,
    /// The job that shared it out, and when.
    pub by: String,
    /// Is it being abandoned?
    pub ending: bool,
    /// Its files.
    pub files: usize,
    /// Its steps, with those that the stores had before.
    pub steps: u64,
    /// The steps of it that readers see in all stores.
    pub visible: u64,
    /// How many parts it has.
    pub parts: usize,
    /// How many of them readers see.
    pub committed: usize,
    /// The others.
    pub open: Vec<PartStatus>,
}

/// A part that readers do not see yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartStatus {
    /// Its number, from 0.
    pub number: usize,
    /// Its first step in the archive, and the one behind its last.
    pub steps: (u64, u64),
    /// How far it is.
    pub state: PartState,
}

/// How far a part is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum PartState {
    /// No job is at it; one that was may have put some of its objects.
    Free {
        /// Objects that are put already.
        put: u64,
        /// Of so many; `None` if no job has begun it.
        of: Option<u64>,
    },
    /// A job is at it.
    Held {
        /// The job, and since when.
        holder: String,
        /// Objects that are put already.
        put: u64,
        /// Of so many; `None` if it has only just begun.
        of: Option<u64>,
    },
    /// Its job has died, or cannot reach the store.
    Dead {
        /// The job.
        holder: String,
        /// Objects that are put already.
        put: u64,
        /// Of so many.
        of: Option<u64>,
    },
    /// It is put, and waits for those before it.
    Done {
        /// By this job.
        by: String,
        /// Objects that are stored.
        objects: u64,
        /// Their bytes.
        bytes: u64,
    },
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
}

/// A lease as it lies in a ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseStatus {
    /// The job, and since when, if it says so.
    pub holder: String,
    /// When it was renewed last, by this machine's clock.
    pub age: Duration,
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
    let mut report = StatusReport::default();
    let mut seen: Vec<String> = Vec::new();
    for store in &all {
        if let Some(archive) = SharedArchive::of_store(bucket, store).await?
            && !seen.contains(&archive.id)
        {
            report.archives.push(of_archive(bucket, &archive).await?);
            seen.push(archive.id);
        }
    }
    let looked = stream::iter(&all).map(|store| of_store(bucket, store));
    let looked: Vec<StoreStatus> = looked.buffered(REQUESTS).try_collect().await?;
    let is_worth_telling = |store: &StoreStatus| {
        store.lease.is_some() || !store.unfinished.is_empty() || store.undo > 0
    };
    report.stores = looked.into_iter().filter(is_worth_telling).collect();
    Ok(report)
}

async fn of_store(bucket: &Bucket, store: &str) -> Result<StoreStatus, StoreError> {
    let journal = read_journal(bucket, store).await?;
    Ok(StoreStatus {
        store: store.to_owned(),
        lease: lease(bucket, store).await?,
        unfinished: journal.unfinished.iter().map(unended).collect(),
        undo: bucket.folder(&layout::undos(store)).await?.folders.len(),
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
        age,
    }))
}

async fn of_archive(bucket: &Bucket, archive: &SharedArchive) -> Result<ArchiveStatus, Error> {
    let parts = &archive.parts;
    let mut visible = parts.steps;
    for grows in &parts.stores {
        let found = read_store(bucket, &Group::whole(&grows.store), "").await?;
        let steps = match found {
            StoreLookup::Store(stored) => grown(&stored.arrays, &archive.append_dimension),
            StoreLookup::Nothing | StoreLookup::Remains(_) => 0,
        };
        visible = visible.min(grows.edge(steps).unwrap_or(parts.first));
    }
    let committed = parts.before(visible);
    let state = ShareState::of(bucket, archive).await?;
    let open = (committed..parts.len()).map(|number| of_part(bucket, archive, &state, number));
    let open = stream::iter(open).buffered(REQUESTS);
    Ok(ArchiveStatus {
        stores: archive.stores().to_vec(),
        by: archive.by.name.clone(),
        ending: archive.ending,
        files: archive.files.len(),
        steps: parts.steps,
        visible,
        parts: parts.len(),
        committed,
        open: open.try_collect().await?,
    })
}

async fn of_part(
    bucket: &Bucket,
    archive: &SharedArchive,
    state: &ShareState,
    number: usize,
) -> Result<PartStatus, StoreError> {
    let steps = archive.parts.steps_of(number);
    let state = if state.done.contains(&number) {
        let PartResult {
            by, objects, bytes, ..
        } = PartResult::read(bucket, archive, number).await?;
        let by = by.name;
        PartState::Done { by, objects, bytes }
    } else {
        let taker = if state.taken.contains(&number) {
            last_taker(bucket, archive, number).await?
        } else {
            None
        };
        let put = taker.as_ref().map_or(0, |(_, put)| *put);
        let of = taker.map(|(taker, _)| taker.objects);
        let lease = if state.leased.contains(&number) {
            lease(bucket, &layout::shared_part(archive.home(), number)).await?
        } else {
            None
        };
        match lease {
            None => PartState::Free { put, of },
            Some(LeaseStatus {
                holder,
                is_over: true,
                ..
            }) => PartState::Dead { holder, put, of },
            Some(LeaseStatus { holder, .. }) => PartState::Held { holder, put, of },
        }
    };
    Ok(PartStatus {
        number,
        steps: (steps.start, steps.end),
        state,
    })
}

/// The length of `arrays` along the append dimension.
fn grown(arrays: &[msm_zarr::StoredArray], dimension: &str) -> u64 {
    let lengths = arrays.iter().filter_map(|array| {
        let axis = array.dimensions.iter().position(|name| name == dimension)?;
        array.shape.get(axis).copied()
    });
    lengths.min().unwrap_or(0)
}
