//! A store that is copied: what there is of it, and its root documents.
//!
//! Key type: [`SourceStore`].

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::stream::LocalBoxStream;
use futures::{StreamExt, TryStreamExt, stream};
use msm_zarr::{ObjectKind, Outline, ROOT_DOCUMENTS, Version, layout};

use super::CopiedStore;
use super::batch::CopyItem;
use super::ends::Ends;
use super::error::CopyError;
use super::place::Passage;
use crate::commit::{ManifestRecords, read_manifests};
use crate::error::Error;
use crate::store::{Bucket, ListedObject, StoreError};
use crate::transfer::Content;
use crate::verbs::stores::place::is_taken;
use crate::verbs::tally::Tally;

/// A store that is copied.
pub(in crate::verbs) struct SourceStore {
    pub passage: Passage,
    /// Its root documents, by their names.
    roots: BTreeMap<&'static str, Bytes>,
    /// Its objects, with those of its ledger.
    pub tally: Tally,
    /// Those of them of which no manifest tells.
    unrecorded: u64,
    /// Of their keys, sizes and times.
    listing: u64,
    /// Objects in its folder that are not of it, and the first of them.
    pub foreign: (u64, Option<String>),
}

/// What is recorded of a store's objects.
pub(super) struct RecordedObjects {
    outline: Option<Outline>,
    records: ManifestRecords,
}

impl SourceStore {
    /// The one that takes this way.
    pub(in crate::verbs) async fn of(bucket: &Bucket, passage: Passage) -> Result<Self, Error> {
        let mut store = Self {
            roots: BTreeMap::new(),
            tally: Tally::default(),
            unrecorded: 0,
            listing: 0,
            foreign: (0, None),
            passage,
        };
        store.roots = store.read_roots(bucket, &store.passage.from).await?;
        if !store.roots.keys().any(|name| is_document(name)) {
            let store = store.passage.from;
            return Err(CopyError::NoRoot { store }.into());
        }
        let from = store.passage.from.clone();
        let mut entries = entries(bucket, &from);
        while let Some(entry) = entries.try_next().await? {
            if ObjectKind::of(&from, &entry.key) == ObjectKind::Foreign {
                store.foreign.0 += 1;
                store.foreign.1.get_or_insert(entry.key);
            } else {
                store.tally.count(entry.bytes);
                let name = entry.key.rsplit('/').next().unwrap_or_default();
                let is_ledger = ObjectKind::of(&from, &entry.key) == ObjectKind::Ledger;
                store.unrecorded +=
                    u64::from(is_ledger || ROOT_DOCUMENTS.contains(&name) || name == ".zarray");
                let said = format!("{} {} {:?}", entry.key, entry.bytes, entry.modified);
                let digest = crc32c::crc32c(said.as_bytes());
                store.listing = store.listing.wrapping_add(u64::from(digest));
            }
        }
        drop(entries);
        Ok(store)
    }

    /// Checks that nothing of it would be left behind, nor anything deleted that is elsewhere, if it is moved.
    pub(in crate::verbs) async fn can_go(&self, bucket: &Bucket) -> Result<(), Error> {
        let store = self.passage.from.clone();
        if let Some(link) = bucket.links(&store).await?.first() {
            let link = link.path.clone();
            return Err(CopyError::Link { store, link }.into());
        }
        let (count, first) = &self.foreign;
        first.as_ref().map_or(Ok(()), |first| {
            Err(CopyError::Foreign {
                store,
                count: *count,
                first: first.clone(),
            }
            .into())
        })
    }

    /// Is it as it was looked at?
    pub(in crate::verbs) async fn is_unchanged(&self, bucket: &Bucket) -> Result<bool, Error> {
        let now = Self::of(bucket, self.passage.clone()).await?;
        Ok(now.roots == self.roots && now.listing == self.listing && now.tally == self.tally)
    }

    /// Are these all of its objects but for its root documents?
    pub(super) fn is_all_but_roots(&self, copied: Tally) -> bool {
        let roots = self.roots.values().map(|root| root.len() as u64);
        copied.objects + self.roots.len() as u64 == self.tally.objects
            && copied.bytes + roots.sum::<u64>() == self.tally.bytes
    }

    pub(super) fn report(&self, was_there: bool) -> CopiedStore {
        CopiedStore {
            from: self.passage.from.clone(),
            to: self.passage.destination(),
            tally: self.tally,
            unrecorded: self.unrecorded,
            was_there,
            unlike: 0,
            left_out: self.foreign.0,
        }
    }

