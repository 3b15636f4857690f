//! The objects that a transaction removes go: those of which it keeps copies, or at least the names.

use std::collections::BTreeSet;

use futures::TryStreamExt;
use msm_zarr::layout;

use super::cleanup::{CleanupError, all, remove};
use crate::store::Bucket;

/// Removes what the transaction `id` removes of `store`, or puts what takes its place. However often it is interrupted, it
/// comes to the same end.
///
/// # Errors
/// With what could not be done.
pub(super) async fn clear(bucket: &Bucket, store: &str, id: &str) -> Result<(), CleanupError> {
    let below = |folder: &str, key: String| key.strip_prefix(folder).map(str::to_owned);
    let (copies, cuts) = (
        layout::undo_copies(store, id),
        layout::cut_objects(store, id),
    );
    let cut: BTreeSet<String> = bucket
        .list(&cuts)
        .await?
        .into_iter()
        .filter_map(|key| below(&cuts, key))
        .collect();
    let mut doomed = Vec::new();
    let mut removed = bucket.entries(&copies);
    while let Some(entry) = removed.try_next().await? {
        if let Some(below) = below(&copies, entry.key)
            && !cut.contains(&below)
        {
            doomed.push(format!("{store}{below}"));
        }
    }
    let puts = cut.iter().map(|below| async move {
        let (from, to) = (
            format!("{}{below}", layout::cut_objects(store, id)),
            format!("{store}{below}"),
        );
        match bucket.stat(&from).await? {
            Some(there) => bucket.copy_checked(&from, &there, &to, true).await,
            None => bucket.copy(&from, &to).await,
        }
    });
    let put = all(puts).await;
    CleanupError::together([put, remove(bucket, doomed).await])
}
