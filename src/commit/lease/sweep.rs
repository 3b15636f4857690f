//! What dead jobs left beside objects of stores: probes, each of which holds who made it, and in directories files that were staged.

use std::time::SystemTime;

use futures::join;
use msm_zarr::{ObjectKind, layout};

use super::Holder;
use super::claim::Claim;
use crate::store::{
    Bucket, Guarantees, ListedObject, Overwritten, ProbeObjects, StagedFile, StoreError,
    probe_and_leave,
};

/// A probe that was made so long ago is of a job that died, wherever it ran.
const OLD: std::time::Duration = std::time::Duration::from_secs(600);

/// Finds out what the server guarantees, in the ledgers' folder of `folder`, in the name of `holder`; and removes what
/// dead jobs left of doing the same. Its own objects are left to be removed.
///
/// # Errors
/// If the bucket's policy denies it; others as the server says.
pub(crate) async fn probe_and_sweep(
    bucket: &Bucket,
    folder: &str,
    holder: &Holder,
) -> Result<(Guarantees, ProbeObjects), StoreError> {
    let name = name_of(holder, folder)?;
    let ledgers = layout::below(folder, layout::LEDGERS);
    let (listed, found) = join!(
        bucket.folder(&ledgers),
        probe_and_leave(bucket, folder, &name)
    );
    let (guarantees, objects) = found?;
    let swept = match listed {
        Ok(listed) => sweep_listed(bucket, &ledgers, listed.objects, &guarantees).await,
        Err(error) => Err(error),
    };
    match swept {
        Ok(()) => Ok((guarantees, objects)),
        Err(error) => {
            // Where that fails, too, the first error is the cause.
            let _ = objects.remove(bucket).await;
            Err(error)
        }
    }
}

/// The same, and removes what it has put.
///
/// # Errors
/// As [`probe_and_sweep`].
pub(crate) async fn probe_sweep_and_remove(
    bucket: &Bucket,
    folder: &str,
    holder: &Holder,
) -> Result<Guarantees, StoreError> {
    let (guarantees, objects) = probe_and_sweep(bucket, folder, holder).await?;
    objects.remove(bucket).await?;
    Ok(guarantees)
}

/// Overwrites an object in the folder of ledgers of `folder` that says who made it.
///
/// # Errors
/// As the server says.
pub(crate) async fn overwrite(
    bucket: &Bucket,
    folder: &str,
    holder: &Holder,
) -> Result<Overwritten, StoreError> {
    Overwritten::put(bucket, folder, &name_of(holder, folder)?).await
}

fn name_of(holder: &Holder, folder: &str) -> Result<String, StoreError> {
    serde_json::to_string(holder).map_err(|cause| StoreError::Journal {
        key: layout::below(folder, layout::LEDGERS),
        cause: cause.to_string(),
    })
}

/// Removes the probes that dead jobs left in the ledgers' folder of `folder`.
///
/// # Errors
/// As the server says.
pub(crate) async fn sweep(
    bucket: &Bucket,
    folder: &str,
    guarantees: &Guarantees,
) -> Result<(), StoreError> {
    let ledgers = layout::below(folder, layout::LEDGERS);
    let listed = bucket.folder(&ledgers).await?.objects;
    sweep_listed(bucket, &ledgers, listed, guarantees).await
}

/// The same of what was `listed` of the folder `ledgers`.
async fn sweep_listed(
    bucket: &Bucket,
    ledgers: &str,
    listed: Vec<ListedObject>,
    guarantees: &Guarantees,
) -> Result<(), StoreError> {
    for object in listed {
        if layout::is_probe(&object.key) && is_left(bucket, &object.key, guarantees).await? {
            bucket.delete(&object.key).await?;
        }
    }
    for staged in bucket.staged(ledgers).await? {
        if layout::is_probe(&staged.of) && is_dead(&staged) {
            bucket.clear_away(&staged.path).await?;
        }
    }
    Ok(())
}

/// Removes what dead jobs staged for `store`, whose lease is held, and never made objects; returns the number of files.
///
/// # Errors
/// If they cannot be found or removed.
pub(crate) async fn sweep_staged(bucket: &Bucket, store: &str) -> Result<u64, StoreError> {
    let leases = format!("{}/", layout::leases(store));
    let mut swept = 0;
    for folder in [store.to_owned(), layout::ledger(store)] {
        for staged in bucket.staged(&folder).await? {
            // Others may claim the lease just now, but nobody else changes the store.
            let is_over = !staged.of.starts_with(&leases) || is_dead(&staged);
            if is_over && ObjectKind::of(store, &staged.of) != ObjectKind::Foreign {
                bucket.clear_away(&staged.path).await?;
                swept += 1;
            }
        }
    }
    Ok(swept)
}

/// Did the job that staged it die? What it was about to say tells, or its age.
fn is_dead(staged: &StagedFile) -> bool {
    let text = std::fs::read(&staged.path).unwrap_or_default();
    let claim = Claim::read(&text).map(|claim| claim.holder);
    let holder = claim.or_else(|| holder_in(&text));
    let age = SystemTime::now().duration_since(staged.modified);
    holder.is_some_and(|holder| holder.is_dead()) || age.is_ok_and(|age| age > OLD)
}

async fn is_left(bucket: &Bucket, key: &str, guarantees: &Guarantees) -> Result<bool, StoreError> {
    let found = match bucket.get_tagged(key).await {
        Ok(found) => found,
        // Its job was quicker.
        Err(error) if error.is_missing() => return Ok(false),
        Err(error) => return Err(error),
    };
    let age = guarantees.clock.now().duration_since(found.modified);
    let holder = holder_in(&found.bytes);
    Ok(holder.is_some_and(|holder| holder.is_dead()) || age.is_ok_and(|age| age > OLD))
}

/// Who made a probe.
fn holder_in(probe: &[u8]) -> Option<Holder> {
    let at = probe.iter().position(|byte| *byte == b'{')?;
    serde_json::from_slice(&probe[at..]).ok()
}
