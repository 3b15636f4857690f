//! Chunk records in the ledger, in parts: a rank's share of the manifest, and what it has put so far.

use std::collections::{BTreeMap, HashMap};
use std::iter;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use msm_plan::{Plan, TargetArray};
use msm_zarr::layout;

use super::object_record::ObjectRecord;
use super::put::{put_and_read_back, reads_back};
use super::transaction_id::token;
use crate::store::{Bucket, REQUESTS, StoreError, StoredDigest};
use crate::transfer::{ChunkRecord, ChunkRecords, Content, Orders};

/// Records of one part.
const PART: usize = 20_000;
/// Parts of that size on their way at a time: each is some megabytes of text.
const FULL_PARTS: usize = 4;
/// Bytes that no object has.
const MOST_BYTES: u64 = 1 << 43;

/// Objects of manifests that were put, and not read back yet.
#[derive(Default)]
#[must_use]
pub(crate) struct ToldManifest(Vec<(String, Bytes)>);

impl ToldManifest {
    /// Makes sure that they are there.
    ///
    /// # Errors
    /// As the server says, or if one does not read back as it was sent.
    pub(crate) async fn is_there(&self, bucket: &Bucket) -> Result<(), StoreError> {
        let looks = self.0.iter().map(|(key, text)| async move {
            if reads_back(bucket, key, text).await {
                return Ok(());
            }
            put_and_read_back(bucket, key, text.clone()).await
        });
        let looks = stream::iter(looks).buffer_unordered(REQUESTS);
        looks.try_collect().await
    }
}

/// Puts a rank's `records` into the manifest of each store that the `orders` are for. `part` is a name that nobody else gives.
///
/// # Errors
/// As the server says.
pub(crate) async fn tell_manifest(
    bucket: &Bucket,
    orders: &Orders,
    part: &str,
    records: &ChunkRecords,
) -> Result<ToldManifest, StoreError> {
    let plan = &orders.plan;
    let folders = orders.manifests();
    // What has no place there is nobody's.
    let folders = folders.iter().enumerate();
    let folders = folders.filter_map(|(store, folder)| Some((store, folder.as_ref()?)));
    let is_much = folders
        .clone()
        .any(|(store, _)| records.count(store) > PART);
    let parts = folders.flat_map(|(store, folder)| {
        let mut records = records.of_store(store);
        let kept = |record: ChunkRecord| ObjectRecord {
            array: plan.arrays[record.array].name.clone(),
            chunk: record.chunk,
            content: record.content,
        };
        let parts = iter::from_fn(move || {
            let part: Vec<ObjectRecord> = records.by_ref().take(PART).map(kept).collect();
            (!part.is_empty()).then_some(part)
        });
        let parts = parts.enumerate();
        parts.map(move |(number, records)| written(&format!("{folder}/{part}"), number, records))
    });
    if is_much {
        // Nobody has room for all of their text: they are read back as they are put.
        put_all(bucket, parts, FULL_PARTS, true).await?;
        return Ok(ToldManifest::default());
    }
    let parts: Vec<(String, Bytes)> = parts.collect::<Result<_, _>>()?;
    put_all(bucket, parts.iter().cloned().map(Ok), REQUESTS, false).await?;
    Ok(ToldManifest(parts))
}

/// Puts a rank's `records` into the journal, for each store into its one of `folders`: what need not be put again, should another
/// go on with it.
///
/// # Errors
/// As the server says.
pub(crate) async fn put_progress(
    bucket: &Bucket,
    plan: &Plan,
    folders: &[Option<String>],
    records: &[ChunkRecord],
) -> Result<(), StoreError> {
    let token = token();
    let mut by_store: BTreeMap<usize, Vec<ObjectRecord>> = BTreeMap::new();
    for record in records {
        let kept = ObjectRecord {
            array: plan.arrays[record.array].name.clone(),
            chunk: record.chunk.clone(),
            content: record.content,
        };
        by_store.entry(record.store).or_default().push(kept);
    }
    let parts = by_store.into_iter().filter_map(|(store, records)| {
        let folder = folders.get(store)?.as_ref()?;
        Some(all_written(format!("{folder}/{token}"), records))
    });
    // One that is lost costs the time to put its objects again.
    put_all(bucket, parts.flatten(), REQUESTS, false).await
}

/// Puts `records` into the manifest of the transaction `id` of `store`, as the part `part`.
///
/// # Errors
/// As the server says.
pub(super) async fn put_records(
    bucket: &Bucket,
    store: &str,
    id: &str,
    part: &str,
    records: &[ObjectRecord],
) -> Result<(), StoreError> {
    let part = format!("{}/{part}", layout::manifest(store, id));
    let parts = all_written(part, records.to_vec());
    put_all(bucket, parts, REQUESTS, true).await
}

