//! How objects get from one bucket into another, or to another place of the same one.
//!
//! Key type: [`Crossing`].

use object_store::ObjectStoreExt;
use object_store::aws::AmazonS3;
use tokio::sync::Semaphore;

use super::bucket::Bucket;
use super::connect::copying;
use super::error::StoreError;

/// Bytes that are held at a time where no server copies by itself; a larger object is held alone.
const HELD: u64 = 256 << 20;
/// Of which there are permits.
const UNIT: u64 = 4 << 10;

/// The way from one bucket to another.
pub(crate) struct Crossing {
    pub from: Bucket,
    pub to: Bucket,
    means: Means,
}

/// What carries the objects.
enum Means {
    /// They stay in their bucket.
    Within,
    /// One server has both buckets: this is the second one, and takes keys of the first for what to copy.
    Server(Box<AmazonS3>),
    /// Each is read and put.
    Bytes(Semaphore),
}

impl Crossing {
    /// The way of this rank.
    ///
    /// # Errors
    /// If no client can be made.
    pub(crate) fn new(from: &Bucket, to: &Bucket) -> Result<Self, StoreError> {
        let means = if from.identity() == to.identity() {
            Means::Within
        } else if let Some(client) = copying(from, to)? {
            Means::Server(Box::new(client))
        } else {
            Means::Bytes(Semaphore::new((HELD / UNIT) as usize))
        };
        Ok(Self {
            from: from.clone(),
            to: to.clone(),
            means,
        })
    }

    /// Does a server copy by itself?
    pub(crate) fn is_by_server(&self) -> bool {
        !matches!(self.means, Means::Bytes(_))
    }

    /// Makes of the object `from`, of so many bytes, one that is called `to` in the other bucket.
    ///
    /// # Errors
    /// If there is none, or a server refuses.
    pub(crate) async fn carry(&self, from: &str, bytes: u64, to: &str) -> Result<(), StoreError> {
        match &self.means {
            Means::Within => self.to.duplicate(from, to).await,
            Means::Server(client) => {
                let copied = client.copy(&self.from.path(from), &self.to.path(to)).await;
                copied.map_err(|cause| match cause {
                    cause @ object_store::Error::NotFound { .. } => {
                        self.from.error(from, "copying", &cause)
                    }
                    cause => self.to.error(to, "copying", &cause),
                })
            }
            Means::Bytes(permits) => {
                let units = bytes.min(HELD).div_ceil(UNIT) as u32;
                // It is never closed.
                let _held = permits.acquire_many(units).await;
                let object = self.from.get(from).await?;
                self.to.put(to, object).await?;
                Ok(())
            }
        }
    }
}
