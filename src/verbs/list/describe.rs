//! What one store is like: its arrays, and its size from the ledger or, without that, from a walk.

use std::collections::BTreeSet;

use futures::TryStreamExt;
use msm_zarr::{Group, StoreSnapshot, StoredArray, ZarrError};
use serde_json::Value;

use crate::commit::LastTransaction;
use crate::error::Error;
use crate::events::ReplacedStore;
use crate::store::{Bucket, ListedObject, StoreError, StoreLookup, read_store};
use crate::verbs::list::filter::{FilterVerdict, StoreFilter};
use crate::verbs::list::inventory::{StoreInfo, StoreState, TransactionInfo, VariableInfo};
use crate::verbs::list::time_range::time_range;
use crate::verbs::shared::in_hand::{in_hand, unfinished};
use crate::verbs::stores::shelf::coordinates;

/// Describes what lies at the place of `group`, the group itself and those below it; nothing, if nothing is there. Of what is not
/// asked for, only what the `filter` goes by.
///
/// # Errors
/// If the bucket cannot be read at all. A store that cannot be read is described as such.
pub(super) async fn describe(
    bucket: &Bucket,
    group: &Group,
    filter: &StoreFilter,
) -> Result<Vec<StoreInfo>, Error> {
    let stored = match read_store(bucket, &Group::whole(&group.store), "").await {
        Ok(StoreLookup::Store(stored)) => stored,
        found => {
            let info = of_group(bucket, group, found, 0, filter).await?;
            return Ok(info.into_iter().collect());
        }
    };
    let mut paths = stored.groups();
    paths.retain(|path| *path == group.path || group.is_above(path));
    let (mut infos, all) = (Vec::new(), paths.len());
    for path in paths {
        let group = Group {
            store: group.store.clone(),
            path,
        };
        let found = if group.path.is_empty() {
            Ok(StoreLookup::Store(stored.clone()))
        } else {
            read_store(bucket, &group, "").await
        };
        infos.extend(of_group(bucket, &group, found, all, filter).await?);
    }
    Ok(infos)
}

/// Describes an Icechunk repository.
pub(super) fn repository(key: &str) -> StoreInfo {
    let mut info = nothing(key);
    info.state = StoreState::Icechunk;
    info.problem = Some("only Icechunk reads and writes it; it is left as it is".to_owned());
    info
}

pub(super) fn nothing(key: &str) -> StoreInfo {
    StoreInfo {
        store: key.to_owned(),
        state: StoreState::Whole,
        problem: None,
        zarr_format: None,
        variables: Vec::new(),
        time: None,
        objects: None,
        stored_bytes: None,
        decoded_bytes: None,
        last_transaction: None,
        being_replaced: None,
    }
}

/// Describes a store that is being replaced, with the variables of what is to take its place.
///
/// # Errors
/// If the bucket cannot be read at all.
pub(super) async fn being_replaced(
    bucket: &Bucket,
    replaced: ReplacedStore,
) -> Result<StoreInfo, Error> {
    let mut info = nothing(&replaced.store);
    let made = Group::whole(&replaced.made);
    for made in describe(bucket, &made, &StoreFilter::default()).await? {
        info.zarr_format = made.zarr_format;
        info.variables.extend(made.variables);
    }
    info.state = StoreState::Unfinished;
    info.problem = Some(replaced.to_string());
    info.being_replaced = Some(replaced);
    Ok(info)
}

/// Describes `group`, which was `found` so; `None` if it is nothing, or one of `all` groups that has no arrays of its own.
async fn of_group(
    bucket: &Bucket,
    group: &Group,
    found: Result<StoreLookup, StoreError>,
    all: usize,
    filter: &StoreFilter,
) -> Result<Option<StoreInfo>, Error> {
    let mut info = nothing(&group.key());
    let found = async {
        match found? {
            StoreLookup::Nothing => return Ok(false),
            StoreLookup::Remains(_) => {
                info.state = StoreState::Unfinished;
                // Where the ledger cannot be read, it is unfinished all the same; status tells why.
                let in_hand = in_hand(bucket, &group.store).await.ok().flatten();
                let rootless = || "no reader sees it: it has no root document".to_owned();
                info.problem = Some(in_hand.unwrap_or_else(rootless));
                if filter.verdict(&info) == FilterVerdict::Fits {
                    walk(bucket, &mut info).await?;
                }
            }
            StoreLookup::Store(stored) if stored.arrays.is_empty() && all > 1 => return Ok(false),
            StoreLookup::Store(stored) => whole(bucket, &stored, &mut info, filter).await?,
        }
        Ok(true)
    };
    let (state, problem) = match found.await {
        Ok(there) => return Ok(there.then_some(info)),
        // That is not of this store.
        Err(
            error @ (StoreError::Unreachable { .. }
            | StoreError::Untrusted { .. }
            | StoreError::NoBucket { .. }
            | StoreError::Credentials { .. }
            | StoreError::NoCredentials),
        ) => return Err(error.into()),
        Err(StoreError::Repository { .. }) => return Ok(Some(repository(&group.key()))),
        Err(StoreError::Zarr(ZarrError::Foreign { problem, .. })) => {
            match unfinished(bucket, &group.store).await {
                Some(in_hand) => (StoreState::Unfinished, in_hand),
                None => (StoreState::Broken, problem),
            }
        }
        Err(denied @ StoreError::Denied { .. }) => (StoreState::Denied, denied.to_string()),
        Err(other) => (StoreState::Broken, other.to_string()),
    };
    info.state = state;
    info.problem = Some(problem);
    Ok(Some(info))
}

