//! What is left of archives that jobs shared, as far as who only reads can tell.

use std::time::SystemTime;

use msm_zarr::layout;

use crate::commit::{Holder, LeaseTimes, SharedArchive, told_lease};
use crate::store::{Bucket, StoreError};

/// Has a job the lease of `store`, by this machine's clock? Who only reads cannot ask the server for its time.
///
/// # Errors
/// As the server says.
pub(in crate::verbs) async fn is_held(bucket: &Bucket, store: &str) -> Result<bool, StoreError> {
    let Some((holder, renewed)) = told_lease(bucket, store).await? else {
        return Ok(false);
    };
    let age = SystemTime::now().duration_since(renewed);
    let is_dead = holder.as_ref().is_some_and(Holder::is_dead);
    Ok(!is_dead && age.unwrap_or_default() < LeaseTimes::of_this_run().over())
}

/// The first of what the ledger of `store` has of an archive that is not shared out, and that no job is about to share out or to end.
///
/// # Errors
/// As the server says; of an archive that is damaged too.
pub(in crate::verbs) async fn remnant(
    bucket: &Bucket,
    store: &str,
) -> Result<Option<String>, StoreError> {
    if left(bucket, store).await?.is_none() || is_held(bucket, store).await? {
        return Ok(None);
    }
    // A job that was at it then, and is no more, has brought that to its end.
    left(bucket, store).await
}

async fn left(bucket: &Bucket, store: &str) -> Result<Option<String>, StoreError> {
    if SharedArchive::of_store(bucket, store).await?.is_some() {
        return Ok(None);
    }
    let share = layout::share(store);
    let mut left = bucket.list(&share).await?.into_iter();
    // A job that comes when all is done takes the lease of a part before it sees that.
    let leases = format!("{share}/{}/", layout::LEDGERS);
    Ok(left.find(|key| !key.starts_with(&leases)))
}
