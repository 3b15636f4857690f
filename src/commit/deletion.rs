//! Deleting whole stores, as their journals tell of it.
//!
//! Key types: [`Deletion`]; [`NotBegun`].

use futures::{StreamExt, stream};
use msm_zarr::layout;

use super::cleanup::{CleanupError, all};
use super::heal::finish_delete;
use super::journal::{Writer, put_json};
use super::transaction_id::{new_id, token};
use super::unfinished::delete_key;
use crate::store::{Bucket, REQUESTS, StoreError};

/// The deletion of stores, begun: from here on it only goes forward.
pub(crate) struct Deletion<'a> {
    bucket: &'a Bucket,
    stores: &'a [String],
    id: String,
}

/// Why a deletion could not begin in all stores.
pub(crate) struct NotBegun {
    /// What was in the way.
    pub cause: StoreError,
    /// Does a journal say all the same that its store is being deleted? Then whoever comes next goes on with it.
    pub is_told: bool,
}

impl<'a> Deletion<'a> {
    /// Says in the journals of `stores` that they are being deleted, or in none of them.
    ///
    /// # Errors
    /// As the server says.
    pub(crate) async fn begin(
        bucket: &'a Bucket,
        stores: &'a [String],
        holder: &Writer,
    ) -> Result<Self, NotBegun> {
        let id = new_id(0, &token());
        let keys: Vec<String> = stores.iter().map(|store| delete_key(store, &id)).collect();
        let puts = keys.iter().map(|key| put_json(bucket, key, holder));
        // All of them end before one is taken back.
        let put: Vec<_> = stream::iter(puts)
            .buffer_unordered(REQUESTS)
            .collect()
            .await;
        let put: Result<(), StoreError> = put.into_iter().collect();
        match put {
            Ok(()) => Ok(Self { bucket, stores, id }),
            Err(cause) => {
                let taken_back = all(keys.iter().map(|key| bucket.delete(key))).await;
                let is_told = taken_back.is_err();
                Err(NotBegun { cause, is_told })
            }
        }
    }

    /// Does all of it, as whoever comes next would.
    ///
    /// # Errors
    /// With what could not be done.
    pub(crate) async fn finish(self) -> Result<(), CleanupError> {
        for store in self.stores {
            finish_delete(self.bucket, store, &self.id).await?;
        }
        Ok(())
    }

    /// Its last step, or, where what was begun was not a deletion, that it is none any more: the journals go, with the entries of deletions
    /// that died before.
    ///
    /// # Errors
    /// With what could not be done.
    pub(crate) async fn end(self) -> Result<(), CleanupError> {
        let Self { bucket, stores, id } = &self;
        let deletes = stores.iter().map(|store| async move {
            // By its name, for a listing may not show it yet.
            bucket.delete(&delete_key(store, id)).await?;
            for key in bucket.list(&layout::journals(store)).await? {
                bucket.delete(&key).await?;
            }
            Ok(())
        });
        all(deletes).await
    }
}