async fn whole(
    bucket: &Bucket,
    stored: &StoreSnapshot,
    info: &mut StoreInfo,
    filter: &StoreFilter,
) -> Result<(), StoreError> {
    let formats = stored
        .arrays
        .iter()
        .map(|a| a.document["zarr_format"].as_u64());
    info.zarr_format = formats.flatten().next();
    let coordinates = coordinates(&stored.arrays, &info.store);
    let described = stored
        .arrays
        .iter()
        .map(|array| variable(array, &coordinates));
    info.variables = described.collect();
    info.variables
        .sort_by(|a, b| (a.coordinate, &a.name).cmp(&(b.coordinate, &b.name)));
    info.decoded_bytes = info
        .variables
        .iter()
        .try_fold(0u64, |all, v| all.checked_add(v.decoded_bytes?));
    // What the ledger tells is of the whole store.
    let last = match stored.nested {
        None => LastTransaction::read(bucket, &info.store, &stored.root).await?,
        Some(_) => None,
    };
    if let Some((last, time)) = last {
        info.objects = last.objects;
        info.stored_bytes = last.stored_bytes;
        info.last_transaction = Some(TransactionInfo {
            number: last.transaction,
            command: last.command,
            steps: last.steps,
            time,
        });
    }
    if filter.verdict(info) != FilterVerdict::Fits {
        return Ok(());
    }
    info.time = time_range(bucket, &info.store, &stored.arrays).await?;
    if info.stored_bytes.is_none() || info.objects.is_none() {
        walk(bucket, info).await?;
    }
    Ok(())
}

/// Counts the store's objects one by one.
async fn walk(bucket: &Bucket, info: &mut StoreInfo) -> Result<(), StoreError> {
    let count = |(objects, bytes), entry: ListedObject| {
        std::future::ready(Ok((objects + 1, bytes + entry.bytes)))
    };
    let (objects, bytes) = bucket.entries(&info.store).try_fold((0, 0), count).await?;
    info.objects = Some(objects);
    info.stored_bytes = Some(bytes);
    Ok(())
}

/// What there is to say of an array, which may be one of the `coordinates`.
pub(in crate::verbs) fn variable(
    array: &StoredArray,
    coordinates: &BTreeSet<String>,
) -> VariableInfo {
    let document = &array.document;
    let (chunks, shards, codecs) = layers(document);
    let decoded = array.dtype.as_ref().ok().and_then(|dtype| {
        let mut shape = array.shape.iter();
        shape.try_fold(dtype.size() as u64, |all, length| all.checked_mul(*length))
    });
    VariableInfo {
        name: array.name.clone(),
        coordinate: coordinates.contains(&array.name),
        dtype: match &array.dtype {
            Ok(dtype) => dtype.zarr_name().to_owned(),
            Err(name) => name.clone(),
        },
        dimensions: array.dimensions.clone(),
        shape: array.shape.clone(),
        chunks: chunks.unwrap_or_else(|| array.chunk.clone()),
        shards: shards.then(|| array.chunk.clone()),
        codecs,
        decoded_bytes: decoded,
    }
}

/// The chunk shape if it is not that of an object, whether objects are shards, and the codecs.
fn layers(document: &Value) -> (Option<Vec<u64>>, bool, Vec<Value>) {
    let codecs = document["codecs"].as_array().cloned().unwrap_or_default();
    if let Some(shard) = codecs
        .iter()
        .find(|codec| codec["name"] == "sharding_indexed")
    {
        let inner = &shard["configuration"];
        let chunks = inner["chunk_shape"].as_array();
        let chunks = chunks.map(|sizes| sizes.iter().filter_map(Value::as_u64).collect());
        let codecs = inner["codecs"].as_array().cloned().unwrap_or_default();
        return (chunks, true, codecs);
    }
    // A v2 document has filters and a compressor instead, each may be null.
    let filters = document["filters"].as_array().cloned().unwrap_or_default();
    let compressor = Some(document["compressor"].clone()).filter(Value::is_object);
    let codecs = codecs.into_iter().chain(filters).chain(compressor);
    (None, false, codecs.collect())
}
