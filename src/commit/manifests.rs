//! Manifests as a ledger keeps them, read again for all committed transactions.
//!
//! Key type: [`ManifestRecords`], what the last transaction that wrote an object said of it.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, stream};
use msm_zarr::ZarrError;

use super::committed::{LedgerListing, unmoved};
use super::merged::MergedKey;
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

    /// With this part of a manifest.
    fn add_part(&mut self, key: &str, part: &[u8]) {
        match ObjectRecord::read(part) {
            Ok(records) => self.add(records),
            Err(cause) => self.damaged.push((key.to_owned(), cause)),
        }
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

/// Whose manifests are meant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Meant<'a> {
    /// Those of all transactions.
    All,
    /// Those of the transactions before this one.
    Before(&'a str),
    /// That of this one.
    Only(&'a str),
}

impl Meant<'_> {
    fn is(self, id: &str) -> bool {
        match self {
            Self::All => true,
            Self::Before(next) => id < next,
            Self::Only(one) => id == one,
        }
    }

    /// Can it be one of these?
    fn is_in(self, merged: &MergedKey) -> bool {
        match self {
            Self::Only(one) => merged.covers(one),
            meant => meant.is(&merged.first),
        }
    }
}

/// Where manifests are read.
enum ManifestPlace {
    /// A part of the manifest of this transaction.
    Part(String, String),
    /// Those of several.
    Merged(MergedKey),
}

/// Reads the manifests of the committed transactions on `store`, in their order: the later one wins.
///
/// # Errors
/// If the server does not give them. That a part cannot be read is in the answer.
pub(crate) async fn read_manifests(
    bucket: &Bucket,
    store: &str,
) -> Result<ManifestRecords, StoreError> {
    read_manifests_of(bucket, store, Meant::All).await
}

/// The same of the transactions that are `meant` alone.
///
/// # Errors
/// As [`read_manifests`].
pub(super) async fn read_manifests_of(
    bucket: &Bucket,
    store: &str,
    meant: Meant<'_>,
) -> Result<ManifestRecords, StoreError> {
    unmoved(async || read(bucket, store, meant).await).await
}

async fn read(
    bucket: &Bucket,
    store: &str,
    meant: Meant<'_>,
) -> Result<ManifestRecords, StoreError> {
    let listing = LedgerListing::of(bucket, store).await?;
    let merged = listing.in_force().into_iter();
    let mut places: Vec<ManifestPlace> = merged
        .filter(|merged| meant.is_in(merged))
        .map(|merged| ManifestPlace::Merged(merged.clone()))
        .collect();
    let mut told: BTreeSet<String> = BTreeSet::new();
    for (id, part) in listing.parts {
        if !meant.is(&id) {
            continue;
        }
        if listing.single.contains_key(&id) {
            places.push(ManifestPlace::Part(id.clone(), part.key));
        }
        told.insert(id);
    }
    let stray = listing.merged.iter().map(|merged| merged.last.clone());
    told.extend(stray.filter(|id| meant.is(id)));
    // In the order of transactions; what is merged comes before what is left of the same ones.
    places.sort_by(|one, other| one.order().cmp(&other.order()));
    let mut kept = ManifestRecords::default();
    let single = listing.single.into_keys().filter(|id| meant.is(id));
    let mut committed: BTreeSet<String> = single.collect();
    let (mut merged, mut merged_parts) = (BTreeSet::new(), BTreeSet::new());
    let reads = places.into_iter().map(|place| async move {
        let found = bucket.get(place.key()).await?;
        Ok::<_, StoreError>((place, found))
    });
    let mut reads = stream::iter(reads).buffered(REQUESTS);
    while let Some((place, found)) = reads.try_next().await? {
        match place {
            ManifestPlace::Part(_, key) if merged_parts.contains(&key) => {}
            ManifestPlace::Part(_, key) => kept.add_part(&key, &found),
            ManifestPlace::Merged(place) => match place.decode(&found) {
                Err(cause) => kept.damaged.push((place.key, cause)),
                Ok(all) => {
                    for one in all.into_iter().filter(|one| meant.is(&one.id)) {
                        if !merged.insert(one.id.clone()) {
                            continue;
                        }
                        for (name, part) in &one.manifest {
                            kept.add_part(&place.key, part.as_bytes());
                            merged_parts.insert(one.part(store, name));
                        }
                        committed.insert(one.id);
                    }
                }
            },
        }
    }
    kept.uncommitted = told.difference(&committed).cloned().collect();
    kept.committed = committed.into_iter().collect();
    Ok(kept)
}

impl ManifestPlace {
    fn key(&self) -> &str {
        match self {
            Self::Part(_, key) | Self::Merged(MergedKey { key, .. }) => key,
        }
    }

    /// By this they sort.
    fn order(&self) -> (&str, bool, &str) {
        match self {
            Self::Part(id, key) => (id, true, key),
            Self::Merged(merged) => (&merged.first, false, &merged.key),
        }
    }
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
    use msm_zarr::layout;

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
