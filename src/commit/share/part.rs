//! A part of a shared archive, as the ledgers tell of it: who took it, what was put of it, and that it is done.
//!
//! Key types: [`PartTaker`], [`PartResult`].

use futures::{StreamExt, TryStreamExt, stream};
use msm_plan::Plan;
use msm_zarr::layout;
use serde::{Deserialize, Serialize};

use super::archive::{SharedArchive, remove_all};
use crate::commit::journal::{Writer, put_json};
use crate::commit::object_record::ObjectRecord;
use crate::commit::parts::read_records;
use crate::commit::transaction_id::token;
use crate::store::{Bucket, REQUESTS, StoreError};
use crate::transfer::{ChunkRecord, PartOrders};

/// The version of the form.
const FORMAT: u32 = 1;

/// A job that took a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartTaker {
    format: u32,
    /// The job.
    pub by: Writer,
    /// When, by its clock (UTC).
    pub since: String,
    /// Objects of the part, stored or not.
    pub objects: u64,
}

/// A part all of whose objects are put and verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartResult {
    format: u32,
    /// What the records of the job that did it are called.
    pub taker: String,
    /// That job.
    pub by: Writer,
    /// Objects that are stored.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Has a job taken the part `number` before?
///
/// # Errors
/// As the server says.
pub(crate) async fn taken_before(
    bucket: &Bucket,
    archive: &SharedArchive,
    number: usize,
) -> Result<bool, StoreError> {
    let folder = layout::part_takers(archive.home(), number);
    Ok(!bucket.list(&folder).await?.is_empty())
}

/// Notes that the job `by`, which holds its lease, takes the part `number`, which has so many `objects`.
///
/// # Errors
/// As the server says.
pub(crate) async fn take_part(
    bucket: &Bucket,
    archive: &SharedArchive,
    number: usize,
    by: &Writer,
    objects: u64,
) -> Result<PartOrders, StoreError> {
    let taker = token();
    let now = humantime::format_rfc3339_seconds(std::time::SystemTime::now());
    let told = PartTaker {
        format: FORMAT,
        by: by.clone(),
        since: now.to_string(),
        objects,
    };
    let folder = layout::part_takers(archive.home(), number);
    put_json(bucket, &format!("{folder}/{taker}"), &told).await?;
    Ok(PartOrders { number, taker })
}

/// The last job that took the part `number`, and how many objects of it have been put; `None` if none took it.
///
/// # Errors
/// As the server says, or if what is told cannot be read.
pub(crate) async fn last_taker(
    bucket: &Bucket,
    archive: &SharedArchive,
    number: usize,
) -> Result<Option<(PartTaker, u64)>, StoreError> {
    let takers = bucket
        .list_dated(&layout::part_takers(archive.home(), number))
        .await?;
    let Some((key, _)) = takers.into_iter().max_by_key(|(_, put)| *put) else {
        return Ok(None);
    };
    let read: Result<PartTaker, _> = serde_json::from_slice(&bucket.get(&key).await?);
    let taker = read.map_err(|cause| StoreError::Journal {
        key,
        cause: cause.to_string(),
    })?;
    let mut put = 0;
    for store in archive.stores() {
        for key in bucket.list(&layout::part_progress(store, number)).await? {
            let part = ObjectRecord::read(&bucket.get(&key).await?);
            put += part
                .map_err(|cause| StoreError::Journal { key, cause })?
                .len() as u64;
        }
    }
    Ok(Some((taker, put)))
}

/// What jobs have put already of the part `number`, which `plan` is of.
///
/// # Errors
/// As the server says.
pub(crate) async fn part_records(
    bucket: &Bucket,
    plan: &Plan,
    folder: impl Fn(&str) -> String,
) -> Result<Vec<ChunkRecord>, StoreError> {
    let stores = plan.stores.iter().enumerate();
    let read = stores.map(|(index, store)| {
        let folder = folder(&store.key);
        async move { read_records(bucket, plan, index, &folder).await }
    });
    let read: Vec<Vec<ChunkRecord>> = stream::iter(read).buffered(REQUESTS).try_collect().await?;
    Ok(read.into_iter().flatten().collect())
}

impl PartResult {
    /// Says that the part that these `orders` are for is done.
    ///
    /// # Errors
    /// As the server says.
    pub(crate) async fn put(
        bucket: &Bucket,
        archive: &SharedArchive,
        orders: &PartOrders,
        by: &Writer,
        (objects, bytes): (u64, u64),
    ) -> Result<(), StoreError> {
        let result = Self {
            format: FORMAT,
            taker: orders.taker.clone(),
            by: by.clone(),
            objects,
            bytes,
        };
        let key = layout::part_done(archive.home(), orders.number);
        put_json(bucket, &key, &result).await
    }

    /// What is said of the part `number`.
    ///
    /// # Errors
    /// As the server says, or if it cannot be read.
    pub(crate) async fn read(
        bucket: &Bucket,
        archive: &SharedArchive,
        number: usize,
    ) -> Result<Self, StoreError> {
        let key = layout::part_done(archive.home(), number);
        let read = serde_json::from_slice(&bucket.get(&key).await?);
        let result: Result<Self, String> = read.map_err(|cause| cause.to_string());
        result
            .and_then(|result| {
                let is_token = result.taker.bytes().all(|byte| byte.is_ascii_hexdigit());
                match result.format {
                    FORMAT if is_token => Ok(result),
                    FORMAT => Err(format!("it names '{}', which is no job's", result.taker)),
                    other => Err(format!("format {other}, expected {FORMAT}")),
                }
            })
            .map_err(|cause| StoreError::Journal { key, cause })
    }
}

/// Removes what the ledgers tell of the part `number`: it is committed, or nobody's again.
///
/// # Errors
/// As the server says.
pub(crate) async fn end_part(
    bucket: &Bucket,
    archive: &SharedArchive,
    number: usize,
) -> Result<(), StoreError> {
    // First what says that it is done: without records, it would be believed.
    let done = layout::part_done(archive.home(), number);
    bucket.delete(&done).await?;
    for store in archive.stores() {
        remove_all(bucket, &layout::shared_part(store, number)).await?;
    }
    Ok(())
}
