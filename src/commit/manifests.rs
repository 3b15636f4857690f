//! Manifests as a ledger keeps them, read again for all committed transactions.
//!
//! Key type: [`ManifestRecords`], what the last transaction that wrote an object said of it.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, stream};
use msm_zarr::{ZarrError, layout};

use super::object_record::ObjectRecord;
use crate::store::{Bucket, REQUESTS, StoreError};
use crate::transfer::Content;

/// What the manifests of a store's committed transactions say. An object costs about a hundred bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ManifestRecords {
    /// By array and place in its chunk grid, what the object holds since the last transaction that wrote it.
    pub objects: BTreeMap<String, BTreeMap<Box<[u64]>, Content>>,
    /// Transactions that were committed, in order.
    pub committed: Vec<String>,
    /// Transactions that have a manifest, but were not committed, in order.
    pub uncommitted: Vec<String>,
    /// Parts that cannot be read, by their keys, with the cause.
    pub damaged: Vec<(String, String)>,
}

impl ManifestRecords {
    /// The same, for who goes by what no part of it says.
    ///
    /// # Errors
    /// If a part cannot be read.
    pub(super) fn whole(mut self) -> Result<Self, StoreError> {
        match self.damaged.pop() {
            Some((key, cause)) => Err(ZarrError::Damaged { key, cause }.into()),
            None => Ok(self),
        }
    }

    /// What is known of the object of `array` at `chunk`.
    #[must_use]
    pub(crate) fn get(&self, array: &str, chunk: &[u64]) -> Option<Content> {
        self.objects.get(array)?.get(chunk).copied()
    }

    /// The same, which is then known no more.
    pub(crate) fn take(&mut self, array: &str, chunk: &[u64]) -> Option<Content> {
        self.objects.get_mut(array)?.remove(chunk)
    }

    /// What is to be said of the objects of `array` at chunks that go: nothing is stored there any more.
    pub(super) fn gone(
        &self,
        array: &str,
        goes: impl Fn(&[u64]) -> bool,
    ) -> impl Iterator<Item = ObjectRecord> {
        let objects = self.objects.get(array).into_iter().flatten();
        let gone = objects.filter(move |(chunk, content)| {
            matches!(content, Content::Stored { .. }) && goes(chunk)
        });
        gone.map(move |(chunk, _)| ObjectRecord {
            array: array.to_owned(),
            chunk: chunk.to_vec(),
            content: Content::Empty,
        })
    }

    fn add(&mut self, records: Vec<ObjectRecord>) {
        for record in records {
            if !self.objects.contains_key(&record.array) {
                self.objects.insert(record.array.clone(), BTreeMap::new());
            }
            if let Some(chunks) = self.objects.get_mut(&record.array) {
                chunks.insert(record.chunk.into(), record.content);
            }
        }
    }
}

/// Reads the manifests of the committed transactions on `store`, in their order: the later one wins.
///
/// # Errors
/// If the server does not give them. That a part cannot be read is in the answer.
pub(crate) async fn read_manifests(
    bucket: &Bucket,
    store: &str,
) -> Result<ManifestRecords, StoreError> {
    read_manifests_of(bucket, store, |_| true).await
}

