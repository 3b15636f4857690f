//! Before an object is overwritten: its copy in the ledger, which is looked at before it is trusted.

use std::sync::Arc;

use bytes::Bytes;
use futures::{FutureExt, StreamExt, join, stream};
use msm_plan::ArrayObject;
use msm_zarr::layout;

use super::engine::Engine;
use super::error::TransferError;
use super::object::{SMALL, failed};
use super::put::KnownContent;
use super::record::Verification;
use crate::store::{REQUESTS, StoreError};

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
        let places = array.stores.iter().map(|&store| {
            let name = &self.plan.stores[store].key;
            let key = self.codecs[index].key(name, &object.chunk);
            let copy = layout::undo_copy(name, &self.ids[store], &key);
            (key, copy)
        });
        let places: Vec<(String, String)> = places.collect();
        // Of a small object, the values are read with the copy, which is looked at so.
        let reads = !whole && array.object_bytes() <= SMALL;
        let saves = places.iter().map(|(key, copy)| {
            let save = async move {
                match self.saved.get(copy) {
                    // What lies at `key` now may be this transaction's own already, from before it was resumed.
                    Some(size) => {
                        let there = KnownContent::Unknown;
                        Ok((UndoCopy { size: *size, there }, None))
                    }
                    None if reads => self.save_and_read(key, copy).await,
                    None => Ok((self.save(key, copy).await?, None)),
                }
            };
            save.boxed()
        });
        let saves: Vec<_> = saves.collect();
        // All of them end before an error is passed on, so that an undo comes after the last request.
        let saved: Vec<_> = stream::iter(saves).buffered(REQUESTS).collect().await;
        let mut kept = OverwrittenObject::default();
        for ((key, copy), saved) in places.iter().zip(saved) {
            let (before, stored) = saved.map_err(|cause| failed(array, &object.chunk, cause))?;
            let size = before.size;
            kept.before.push(before);
            if size > 0 && !whole && kept.values.is_none() {
                let found = match stored {
                    Some(stored) => self
                        .values_in(index, &object.chunk, copy, stored)
                        .await
                        .map(Some),
                    None => self.stored_values(index, &object.chunk, copy).await,
                };
                // The copy is as good as the object: what is damaged is what the user knows.
                let found = found.map_err(|error| error.in_object(key))?;
                kept.values = found.map(|(values, _)| values);
            }
        }
        Ok(kept)
    }

    /// Copies the small object `key` to `copy`, as [`Self::save`] does, and returns what the copy holds, too.
    async fn save_and_read(
        self: &Arc<Self>,
        key: &str,
        copy: &str,
    ) -> Result<(UndoCopy, Option<Bytes>), StoreError> {
        // Nobody else changes it: what is read now is what is copied, and the copy tells if it is not.
        let (there, put) = join!(self.bucket.get_tagged(key), self.bucket.copy(key, copy));
        let there = match there {
            Ok(there) => there,
            Err(error) if error.is_missing() && put.is_err() => {
                return Ok((self.save_nothing(copy).await?, None));
            }
            Err(error) => return Err(error),
        };
        put?;
        let copied = self.bucket.get(copy).await?;
        if copied != there.bytes {
            let [found, expected] = [&copied, &there.bytes].map(|bytes| bytes.len() as u64);
            return Err(self.bucket.unlike(key, expected, copy, Some(found)));
        }
        let before = UndoCopy {
            size: copied.len() as u64,
            there: KnownContent::tagged(there.etag.as_ref()),
        };
        Ok((before, Some(copied)))
    }

    /// Says that there is nothing to copy.
    async fn save_nothing(&self, copy: &str) -> Result<UndoCopy, StoreError> {
        self.bucket.put(copy, Bytes::new()).await?;
        Ok(UndoCopy::default())
    }

    /// Copies the object `key` to `copy`; an empty copy says that there is none.
    async fn save(self: &Arc<Self>, key: &str, copy: &str) -> Result<UndoCopy, StoreError> {
        let Some(there) = self.bucket.stat(key).await? else {
            return self.save_nothing(copy).await;
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
