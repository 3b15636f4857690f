//! Whether a server's reads lag behind overwrites: tried again by each command that goes by what a ledger keeps of the server.
//!
//! Key type: [`Overwritten`].

use bytes::Bytes;
use msm_zarr::layout;

use crate::store::bucket::Bucket;
use crate::store::error::StoreError;

/// An object that was put and overwritten at once.
#[must_use]
pub(crate) struct Overwritten {
    key: String,
    body: Bytes,
}

impl Overwritten {
    /// Puts one into the folder of ledgers of `folder`, which says who made it.
    ///
    /// # Errors
    /// As the server says; then nothing of it is left, as far as that can be helped.
    pub(crate) async fn put(bucket: &Bucket, folder: &str, who: &str) -> Result<Self, StoreError> {
        let token = format!("{:016x}", rand::random::<u64>());
        let body = |number: u32| Bytes::from(format!("probe {number} {token} {who}"));
        let one = Self {
            key: layout::probe(folder, &token),
            body: body(1),
        };
        let put = async {
            bucket.put(&one.key, body(0)).await?;
            bucket.put(&one.key, one.body.clone()).await
        };
        if let Err(error) = put.await {
            // Where that fails, too, the first error is its cause.
            let _ = one.remove(bucket).await;
            return Err(error);
        }
        Ok(one)
    }

    /// Does it read as it was overwritten? Nothing of it is left.
    ///
    /// # Errors
    /// As the server says.
    pub(crate) async fn reads_back(self, bucket: &Bucket) -> Result<bool, StoreError> {
        let found = bucket.get(&self.key).await;
        let as_put = match found {
            Ok(found) => Ok(found == self.body),
            // Another job took so slow a probe for one that a dead job left.
            Err(error) if error.is_missing() => Ok(false),
            Err(error) => Err(error),
        };
        self.remove(bucket).await?;
        as_put
    }

    /// Removes it.
    ///
    /// # Errors
    /// As the server says.
    pub(crate) async fn remove(self, bucket: &Bucket) -> Result<(), StoreError> {
        bucket.delete(&self.key).await
    }
}
