//! Whether stores stay as they are while it is told what a command would do to them: a job that is at one changes it, and what a dead one
//! left is healed before anything else.
//!
//! Key function: [`can_be_foretold`].

use futures::{StreamExt, TryStreamExt, future, stream};

use crate::commit::{LeaseTimes, UnfinishedWork, live_lease};
use crate::error::Error;
use crate::store::{Bucket, REQUESTS};
use crate::verbs::shared::abandoned::{journals, unended};
use crate::verbs::shared::error::WritingError;
use crate::verbs::shared::hold::none_shared;
use crate::verbs::stores::error::StoresError;
use crate::verbs::stores::replaced::replacement;

/// Checks that what a command would do to `stores` can be told, as they are now.
///
/// # Errors
/// If a job is at one of them, or has left it as it died; or an archive is being sent into it by many.
pub(in crate::verbs) async fn can_be_foretold(
    bucket: &Bucket,
    stores: &[String],
) -> Result<(), Error> {
    all_ended(bucket, stores).await?;
    are_free(bucket, stores).await
}

/// Checks that no job is at `stores`.
///
/// # Errors
/// Of each that is held; or if an archive is being sent into it by many.
pub(in crate::verbs) async fn are_free(bucket: &Bucket, stores: &[String]) -> Result<(), Error> {
    let (held, shared) = future::join(none_held(bucket, stores), none_shared(bucket, stores)).await;
    held.and(shared)
}

/// Checks that every transaction in `stores` has ended.
///
/// # Errors
/// If a store is being replaced; or of each that has not.
pub(in crate::verbs) async fn all_ended(bucket: &Bucket, stores: &[String]) -> Result<(), Error> {
    let left = journals(bucket, stores).await?;
    for (store, found) in &left {
        if found.unfinished.iter().any(UnfinishedWork::is_delete)
            && let Some(replaced) = replacement(bucket, store).await?
        {
            return Err(StoresError::BeingReplaced(replaced).into());
        }
    }
    Error::together(left.iter().flat_map(|(store, found)| {
        let unfinished = found.unfinished.iter();
        unfinished.map(|one| WritingError::Unended {
            store: store.clone(),
            transaction: unended(one),
        })
    }))
}

/// Checks that no job holds any of `stores`, by this machine's clock: who writes nothing cannot ask the server for its time.
///
/// # Errors
/// Of each that is held.
pub(in crate::verbs) async fn none_held(bucket: &Bucket, stores: &[String]) -> Result<(), Error> {
    let leases = stores.iter().map(|store| async move {
        let lease = live_lease(bucket, store, None, LeaseTimes::of_this_run()).await?;
        Ok::<_, Error>(lease.map(|lease| WritingError::Held {
            store: store.clone(),
            holder: lease.to_string(),
        }))
    });
    let held: Vec<Option<WritingError>> = stream::iter(leases)
        .buffered(REQUESTS)
        .try_collect()
        .await?;
    Error::together(held.into_iter().flatten())
}
