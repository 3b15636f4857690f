//! The length and the crc32c of an object, read piece by piece: it need not fit into memory.

use futures::TryStreamExt;
use object_store::ObjectStoreExt;

use super::bucket::Bucket;
use super::error::StoreError;

impl Bucket {
    /// The length of the object `key`, and the crc32c of its bytes.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is none; others as the server says.
    pub(crate) async fn checksum(&self, key: &str) -> Result<(u64, u32), StoreError> {
        let read = async {
            let mut pieces = self.store.get(&self.path(key)).await?.into_stream();
            let (mut length, mut crc) = (0, 0);
            while let Some(piece) = pieces.try_next().await? {
                length += piece.len() as u64;
                crc = crc32c::crc32c_append(crc, &piece);
            }
            Ok((length, crc))
        };
        read.await
            .map_err(|cause| self.error(key, "reading", &cause))
    }
}

#[cfg(test)]
mod tests {
    use super::super::loopback;

    #[tokio::test]
    async fn a_checksum_is_that_of_the_bytes() {
        let root = tempfile::tempdir().unwrap();
        let bucket = loopback::directory(root.path());
        for bytes in [Vec::new(), vec![7; 3 << 20]] {
            bucket.put("a", bytes.clone().into()).await.unwrap();
            let expected = (bytes.len() as u64, crc32c::crc32c(&bytes));
            assert_eq!(bucket.checksum("a").await.unwrap(), expected);
        }
        assert!(bucket.checksum("b").await.unwrap_err().is_missing());
    }
}
