//! The copies that committed transactions made of what they replaced, looked at before they are needed.
//!
//! Key function: [`damaged_copies`].

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, stream};
use msm_zarr::layout;

use super::copy_fault::{CopyFault, DamagedCopy};
use super::journal::JournalEntry;
use super::manifests::{ManifestRecords, Meant, read_manifests_of};
use super::undo_copies::{Look, UndoCopies};
use crate::store::{Bucket, REQUESTS, StoreError};
use crate::transfer::Content;

/// The copies of what the committed transaction `id` of `store`, which `entry` tells of, replaced, that are not what was there
/// before it.
///
/// # Errors
/// As the server says.
pub(crate) async fn damaged_copies(
    bucket: &Bucket,
    store: &str,
    id: &str,
    entry: &JournalEntry,
) -> Result<Vec<DamagedCopy>, StoreError> {
    let copies = UndoCopies::of(bucket, store, id, entry).await?;
    // Those of additions are made again when they are needed; one that is taken away meanwhile is missed by nobody.
    let mut damaged = if entry.is_addition {
        Vec::new()
    } else {
        copies.missing(entry).await?
    };
    let looks = copies.all.iter().map(|copy| async {
        let fault = copies.fault(copy, Look::Values).await?;
        Ok::<_, StoreError>(fault.map(|fault| DamagedCopy {
            key: copy.key.clone(),
            fault,
        }))
    });
    let mut looks = stream::iter(looks).buffer_unordered(REQUESTS);
    while let Some(found) = looks.try_next().await? {
        damaged.extend(found);
    }
    if entry.is_addition {
        damaged.retain(|copy| copy.fault != CopyFault::Missing);
    }
    Ok(damaged)
}

impl UndoCopies<'_> {
    /// The copies that the committed transaction should have made of what it replaced, and that are not there.
    async fn missing(&self, entry: &JournalEntry) -> Result<Vec<DamagedCopy>, StoreError> {
        let there: BTreeSet<&str> = self.all.iter().map(|copy| copy.key.as_str()).collect();
        let replaced = self.replaced(entry).await?.into_iter();
        let copies = replaced.map(|key| layout::undo_copy(self.store, self.id, &key));
        let missing = copies.filter(|key| !there.contains(key.as_str()));
        Ok(missing
            .map(|key| DamagedCopy {
                key,
                fault: CopyFault::Missing,
            })
            .collect())
    }

    /// What the committed transaction's own manifest says.
    ///
    /// # Errors
    /// If it cannot be read: then nobody knows what was replaced.
    pub(super) async fn changed(&self) -> Result<ManifestRecords, StoreError> {
        let records = read_manifests_of(self.bucket, self.store, Meant::Only(self.id)).await?;
        records.whole()
    }

    /// The keys of the objects that the committed transaction replaced or removed, as far as its manifest tells.
    pub(super) async fn replaced(&self, entry: &JournalEntry) -> Result<Vec<String>, StoreError> {
        let changed = self.changed().await?;
        let chunks = |array: &str| {
            let chunks = changed.objects.get(array).map(BTreeMap::keys);
            chunks.into_iter().flatten()
        };
        let mut keys = Vec::new();
        for array in &entry.arrays {
            let codec = array.codec()?;
            // A record of other dimensions is none of this array's.
            let held = chunks(&array.name)
                .filter(|chunk| chunk.len() == codec.rank() && array.was_held(chunk));
            keys.extend(held.map(|chunk| codec.key(self.store, chunk)));
        }
        let known = &self.known;
        if entry.removes && known.is_sure && !known.names_only {
            for (array, _) in &known.arrays {
                let removed = chunks(&array.name).filter(|chunk| {
                    let recorded = known.records.get(&array.name, chunk);
                    matches!(recorded, Some(Content::Stored { .. }))
                });
                keys.extend(removed.map(|chunk| array.keys.key(self.store, chunk)));
            }
        }
        Ok(keys)
    }
}
