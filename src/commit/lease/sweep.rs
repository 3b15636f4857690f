//! Probes that dead jobs left: each holds who made it.

use super::Holder;
use crate::store::{Bucket, Guarantees, StoreError, layout, probe};

/// A probe that was made so long ago is of a job that died, wherever it ran.
const OLD: std::time::Duration = std::time::Duration::from_secs(600);

/// Finds out what the server guarantees, in the ledgers' folder of `folder`, in the name of `holder`; and removes what
/// dead jobs left of doing the same.
///
/// # Errors
/// As [`probe`].
pub async fn probe_and_sweep(
    bucket: &Bucket,
    folder: &str,
    holder: &Holder,
) -> Result<Guarantees, StoreError> {
    let name = serde_json::to_string(holder).map_err(|cause| StoreError::Journal {
        key: layout::below(folder, layout::LEDGERS),
        cause: cause.to_string(),
    })?;
    let guarantees = probe(bucket, folder, &name).await?;
    let ledgers = layout::below(folder, layout::LEDGERS);
    for object in bucket.folder(&ledgers).await?.objects {
        if layout::is_probe(&object.key) && is_left(bucket, &object.key, &guarantees).await? {
            bucket.delete(&object.key).await?;
        }
    }
    Ok(guarantees)
}

async fn is_left(bucket: &Bucket, key: &str, guarantees: &Guarantees) -> Result<bool, StoreError> {
    let found = match bucket.get_tagged(key).await {
        Ok(found) => found,
        // Its job was quicker.
        Err(error) if error.is_missing() => return Ok(false),
        Err(error) => return Err(error),
    };
    let age = guarantees.clock.now().duration_since(found.modified);
    let holder = found.bytes.iter().position(|byte| *byte == b'{');
    let holder = holder.and_then(|at| serde_json::from_slice::<Holder>(&found.bytes[at..]).ok());
    Ok(holder.is_some_and(|holder| holder.is_dead()) || age.is_ok_and(|age| age > OLD))
}
