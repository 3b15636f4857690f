//! Deleting whole stores, as their journals tell of it.
//!
//! Key type: [`Deletion`].

use futures::{StreamExt, TryStreamExt, stream};
use msm_zarr::layout;

use super::cleanup::{CleanupError, all};
use super::journal::{Writer, put_json};
use super::transaction_id::{new_id, token};
use super::unfinished::delete_key;
use crate::store::{Bucket, REQUESTS, StoreError};

/// The deletion of stores, begun: from here on it only goes forward.
pub(crate) struct Deletion<'a> {
    bucket: &'a Bucket,
    stores: &'a [String],
}

impl<'a> Deletion<'a> {
    /// Says in the journals of `stores` that they are being deleted.
    ///
    /// # Errors
    /// As the server says.
    pub(crate) async fn begin(
        bucket: &'a Bucket,
        stores: &'a [String],
        holder: &Writer,
    ) -> Result<Self, StoreError> {
        let id = new_id(0, &token());
        let puts = stores.iter().map(|store| {
            let key = delete_key(store, &id);
            async move { put_json(bucket, &key, holder).await }
        });
        let puts = stream::iter(puts).buffer_unordered(REQUESTS);
        puts.try_collect::<()>().await?;
        Ok(Self { bucket, stores })
    }

    /// Its last step: the journals, with the entries of deletions that died before.
    ///
    /// # Errors
    /// With what could not be done.
    pub(crate) async fn end(self) -> Result<(), CleanupError> {
        let deletes = self.stores.iter().map(|store| async move {
            for key in self.bucket.list(&layout::journals(store)).await? {
                self.bucket.delete(&key).await?;
            }
            Ok(())
        });
        all(deletes).await
    }
}
