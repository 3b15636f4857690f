//! Which transactions of a store were committed: those with a record of their own, and those whose records were merged.
//!
//! Key types: [`LedgerListing`], what is listed of them; [`CommittedTransactions`], what the ledger says of all.

use std::collections::{BTreeMap, BTreeSet};

use futures::TryStreamExt;
use msm_zarr::layout;

use super::manifests::first_below;
use super::merged::MergedKey;
use super::transaction_id::is_id;
use crate::store::{Bucket, ListedObject, StoreError};

/// Looks at a ledger of which something is gone by the time it is read: a job merges it.
const LOOKS: usize = 5;

/// What a ledger lists of committed transactions and of manifests.
pub(super) struct LedgerListing {
    /// The transactions with a record of their own, with its size.
    pub single: BTreeMap<String, u64>,
    /// Parts of manifests, by the ids of their transactions, in order.
    pub parts: Vec<(String, ListedObject)>,
    /// All merged objects.
    pub merged: Vec<MergedKey>,
}

/// What the ledger says of the committed transactions of a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CommittedTransactions {
    /// Their ids, in order.
    pub ids: Vec<String>,
    /// The records of those that were merged, as they are, and when they were put.
    pub merged: BTreeMap<String, (String, String)>,
    /// Those of which something is kept to undo them by.
    kept: BTreeSet<String>,
    /// Merged objects that cannot be read, by their keys, with the cause: others may have been committed.
    pub damaged: Vec<(String, String)>,
}

impl LedgerListing {
    /// That of `store`. Records are listed first: whatever is not listed any more was merged before, and manifests tell of it.
    pub(super) async fn of(bucket: &Bucket, store: &str) -> Result<Self, StoreError> {
        let transactions = layout::transactions(store);
        let records: Vec<ListedObject> = bucket.entries(&transactions).try_collect().await?;
        let id = |entry: ListedObject| {
            Some((
                first_below(&transactions, &entry.key)?.to_owned(),
                entry.bytes,
            ))
        };
        let single = records.into_iter().filter_map(id).collect();
        let manifests = layout::manifests(store);
        let mut parts: Vec<ListedObject> = bucket.entries(&manifests).try_collect().await?;
        parts.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        let mut listing = Self {
            single,
            parts: Vec::new(),
            merged: Vec::new(),
        };
        for part in parts {
            let Some(id) = first_below(&manifests, &part.key) else {
                continue;
            };
            match MergedKey::of(store, id, &part.key) {
                Some(merged) => listing.merged.push(merged),
                None => listing.parts.push((id.to_owned(), part)),
            }
        }
        Ok(listing)
    }

    /// The merged objects that count, in order, without those of which others tell all.
    pub(super) fn in_force(&self) -> Vec<&MergedKey> {
        let counts = self.merged.iter();
        let mut counts: Vec<&MergedKey> = counts
            .filter(|merged| self.single.contains_key(&merged.last))
            .collect();
        // The wider one first.
        counts.sort_unstable_by_key(|merged| (&merged.first, std::cmp::Reverse(&merged.last)));
        let mut last: Option<&String> = None;
        counts.retain(|merged| {
            let is_wider = last.is_none_or(|last| *last < merged.last);
            if is_wider {
                last = Some(&merged.last);
            }
            is_wider
        });
        counts
    }
}

impl CommittedTransactions {
    /// That of `store`.
    ///
    /// # Errors
    /// As the server says.
    pub(crate) async fn of(bucket: &Bucket, store: &str) -> Result<Self, StoreError> {
        unmoved(async || Self::read(bucket, store).await).await
    }

    async fn read(bucket: &Bucket, store: &str) -> Result<Self, StoreError> {
        // Listed first, for they may be merged meanwhile.
        let mut kept = bucket.list(&layout::additions(store)).await?;
        kept.extend(bucket.folder(&layout::undos(store)).await?.folders);
        let names = kept.iter().filter_map(|key| key.rsplit('/').next());
        let mut found = Self {
            kept: names.map(str::to_owned).collect(),
            ..Self::default()
        };
        let listing = LedgerListing::of(bucket, store).await?;
        for merged in listing.in_force() {
            match merged.read(bucket).await? {
                Err(cause) => found.damaged.push((merged.key.clone(), cause)),
                Ok(transactions) => {
                    for one in transactions {
                        if one.addition.is_some() {
                            found.kept.insert(one.id.clone());
                        }
                        found.merged.insert(one.id, (one.record, one.put));
                    }
                }
            }
        }
        let single = listing.single.into_keys().filter(|id| is_id(id));
        let all: BTreeSet<String> = single.chain(found.merged.keys().cloned()).collect();
        found.ids = all.into_iter().collect();
        Ok(found)
    }

    /// Those that can be undone, the last first: up to one of which nothing is kept.
    pub(crate) fn undoable(&self) -> impl Iterator<Item = &String> {
        let last = self.ids.iter().rev();
        last.take_while(|id| self.kept.contains(id.as_str()))
    }
}

/// What `id`, a merged transaction of `store` that only added to it, is undone by, and where that is; `None` if nothing is kept of it.
///
/// # Errors
/// As the server says, or if the object that tells of it cannot be read.
pub(super) async fn merged_addition(
    bucket: &Bucket,
    store: &str,
    id: &str,
) -> Result<Option<(String, String)>, StoreError> {
    let listing = LedgerListing::of(bucket, store).await?;
    let in_force = listing.in_force();
    let Some(merged) = in_force.into_iter().find(|merged| merged.covers(id)) else {
        return Ok(None);
    };
    let all = merged.read_whole(bucket).await?;
    let of_id = all.into_iter().find(|one| one.id == id);
    let addition = of_id.and_then(|one| one.addition);
    Ok(addition.map(|text| (merged.key.clone(), text)))
}

/// What `read` finds, tried again if something of it was gone: whoever reads has no lease, and jobs merge ledgers.
///
/// # Errors
/// As `read`.
pub(crate) async fn unmoved<T>(
    read: impl AsyncFn() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    for _ in 1..LOOKS {
        match read().await {
            Err(error) if error.is_missing() => {}
            done => return done,
        }
    }
    read().await
}
