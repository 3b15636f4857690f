//! The length and the crc32c of an object, and a digest that tells it from others, read piece by piece: it need not fit into memory.
//!
//! Key type: [`Fingerprint`].

use futures::TryStreamExt;
use md5::{Digest, Md5};
use object_store::ObjectStoreExt;

use super::bucket::Bucket;
use super::error::StoreError;

/// What tells an object from others. Its crc32c alone does not: where a codec ends in a crc32c itself, that of all objects of one
/// length is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    pub length: u64,
    pub crc32c: u32,
    md5: [u8; 16],
}

impl Bucket {
    /// What tells the object `key` from others.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is none; others as the server says.
    pub(crate) async fn fingerprint(&self, key: &str) -> Result<Fingerprint, StoreError> {
        let mut md5 = Md5::new();
        let (length, crc32c) = self.read_pieces(key, |piece| md5.update(piece)).await?;
        Ok(Fingerprint {
            length,
            crc32c,
            md5: md5.finalize().into(),
        })
    }

    /// The length of the object `key`, and the crc32c of its bytes.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is none; others as the server says.
    pub(crate) async fn checksum(&self, key: &str) -> Result<(u64, u32), StoreError> {
        self.read_pieces(key, |_| {}).await
    }

    async fn read_pieces(
        &self,
        key: &str,
        mut also: impl FnMut(&[u8]),
    ) -> Result<(u64, u32), StoreError> {
        let read = async {
            let mut pieces = self.store.get(&self.path(key)).await?.into_stream();
            let (mut length, mut crc) = (0, 0);
            while let Some(piece) = pieces.try_next().await? {
                length += piece.len() as u64;
                crc = crc32c::crc32c_append(crc, &piece);
                also(&piece);
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

    #[tokio::test]
    async fn a_fingerprint_tells_objects_apart_that_end_in_their_own_crc32c() {
        let root = tempfile::tempdir().unwrap();
        let bucket = loopback::directory(root.path());
        for (key, byte) in [("a", 1), ("b", 2), ("c", 1)] {
            let mut bytes = vec![byte; 100];
            bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
            bucket.put(key, bytes.into()).await.unwrap();
        }
        let checksums = [bucket.checksum("a").await, bucket.checksum("b").await];
        assert_eq!(checksums[0], checksums[1]);
        let [a, b, c] = ["a", "b", "c"].map(|key| bucket.fingerprint(key));
        let (a, b, c) = (a.await.unwrap(), b.await.unwrap(), c.await.unwrap());
        assert_ne!(a, b);
        assert_eq!(a, c);
    }
}
