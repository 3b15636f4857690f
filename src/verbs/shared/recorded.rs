//! What manifests say of the objects of a store that is read by this program itself.

use msm_plan::Plan;

use crate::commit::{
    LastTransaction, ManifestRecords, UnfinishedWork, read_journal, read_manifests,
};
use crate::store::{Bucket, StoreError};
use crate::transfer::SourceRecord;

/// What the manifests of `store`, whose root document is `root`, say of its objects; `None` where another program has written it, too, or one
/// of them cannot be read: then they say nothing sure.
///
/// # Errors
/// As the server says.
pub(in crate::verbs) async fn sure_records(
    bucket: &Bucket,
    store: &str,
    root: &str,
) -> Result<Option<ManifestRecords>, StoreError> {
    let last = LastTransaction::of_store(bucket, store).await?;
    let root = crc32c::crc32c(root.as_bytes());
    if last.is_none_or(|last| last.root_crc32c != root) {
        return Ok(None);
    }
    let records = read_manifests(bucket, store).await?;
    Ok(records.damaged.is_empty().then_some(records))
}

/// The same of a store that others may be writing: without what jobs have in hand, or have left so, which may be anything. `None`, too, where
/// the ledger may not be read, or is damaged.
///
/// # Errors
/// As the server says.
pub(in crate::verbs) async fn records_at_rest(
    bucket: &Bucket,
    store: &str,
    root: &str,
) -> Result<Option<ManifestRecords>, StoreError> {
    match at_rest(bucket, store, root).await {
        Err(StoreError::Denied { .. } | StoreError::Zarr(_) | StoreError::Journal { .. }) => {
            Ok(None)
        }
        read => read,
    }
}

async fn at_rest(
    bucket: &Bucket,
    store: &str,
    root: &str,
) -> Result<Option<ManifestRecords>, StoreError> {
    // In this order: what is committed in between, the manifests tell.
    let journal = read_journal(bucket, store).await?;
    let Some(mut records) = sure_records(bucket, store, root).await? else {
        return Ok(None);
    };
    for work in &journal.unfinished {
        let UnfinishedWork::Transaction(transaction) = work else {
            return Ok(None);
        };
        let entry = &transaction.entry;
        if entry.removes || entry.moves {
            return Ok(None);
        }
        for array in entry.arrays.iter().chain(&entry.parts) {
            if let Some(objects) = records.objects.get_mut(&array.name) {
                objects.retain(|chunk, _| !array.is_written(chunk));
            }
        }
    }
    Ok(Some(records))
}

/// The same of what `plan` moves in stores.
///
/// # Errors
/// As the server says.
pub(in crate::verbs) async fn moved_records(
    bucket: &Bucket,
    plan: &Plan,
) -> Result<Vec<SourceRecord>, StoreError> {
    let mut all = Vec::new();
    for (index, store) in plan.stores.iter().enumerate() {
        let arrays = plan.arrays.iter().enumerate();
        let mut moved = arrays
            .filter(|(_, array)| array.moves_steps() && array.stores.contains(&index))
            .peekable();
        let (Some(root), Some(_)) = (&store.old_root, moved.peek()) else {
            continue;
        };
        let Some(mut records) = sure_records(bucket, &store.key, root).await? else {
            continue;
        };
        for (array, moved) in moved {
            let of_array = records.objects.remove(&moved.name).unwrap_or_default();
            let first = moved.append.as_ref().and_then(|append| {
                let stays = append.moves.first()?.from;
                Some((append.axis, stays / moved.chunk[append.axis]))
            });
            let is_read =
                |chunk: &[u64]| first.is_some_and(|(axis, first)| chunk.get(axis) >= Some(&first));
            let read = of_array.into_iter().filter(|(chunk, _)| is_read(chunk));
            all.extend(read.map(|(chunk, content)| SourceRecord {
                array,
                chunk: chunk.into_vec(),
                content,
            }));
        }
    }
    Ok(all)
}
