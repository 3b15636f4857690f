//! The length and the digest of an object, and a digest that tells it from others, read piece by piece: it need not fit into memory.
//!
//! Key type: [`Fingerprint`].

use futures::TryStreamExt;
use md5::{Digest, Md5};
use object_store::ObjectStoreExt;

use super::bucket::Bucket;
use super::digest::StoredDigest;
use super::error::StoreError;

/// What tells an object from others, also where no manifest knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    pub length: u64,
    pub digest: StoredDigest,
    md5: [u8; 16],
}

impl Bucket {
    /// What tells the object `key` from others.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is none; others as the server says.
    pub(crate) async fn fingerprint(&self, key: &str) -> Result<Fingerprint, StoreError> {
        let mut md5 = Md5::new();
        let (length, digest) = self.read_pieces(key, |piece| md5.update(piece)).await?;
        Ok(Fingerprint {
            length,
            digest,
            md5: md5.finalize().into(),
        })
    }

    /// The length of the object `key`, and what manifests say of its bytes.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is none; others as the server says.
    pub(crate) async fn checksum(&self, key: &str) -> Result<(u64, StoredDigest), StoreError> {
        self.read_pieces(key, |_| {}).await
    }

    async fn read_pieces(
        &self,
        key: &str,
        mut also: impl FnMut(&[u8]),
    ) -> Result<(u64, StoredDigest), StoreError> {
        let read = async {
            let mut pieces = self.store.get(&self.path(key)).await?.into_stream();
            let (mut length, mut digest) = (0, StoredDigest::default());
            while let Some(piece) = pieces.try_next().await? {
                length += piece.len() as u64;
                digest.add(&piece);
                also(&piece);
            }
            Ok((length, digest))
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
            let (length, digest) = bucket.checksum("a").await.unwrap();
            let expected = (bytes.len() as u64, crc32c::crc32c(&bytes));
            assert_eq!((length, digest.value()), expected);
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
        let [a, b, c] = ["a", "b", "c"].map(|key| bucket.fingerprint(key));
        let (a, b, c) = (a.await.unwrap(), b.await.unwrap(), c.await.unwrap());
        assert_ne!(a, b);
        assert_eq!(a, c);
    }
}
