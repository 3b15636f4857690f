//! How far an archive is that jobs share in sending.
//!
//! Key types: [`ArchiveStatus`], [`PartStatus`].

use futures::{StreamExt, TryStreamExt, stream};
use msm_zarr::{Group, layout};
use serde::{Deserialize, Serialize};

use super::{LeaseStatus, lease};
use crate::commit::{PartResult, ShareState, SharedArchive, last_taker};
use crate::store::{Bucket, REQUESTS, StoreError};

/// Looks so often, while jobs end what is being looked at.
const TRIES: usize = 10;

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
    /// Its job has died, or is stopped, or cannot reach the store.
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
    /// What tells of it cannot be read: any job puts it again.
    Damaged {
        /// Why not.
        cause: String,
    },
}

/// How far the archive is that is shared out to `store`, with what tells archives apart; `None` if none is.
///
/// # Errors
/// As the server says, or if what is told of it cannot be read.
pub(super) async fn archive(
    bucket: &Bucket,
    store: &str,
    seen: &[String],
) -> Result<Option<(String, ArchiveStatus)>, StoreError> {
    let mut tries = 0;
    loop {
        let archive = SharedArchive::of_store(bucket, store).await?;
        let Some(archive) = archive.filter(|archive| !seen.contains(&archive.id)) else {
            return Ok(None);
        };
        tries += 1;
        match of_archive(bucket, &archive).await {
            Ok(status) => return Ok(Some((archive.id, status))),
            // A job has committed it meanwhile.
            Err(error) if error.is_missing() && tries < TRIES => {}
            Err(error) => return Err(error),
        }
    }
}

async fn of_archive(bucket: &Bucket, archive: &SharedArchive) -> Result<ArchiveStatus, StoreError> {
    let parts = &archive.parts;
    let mut visible = parts.steps;
    for grows in &parts.stores {
        let group = Group::whole(&grows.store);
        let steps = archive.visible(bucket, &group, grows.held).await?;
        visible = visible.min(grows.edge(steps).unwrap_or_default());
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
    let state = match part_state(bucket, archive, state, number).await {
        Err(StoreError::Journal { key, cause }) => PartState::Damaged {
            cause: format!("{key}: {cause}"),
        },
        state => state?,
    };
    Ok(PartStatus {
        number,
        steps: (steps.start, steps.end),
        state,
    })
}

async fn part_state(
    bucket: &Bucket,
    archive: &SharedArchive,
    state: &ShareState,
    number: usize,
) -> Result<PartState, StoreError> {
    if state.done.contains(&number) {
        let PartResult {
            by, objects, bytes, ..
        } = PartResult::read(bucket, archive, number).await?;
        let by = by.name;
        return Ok(PartState::Done { by, objects, bytes });
    }
    let taker = if state.taken.contains(&number) {
        last_taker(bucket, archive, number).await?
    } else {
        None
    };
    let put = taker.as_ref().map_or(0, |(_, put)| *put);
    let of = taker.map(|(taker, _)| taker.objects);
    let lease = if state.leased.contains_key(&number) {
        lease(bucket, &layout::shared_part(archive.home(), number)).await?
    } else {
        None
    };
    Ok(match lease {
        None => PartState::Free { put, of },
        Some(LeaseStatus {
            holder,
            is_over: true,
            ..
        }) => PartState::Dead { holder, put, of },
        Some(LeaseStatus { holder, .. }) => PartState::Held { holder, put, of },
    })
}
