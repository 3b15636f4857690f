//! Stores that are replaced by what is made of them, which waits in a folder of its own while the old ones are deleted.
//!
//! Key functions: [`replacement`], [`is_waiting`], [`check_not_replaced`].

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use msm_zarr::layout;

use crate::commit::{CommandRun, LastTransaction, LeaseTimes, live_lease};
use crate::error::Error;
use crate::events::ReplacedStore;
use crate::store::{Bucket, REQUESTS, StoreError};
use crate::verbs::stores::error::StoresError;
use crate::verbs::stores::place::is_taken;

/// What the ledger calls the command that makes them.
pub(crate) const REPLACING: &str = "rechunk --replace";

/// Where in the bucket stores lie that are about to replace others, each by its key.
pub(in crate::verbs) const MADE: &str = "being-rechunked";

/// Where what will replace `store` is made.
pub(in crate::verbs) fn beside(store: &str) -> String {
    match store {
        "" => MADE.to_owned(),
        store => layout::below(MADE, store),
    }
}

/// The key of the store that what lies at `made` is to replace, if it lies where that is made.
pub(in crate::verbs) fn replaced_by(made: &str) -> Option<&str> {
    made.strip_prefix(MADE)?.strip_prefix('/')
}

/// What is to replace `store`, which is gone, or is being deleted for that; `None` if nothing is.
pub(in crate::verbs) async fn replacement(
    bucket: &Bucket,
    store: &str,
) -> Result<Option<ReplacedStore>, Error> {
    let made = beside(store);
    let Some(last) = waits(bucket, &made).await? else {
        return Ok(None);
    };
    // What is being deleted, or copied, is nobody's store.
    if is_taken(bucket, store).await? {
        return Ok(None);
    }
    let lease = live_lease(bucket, store, None, LeaseTimes::of_this_run()).await?;
    let lease = lease.filter(|lease| {
        let holder = lease.holder.as_ref();
        holder.is_some_and(|holder| holder.command == REPLACING)
    });
    Ok(Some(ReplacedStore {
        store: store.to_owned(),
        made,
        by: last.run.map(shown),
        holder: lease.map(|lease| lease.to_string()),
    }))
}

/// Who ran it, where and when.
fn shown(run: CommandRun) -> String {
    let CommandRun {
        begun,
        user,
        host,
        slurm_job,
        ..
    } = run;
    let job = slurm_job.map_or_else(String::new, |job| format!(", Slurm job {job}"));
    format!("{user} on {host}{job}, begun {begun}")
}

/// Was `made` made to replace another store, whose deletion has begun?
pub(in crate::verbs) async fn is_waiting(bucket: &Bucket, made: &str) -> Result<bool, Error> {
    Ok(waits(bucket, made).await?.is_some())
}

/// What made it, if `made` was made to replace another store, whose deletion has begun.
async fn waits(bucket: &Bucket, made: &str) -> Result<Option<LastTransaction>, Error> {
    let Some(last) = maker(bucket, made).await? else {
        return Ok(None);
    };
    let waits =
        bucket.list(&layout::additions(made)).await?.is_empty() && is_taken(bucket, made).await?;
    Ok(waits.then_some(last))
}

/// Was `store` made to replace another?
pub(in crate::verbs) async fn was_made_so(bucket: &Bucket, store: &str) -> Result<bool, Error> {
    Ok(maker(bucket, store).await?.is_some())
}

/// What made `store`, if it was made to replace another.
async fn maker(bucket: &Bucket, store: &str) -> Result<Option<LastTransaction>, Error> {
    let last = match LastTransaction::of_store(bucket, store).await {
        Ok(last) => last,
        // Who may not look there has not made it, either.
        Err(StoreError::Denied { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(last.filter(|last| last.command == REPLACING))
}

/// Checks that none of `stores`, which are not there, is about to come back: a job that replaced it died when it had deleted the old one.
///
/// # Errors
/// If one is; or as the server says.
pub(in crate::verbs) async fn check_not_replaced(
    bucket: &Bucket,
    stores: impl Iterator<Item = &String>,
) -> Result<(), Error> {
    // The variable may be waiting in a store of another name, or in that of all variables.
    let mut places: BTreeSet<String> = BTreeSet::new();
    for store in stores {
        places.insert(store.clone());
        places.extend(store.strip_suffix(".zarr").map(str::to_owned));
        let folder = store.rsplit_once('/').map(|(folder, _)| folder);
        places.extend(folder.map(layout::compact_key));
    }
    let checks = places.into_iter().map(|store| async move {
        match replacement(bucket, &store).await? {
            Some(replaced) => Err(StoresError::BeingReplaced(replaced).into()),
            None => Ok(()),
        }
    });
    let checks = stream::iter(checks).buffered(REQUESTS);
    checks.try_collect().await
}