    /// Is there a copy of it already, as far as root documents and the ledger tell?
    ///
    /// # Errors
    /// If something else is there.
    pub(in crate::verbs) async fn is_at_its_place(&self, ends: Ends<'_>) -> Result<bool, Error> {
        let Passage { from, to, .. } = &self.passage;
        if !is_taken(ends.to, to).await? {
            return Ok(false);
        }
        let last = async |bucket: &Bucket, store: &str| match bucket
            .get(&layout::last_transaction(store))
            .await
        {
            Ok(last) => Ok(Some(last)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        };
        if self.read_roots(ends.to, to).await? == self.roots
            && last(ends.to, to).await? == last(ends.from, from).await?
        {
            return Ok(true);
        }
        Err(self.taken().into())
    }

    fn taken(&self) -> CopyError {
        CopyError::Taken {
            store: self.passage.from.clone(),
            to: self.passage.destination(),
        }
    }

    /// What is said if comparing it with what is at its place failed so.
    pub(super) fn taken_by(&self, failure: Error) -> Error {
        match failure {
            Error::Copy(CopyError::Unlike { .. }) => self.taken().into(),
            failure => failure,
        }
    }

    /// What the manifests say of its objects.
    pub(super) async fn recorded(&self, bucket: &Bucket) -> Result<RecordedObjects, Error> {
        let store = &self.passage.from;
        let outlines = [Version::V3, Version::V2]
            .into_iter()
            .filter_map(|version| {
                let root = self.roots.get(version.root())?;
                Outline::of(store, version, root).ok()
            });
        let outline = { outlines }.next();
        Ok(RecordedObjects {
            outline,
            records: read_manifests(bucket, store).await?,
        })
    }

    /// Its objects but for its root documents, with their copies.
    pub(super) fn items<'a>(
        &'a self,
        bucket: &'a Bucket,
        recorded: &'a RecordedObjects,
    ) -> LocalBoxStream<'a, Result<CopyItem, StoreError>> {
        let Passage { from, to, .. } = &self.passage;
        let (ledger, new_ledger) = (layout::ledger(from), layout::ledger(to));
        let items = entries(bucket, from).try_filter_map(move |entry| {
            let item = match ObjectKind::of(from, &entry.key) {
                ObjectKind::Part => entry.key.strip_prefix(from.as_str()).map(|below| CopyItem {
                    to: format!("{to}{below}"),
                    bytes: entry.bytes,
                    recorded: recorded.of(from, &entry.key),
                    from: entry.key.clone(),
                }),
                ObjectKind::Ledger => entry.key.strip_prefix(&ledger).map(|below| CopyItem {
                    to: format!("{new_ledger}{below}"),
                    bytes: entry.bytes,
                    recorded: None,
                    from: entry.key.clone(),
                }),
                ObjectKind::Root(_) | ObjectKind::Foreign => None,
            };
            std::future::ready(Ok(item))
        });
        items.boxed_local()
    }

    /// Puts its root documents in their places: from then on readers see the copy.
    pub(super) async fn copy_roots(&self, bucket: &Bucket) -> Result<(), Error> {
        let Passage { from, to, .. } = &self.passage;
        // The one that readers begin with comes last.
        for name in ROOT_DOCUMENTS.iter().rev() {
            let Some(root) = self.roots.get(name) else {
                continue;
            };
            let key = layout::below(to, name);
            bucket.put(&key, root.clone()).await?;
            if bucket.get(&key).await? != *root {
                let from = layout::below(from, name);
                return Err(CopyError::Unlike { key, from }.into());
            }
        }
        Ok(())
    }

    async fn read_roots(
        &self,
        bucket: &Bucket,
        store: &str,
    ) -> Result<BTreeMap<&'static str, Bytes>, StoreError> {
        let mut roots = BTreeMap::new();
        for name in ROOT_DOCUMENTS {
            match bucket.get(&layout::below(store, name)).await {
                Ok(root) => drop(roots.insert(name, root)),
                Err(error) if error.is_missing() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(roots)
    }
}

impl RecordedObjects {
    /// The length and the digest of the object `key` of `store`.
    fn of(&self, store: &str, key: &str) -> Option<(u64, u32)> {
        let arrays = &self.outline.as_ref()?.arrays;
        let (array, chunk) = arrays
            .iter()
            .find_map(|array| Some((array, array.keys.chunk_of(store, key)?)))?;
        match self.records.get(&array.name, &chunk)? {
            Content::Stored {
                bytes,
                stored_crc32c,
                ..
            } => Some((bytes, stored_crc32c)),
            Content::Empty => None,
        }
    }
}

/// Does a store have to have one of these?
fn is_document(name: &str) -> bool {
    name != ".zattrs"
}

/// All that there is of `store`, but for what keeps other jobs away.
fn entries<'a>(
    bucket: &'a Bucket,
    store: &'a str,
) -> LocalBoxStream<'a, Result<ListedObject, StoreError>> {
    let folders = [store.to_owned(), layout::ledger(store)];
    let entries = stream::iter(folders).flat_map(move |folder| bucket.entries(&folder));
    let is_of_it = move |entry: &ListedObject| {
        let share = format!("{}/", layout::share(store));
        std::future::ready(!layout::is_in_use(store, &entry.key) && !entry.key.starts_with(&share))
    };
    entries.try_filter(is_of_it).boxed_local()
}
