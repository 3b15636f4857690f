//! Before an object is overwritten: its copy in the ledger, which is looked at before it is trusted.

use std::sync::Arc;

use msm_plan::ArrayObject;
use msm_zarr::layout;

use super::engine::Engine;
use super::error::TransferError;
use super::object::failed;
use super::put::KnownContent;
use super::record::Verification;
use crate::store::StoreError;

/// What was there before an object.
#[derive(Default)]
pub(super) struct OverwrittenObject {
    /// Its values, unless all of them are overwritten or there were none.
    pub values: Option<Vec<u8>>,
    /// What it was in each store that holds the array.
    pub before: Vec<UndoCopy>,
}

/// What lay where an object goes, in one store.
#[derive(Clone, Default)]
pub(super) struct UndoCopy {
    /// Its stored size; 0 where there was none.
    pub size: u64,
    /// What lies there now.
    pub there: KnownContent,
}

impl Engine {
    /// Copies the object into the ledger, in each store that holds the array. Returns its values unless the `whole` of it
    /// is overwritten.
    pub(super) async fn keep_old(
        self: &Arc<Self>,
        index: usize,
        object: &ArrayObject,
        whole: bool,
    ) -> Result<OverwrittenObject, TransferError> {
        let array = &self.plan.arrays[index];
        let mut kept = OverwrittenObject::default();
        for &store in &array.stores {
            let name = &self.plan.stores[store].key;
            let key = self.codecs[index].key(name, &object.chunk);
            let copy = layout::undo_copy(name, &self.ids[store], &key);
            let before = match self.saved.get(&copy) {
                // What lies at `key` now may be this transaction's own already, from before it was resumed.
                Some(size) => UndoCopy {
                    size: *size,
                    there: KnownContent::Unknown,
                },
                None => self
                    .save(&key, &copy)
                    .await
                    .map_err(|cause| failed(array, &object.chunk, cause))?,
            };
            let size = before.size;
            kept.before.push(before);
            if size > 0 && !whole && kept.values.is_none() {
                let found = self.stored_values(index, &object.chunk, &copy).await;
                // The copy is as good as the object: what is damaged is what the user knows.
                let found = found.map_err(|error| error.in_object(&key))?;
                kept.values = found.map(|(values, _)| values);
            }
        }
        Ok(kept)
    }

    /// Copies the object `key` to `copy`; an empty copy says that there is none.
    async fn save(self: &Arc<Self>, key: &str, copy: &str) -> Result<UndoCopy, StoreError> {
        let Some(there) = self.bucket.stat(key).await? else {
            self.bucket.put(copy, bytes::Bytes::new()).await?;
            return Ok(UndoCopy::default());
        };
        let by_bytes = self.verify != Verification::None;
        let copied = self.bucket.copy_checked(key, &there, copy, by_bytes);
        copied.await?;
        Ok(UndoCopy {
            size: there.size,
            there: KnownContent::tagged(there.etag.as_ref()),
        })
    }
}