/// `records` as objects whose keys begin with `part`.
fn all_written(
    part: String,
    records: Vec<ObjectRecord>,
) -> impl Iterator<Item = Result<(String, Bytes), StoreError>> {
    let mut records = records.into_iter();
    let parts = iter::from_fn(move || {
        let part: Vec<ObjectRecord> = records.by_ref().take(PART).collect();
        (!part.is_empty()).then_some(part)
    });
    let parts = parts.enumerate();
    parts.map(move |(number, records)| written(&part, number, records))
}

/// `records` as the object `number` of those whose keys begin with `part`.
fn written(
    part: &str,
    number: usize,
    records: Vec<ObjectRecord>,
) -> Result<(String, Bytes), StoreError> {
    let key = format!("{part}-{number}");
    match ObjectRecord::write(records) {
        Ok(text) => Ok((key, text.into())),
        Err(cause) => Err(StoreError::Journal {
            key,
            cause: cause.to_string(),
        }),
    }
}

/// Puts `parts`, so many at a time, each written when its turn comes.
async fn put_all(
    bucket: &Bucket,
    parts: impl Iterator<Item = Result<(String, Bytes), StoreError>>,
    at_once: usize,
    read_back: bool,
) -> Result<(), StoreError> {
    let puts = parts.map(|part| async move {
        let (key, text) = part?;
        if read_back {
            put_and_read_back(bucket, &key, text).await
        } else {
            bucket.put(&key, text).await.map(|_| ())
        }
    });
    let puts = stream::iter(puts).buffer_unordered(at_once);
    puts.try_collect().await
}

/// What the transaction `id`, which is resumed, has put into the plan's store `store` already, and the undo copies it made
/// there, by key, with their sizes.
///
/// # Errors
/// As the server says, or if a part cannot be read.
pub(crate) async fn read_progress(
    bucket: &Bucket,
    plan: &Plan,
    store: usize,
    id: &str,
) -> Result<(Vec<ChunkRecord>, BTreeMap<String, u64>), StoreError> {
    let name = &plan.stores[store].key;
    let copies = bucket.entries(&layout::undo_copies(name, id));
    let copies = copies.map_ok(|copy| (copy.key, copy.bytes));
    let saved: BTreeMap<String, u64> = copies.try_collect().await?;
    let records = read_records(bucket, plan, store, &layout::progress(name, id)).await?;
    Ok((records, saved))
}

/// The records in `folder` of objects that the plan's store `store` can have.
///
/// # Errors
/// As the server says, or if a part cannot be read.
pub(crate) async fn read_records(
    bucket: &Bucket,
    plan: &Plan,
    store: usize,
    folder: &str,
) -> Result<Vec<ChunkRecord>, StoreError> {
    let arrays: HashMap<&str, usize> = plan
        .arrays
        .iter()
        .enumerate()
        .filter(|(_, array)| array.stores.contains(&store))
        .map(|(index, array)| (array.name.as_str(), index))
        .collect();
    let mut records = Vec::new();
    for key in bucket.list(folder).await? {
        let part = ObjectRecord::read(&bucket.get(&key).await?);
        let part = part.map_err(|cause| StoreError::Journal { key, cause })?;
        for kept in part {
            let Some(&array) = arrays.get(kept.array.as_str()) else {
                continue;
            };
            // Of anything else, the object is put again.
            if !is_credible(&plan.arrays[array], &kept) {
                continue;
            }
            records.push(ChunkRecord {
                array,
                store,
                chunk: kept.chunk,
                content: kept.content,
                replaced: 0,
            });
        }
    }
    Ok(records)
}

/// Can `array` have an object of which this was said?
fn is_credible(array: &TargetArray, kept: &ObjectRecord) -> bool {
    let grid = array.shape.iter().zip(&array.chunk);
    let mut inside = kept.chunk.iter().zip(grid);
    let is_small = match kept.content {
        Content::Stored { bytes, .. } => bytes <= MOST_BYTES,
        Content::Empty => true,
    };
    is_small
        && kept.chunk.len() == array.shape.len()
        && inside.all(|(&index, (&length, &size))| index < length.div_ceil(size))
}

/// Does the object `key` have this content, bit for bit?
pub(crate) async fn holds(bucket: &Bucket, key: &str, content: Content) -> bool {
    match (bucket.get(key).await, content) {
        (
            Ok(found),
            Content::Stored {
                bytes,
                stored_crc32c,
                ..
            },
        ) => found.len() as u64 == bytes && StoredDigest::is_of(stored_crc32c, &found),
        (Err(error), Content::Empty) => error.is_missing(),
        _ => false,
    }
}
