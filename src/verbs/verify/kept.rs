//! What is kept of what transactions replaced, for `rollback`: a damaged copy shows here, and not only when it is needed.

use msm_zarr::{Group, layout};

use crate::commit::{JournalEntry, damaged_copies};
use crate::events::Fault;
use crate::store::{Bucket, StoreError};

/// The copies of what is in `group` that are not what was there before the `committed` transactions which made them.
pub(super) async fn damaged(
    bucket: &Bucket,
    group: &Group,
    committed: &[String],
) -> Result<Vec<Fault>, StoreError> {
    let mut faults = Vec::new();
    let folders = bucket.folder(&layout::undos(&group.store)).await?.folders;
    for folder in folders {
        let id = folder.rsplit('/').next().unwrap_or_default();
        if committed.iter().any(|committed| committed == id) {
            faults.extend(damaged_of(bucket, group, id).await?);
        }
    }
    Ok(faults)
}

/// The same of one of them.
async fn damaged_of(bucket: &Bucket, group: &Group, id: &str) -> Result<Vec<Fault>, StoreError> {
    let store = &group.store;
    let mut kept = layout::before(store, id);
    let faults = match JournalEntry::kept(bucket, store, id).await {
        Ok(entry) => {
            if entry.is_addition {
                kept = layout::addition(store, id);
            }
            let damaged = damaged_copies(bucket, store, id, &entry).await?;
            let folder = format!("{}/", layout::undo_copies(store, id));
            let is_of_group =
                |key: &str| group.is_above(key.strip_prefix(&folder).unwrap_or_default());
            let damaged = damaged.into_iter().filter(|copy| is_of_group(&copy.key));
            let faults = damaged.map(|copy| {
                let what = format!("{}; rollback needs this copy", copy.fault);
                Fault::new(copy.key, what)
            });
            faults.collect()
        }
        // It is not kept.
        Err(error) if error.is_missing() => Vec::new(),
        Err(StoreError::Journal { key, cause }) => {
            let what = format!("it cannot be read: {cause}; rollback needs it");
            vec![Fault::new(key, what)]
        }
        Err(error) => return Err(error),
    };
    // A transaction that has ended meanwhile takes away what no rollback needs any more.
    let is_needed = faults.is_empty()
        || bucket.list(&layout::journals(store)).await?.is_empty()
            && bucket.stat(&kept).await?.is_some();
    Ok(if is_needed { faults } else { Vec::new() })
}
