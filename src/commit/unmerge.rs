//! What was merged, in objects of its own again, for a rollback: it undoes transactions one by one.
//!
//! Key function: [`unmerge`].

use futures::{StreamExt, TryStreamExt, stream};
use msm_zarr::layout;

use super::committed::LedgerListing;
use super::merged::{MergedTransaction, put_merged};
use super::put::put_and_read_back;
use crate::store::{Bucket, REQUESTS, StoreError};

/// Gives the committed transactions of `store` from `first` on, which will be undone, objects of their own again. What came before them in
/// the same merged object gets another one, which counts when that has gone with the last of its transactions.
///
/// # Errors
/// As the server says, or if a merged object cannot be read. The ledger says then what it said.
pub(crate) async fn unmerge(bucket: &Bucket, store: &str, first: &str) -> Result<(), StoreError> {
    let listing = LedgerListing::of(bucket, store).await?;
    for merged in listing.in_force() {
        if merged.last.as_str() < first {
            continue;
        }
        let all = merged.read_whole(bucket).await?;
        let (rest, undone) = all.split_at(all.partition_point(|one| one.id.as_str() < first));
        let (mut records, mut others) = (Vec::new(), Vec::new());
        if let Some(MergedTransaction { id, record, .. }) = rest.last() {
            records.push((layout::transaction(store, id), record.clone()));
        }
        for one in undone {
            let mut objects = one.objects(store);
            records.extend(objects.pop());
            others.extend(objects);
        }
        // So that nothing lies there which is of no transaction that has a record.
        put_all(bucket, records).await?;
        put_all(bucket, others).await?;
        put_merged(bucket, store, rest).await?;
    }
    Ok(())
}

async fn put_all(bucket: &Bucket, objects: Vec<(String, String)>) -> Result<(), StoreError> {
    let puts = objects
        .into_iter()
        .map(|(key, text)| async move { put_and_read_back(bucket, &key, text.into()).await });
    stream::iter(puts)
        .buffer_unordered(REQUESTS)
        .try_collect()
        .await
}