/// The same of the transactions that are `meant`, by their ids, alone.
///
/// # Errors
/// As [`read_manifests`].
pub(super) async fn read_manifests_of(
    bucket: &Bucket,
    store: &str,
    meant: impl Fn(&str) -> bool,
) -> Result<ManifestRecords, StoreError> {
    let transactions = layout::transactions(store);
    let listed = bucket.list(&transactions).await?;
    let committed: BTreeSet<String> = listed
        .iter()
        .filter_map(|key| first_below(&transactions, key))
        .filter(|id| meant(id))
        .map(str::to_owned)
        .collect();
    let manifests = layout::manifests(store);
    let mut parts = bucket.list(&manifests).await?;
    // In the order of transactions.
    parts.sort_unstable();
    let mut kept = ManifestRecords::default();
    let mut wanted = Vec::new();
    for key in parts {
        let Some(id) = first_below(&manifests, &key).filter(|id| meant(id)) else {
            continue;
        };
        if committed.contains(id) {
            wanted.push(key);
        } else if kept.uncommitted.last().is_none_or(|last| last != id) {
            kept.uncommitted.push(id.to_owned());
        }
    }
    kept.committed = committed.into_iter().collect();
    let reads = wanted.into_iter().map(|key| async move {
        let part = bucket.get(&key).await?;
        Ok::<_, StoreError>((ObjectRecord::read(&part), key))
    });
    let mut reads = stream::iter(reads).buffered(REQUESTS);
    while let Some((records, key)) = reads.try_next().await? {
        match records {
            Ok(records) => kept.add(records),
            Err(cause) => kept.damaged.push((key, cause)),
        }
    }
    Ok(kept)
}

/// The first part of `key` below `folder`.
pub(super) fn first_below<'a>(folder: &str, key: &'a str) -> Option<&'a str> {
    let below = key.strip_prefix(folder)?.strip_prefix('/')?;
    below.split('/').next().filter(|part| !part.is_empty())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::store::loopback;
    use crate::transfer::Proof;

    /// Puts a part of the manifest of the transaction `id`; returns its key.
    pub(crate) async fn put_part(
        bucket: &Bucket,
        store: &str,
        id: &str,
        part: Vec<ObjectRecord>,
    ) -> String {
        let key = format!("{}/0-0", layout::manifest(store, id));
        let part = ObjectRecord::write(part).unwrap();
        bucket.put(&key, part.into()).await.unwrap();
        key
    }

    fn stored(bytes: u64) -> Content {
        Content::Stored {
            bytes,
            values_crc32c: 1,
            stored_crc32c: 2,
            proof: Proof::ReadBack,
        }
    }

    fn record(array: &str, chunk: &[u64], content: Content) -> ObjectRecord {
        ObjectRecord {
            array: array.to_owned(),
            chunk: chunk.to_vec(),
            content,
        }
    }

    #[tokio::test]
    async fn the_last_committed_transaction_wins() {
        let directory = tempfile::tempdir().unwrap();
        let bucket = loopback::directory(directory.path());
        let store = "T1m/tos.zarr";
        assert_eq!(
            read_manifests(&bucket, store).await,
            Ok(ManifestRecords::default())
        );
        let ids = [
            "00000001-aaaaaaaa",
            "00000002-00000000",
            "00000003-bbbbbbbb",
        ];
        let many = (0..3).map(|i| record("tos", &[i, 0], stored(i)));
        put_part(&bucket, store, ids[0], many.collect()).await;
        let second = vec![record("tos", &[1, 0], Content::Empty)];
        let part = put_part(&bucket, store, ids[1], second).await;
        let third = vec![record("tos", &[2, 0], Content::Empty)];
        put_part(&bucket, store, ids[2], third).await;
        for id in &ids[..2] {
            let key = format!("{}/{id}", layout::transactions(store));
            bucket.put(&key, "{}".into()).await.unwrap();
        }
        let kept = read_manifests(&bucket, store).await.unwrap();
        assert_eq!(kept.committed, ids[..2]);
        assert_eq!(kept.uncommitted, ids[2..]);
        assert_eq!(kept.objects["tos"].len(), 3);
        assert_eq!(kept.get("tos", &[0, 0]), Some(stored(0)));
        assert_eq!(kept.get("tos", &[1, 0]), Some(Content::Empty));
        assert_eq!(kept.get("tos", &[2, 0]), Some(stored(2)));
        assert_eq!(kept.get("sos", &[0, 0]), None);

        bucket.put(&part, "{\"format\": 1".into()).await.unwrap();
        let kept = read_manifests(&bucket, store).await.unwrap();
        assert_eq!(kept.damaged.len(), 1);
        assert_eq!(kept.damaged[0].0, part);
        assert_eq!(kept.get("tos", &[1, 0]), Some(stored(1)));
    }
}
