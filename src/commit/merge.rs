//! Merging a ledger as it grows: what transactions left of small objects becomes one object, and these become fewer and wider ones, so
//! that their number grows with the logarithm of that of the transactions.
//!
//! Key functions: [`is_due`], [`merge_ledger`]; key types: [`LedgerObjects`], what there is; [`MergePlan`].
//!
//! Whoever holds the store's lease merges. A merged object is put, and read back, before anything goes that it tells of; what a job leaves
//! that dies in between, the next one removes.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};

use futures::{StreamExt, TryStreamExt, stream};
use msm_zarr::layout;

use super::cleanup::{CleanupError, remove};
use super::committed::LedgerListing;
use super::journal::JournalEntry;
use super::merged::{MOST_BYTES, MergedKey, MergedTransaction, put_merged};
use super::object_record::ObjectRecord;
use super::transaction_id::number_of;
use crate::store::{Bucket, ListedObject, REQUESTS, StoreError};

/// Transactions of a store between two looks.
const EVERY: u64 = 4;
/// Of fewer, the ledger stays as it is.
const FEWEST: u64 = 8;
/// The last ones, which `rollback` is likely to undo, and with whose copies it does, stay as they are.
const LATEST: usize = 1;
/// So many that follow each other are worth merging.
const LEAST: usize = EVERY as usize - LATEST;
/// So many more transactions than what comes to it a merged object has, or it is merged again.
const GROWTH: u64 = 4;
/// Bytes of a transaction that is not merged: of so many objects, its own are few.
const MOST_OF_ONE: u64 = MOST_BYTES / 8;

/// Should the ledger of a store be merged whose last transaction had the number `before`, and now has the number `now`?
#[must_use]
pub(crate) fn is_due(before: u64, now: u64) -> bool {
    now / EVERY > before / EVERY && now >= FEWEST
}

/// Merges the ledger of `store`, whose lease is ours and whose transactions have all ended.
///
/// # Errors
/// As the server says; then what is there says what it said, and the next one goes on with it.
pub(crate) async fn merge_ledger(bucket: &Bucket, store: &str) -> Result<(), CleanupError> {
    let ledger = LedgerObjects::of(bucket, store).await?;
    // What one left that died.
    for merged in ledger.listing.in_force() {
        if ledger.has_more_of(merged)
            && let Ok(all) = merged.read(bucket).await?
        {
            ledger.clear(merged, &all).await?;
        }
    }
    for MergePlan { merged, single } in ledger.plan() {
        ledger.merge(&merged, &single).await?;
    }
    Ok(())
}

/// What there is of a ledger that can be merged.
struct LedgerObjects<'a> {
    bucket: &'a Bucket,
    store: &'a str,
    listing: LedgerListing,
    /// The sizes of what transactions that only added to the store are undone by, by their ids.
    additions: BTreeMap<String, u64>,
    /// Transactions of which copies are kept.
    copied: BTreeSet<String>,
}

/// What becomes one object.
#[derive(Debug, PartialEq, Eq)]
struct MergePlan {
    /// Merged objects, one behind the other.
    merged: Vec<MergedKey>,
    /// The ids of the transactions behind them.
    single: Vec<String>,
}

impl<'a> LedgerObjects<'a> {
    async fn of(bucket: &'a Bucket, store: &'a str) -> Result<Self, StoreError> {
        let name = |key: &str| key.rsplit('/').next().unwrap_or_default().to_owned();
        let additions: Vec<ListedObject> = bucket
            .entries(&layout::additions(store))
            .try_collect()
            .await?;
        let undos = bucket.folder(&layout::undos(store)).await?;
        Ok(Self {
            bucket,
            store,
            listing: LedgerListing::of(bucket, store).await?,
            additions: additions
                .iter()
                .map(|entry| (name(&entry.key), entry.bytes))
                .collect(),
            copied: undos.folders.iter().map(|folder| name(folder)).collect(),
        })
    }

    /// What is to be merged.
    fn plan(&self) -> Vec<MergePlan> {
        let mut in_force = self.listing.in_force();
        let last = in_force
            .last()
            .map_or(Unbounded, |merged| Excluded(&merged.last));
        let behind = self.listing.single.range::<String, _>((last, Unbounded));
        let behind: Vec<&String> = behind.map(|(id, _)| id).collect();
        let old = behind.len().saturating_sub(LATEST);
        let mut plans = Vec::new();
        // Of what is kept or large, no object tells.
        let runs = behind[..old].split(|id| !self.can_be_merged(id));
        for (number, mut run) in runs.enumerate() {
            while run.len() >= LEAST {
                let mut bytes = 0;
                let fits = run.iter().take_while(|id| {
                    bytes += self.bytes(id);
                    bytes <= MOST_BYTES
                });
                let (now, later) = run.split_at(fits.count());
                let mut merged = Vec::new();
                if number == 0 && plans.is_empty() {
                    let single = now.iter().map(|id| self.bytes(id)).sum();
                    merged = self.joined(&mut in_force, now.len() as u64, single);
                }
                let single = now.iter().map(|&id| id.clone()).collect();
                plans.push(MergePlan { merged, single });
                run = later;
            }
        }
        plans
    }

    /// The last of `in_force` that so many transactions of so many bytes are merged with.
    fn joined(
        &self,
        in_force: &mut Vec<&MergedKey>,
        mut count: u64,
        mut bytes: u64,
    ) -> Vec<MergedKey> {
        let mut joined = Vec::new();
        while let Some(last) = in_force.pop() {
            let numbers = [&last.first, &last.last].map(|id| number_of(id).unwrap_or(0));
            let transactions = numbers[1].saturating_sub(numbers[0]).saturating_add(1);
            if transactions > count.saturating_mul(GROWTH) || bytes + last.bytes > MOST_BYTES {
                break;
            }
            count = count.saturating_add(transactions);
            bytes += last.bytes;
            joined.push(last.clone());
            // Something that is not merged may lie between it and those before.
            let before = in_force.last().map(|before| &before.last);
            let mut single = self.listing.single.keys();
            if single.any(|id| Some(id) > before && *id < last.first) {
                break;
            }
        }
        joined.reverse();
        joined
    }

    fn can_be_merged(&self, id: &str) -> bool {
        number_of(id).is_some() && !self.copied.contains(id) && self.bytes(id) <= MOST_OF_ONE
    }

    /// Bytes of what the transaction `id` left.
    fn bytes(&self, id: &str) -> u64 {
        let own = [&self.listing.single, &self.additions].map(|sizes| sizes.get(id).unwrap_or(&0));
        let parts = self.parts(id).map(|part| part.bytes);
        own.into_iter().copied().chain(parts).sum()
    }

    /// The parts of the manifest of the transaction `id`.
    fn parts(&self, id: &str) -> impl Iterator<Item = &ListedObject> {
        let all = &self.listing.parts;
        let first = all.partition_point(|(other, _)| other.as_str() < id);
        let of_id = all[first..]
            .iter()
            .take_while(move |(other, _)| other == id);
        of_id.map(|(_, part)| part)
    }

    /// Merges the transactions in `merged` with the `single` ones behind them, up to one that is damaged.
    async fn merge(&self, merged: &[MergedKey], single: &[String]) -> Result<(), CleanupError> {
        let mut all = Vec::new();
        for key in merged {
            match key.read(self.bucket).await? {
                Ok(transactions) => all.extend(transactions),
                // It stays as it is.
                Err(_) => all.clear(),
            }
        }
        let reads = single.iter().map(|id| self.read(id));
        let read: Vec<Option<MergedTransaction>> =
            stream::iter(reads).buffered(REQUESTS).try_collect().await?;
        let runs = read.split(Option::is_none);
        let runs = runs.map(|run| run.iter().flatten().cloned().collect::<Vec<_>>());
        for (number, run) in runs.enumerate() {
            let mut whole = if number == 0 {
                std::mem::take(&mut all)
            } else {
                Vec::new()
            };
            if run.len() < LEAST {
                continue;
            }
            whole.extend(run);
            if let Some(key) = put_merged(self.bucket, self.store, &whole).await? {
                self.clear(&key, &whole).await?;
            }
        }
        Ok(())
    }

    /// What the transaction `id` left, as it is; `None` if something of it is not what it should be.
    async fn read(&self, id: &str) -> Result<Option<MergedTransaction>, StoreError> {
        let text = |bytes: bytes::Bytes| String::from_utf8(bytes.into()).ok();
        let (bucket, store) = (self.bucket, self.store);
        let record = there(bucket.get_dated(&layout::transaction(store, id)).await)?;
        let record = record.and_then(|(record, put)| Some((text(record)?, put)));
        let Some((record, put)) = record else {
            return Ok(None);
        };
        let mut one = MergedTransaction {
            id: id.to_owned(),
            put,
            record,
            addition: None,
            manifest: BTreeMap::new(),
        };
        if self.additions.contains_key(id) {
            let addition = there(bucket.get(&layout::addition(store, id)).await)?.and_then(text);
            one.addition =
                addition.filter(|text| JournalEntry::parse(text.as_bytes(), store).is_ok());
            if one.addition.is_none() {
                return Ok(None);
            }
        }
        for part in self.parts(id) {
            let name = part.key.strip_prefix(&layout::manifest(store, id));
            let name = name.unwrap_or_default().trim_start_matches('/');
            let found = there(bucket.get(&part.key).await)?.and_then(text);
            let Some(found) = found.filter(|text| ObjectRecord::read(text.as_bytes()).is_ok())
            else {
                return Ok(None);
            };
            one.manifest.insert(name.to_owned(), found);
        }
        Ok(Some(one).filter(MergedTransaction::is_sound))
    }

    /// Is something there that `merged` may tell of, too?
    fn has_more_of(&self, merged: &MergedKey) -> bool {
        let mut ids = self.listing.single.keys().chain(self.additions.keys());
        let mut parts = self.listing.parts.iter();
        ids.any(|id| merged.covers(id) && *id != merged.last)
            || parts.any(|(id, _)| merged.covers(id))
            || self.narrower(merged).next().is_some()
    }

    /// The merged objects of which `merged` tells all.
    fn narrower(&self, merged: &MergedKey) -> impl Iterator<Item = &MergedKey> {
        let others = self.listing.merged.iter();
        others.filter(move |other| {
            other.key != merged.key && merged.covers(&other.first) && merged.covers(&other.last)
        })
    }

    /// Removes what `merged` tells of, which holds `all`, but for the record by which it counts.
    async fn clear(
        &self,
        merged: &MergedKey,
        all: &[MergedTransaction],
    ) -> Result<(), CleanupError> {
        let store = self.store;
        let (mut additions, mut manifests, mut records) = (Vec::new(), Vec::new(), Vec::new());
        for MergedTransaction {
            id,
            addition,
            manifest,
            ..
        } in all
        {
            if addition.is_some() && self.additions.contains_key(id) {
                additions.push(layout::addition(store, id));
            }
            let folder = layout::manifest(store, id);
            let parts = self.parts(id).map(|part| part.key.clone());
            manifests.extend(parts.filter(|key| {
                let name = key.strip_prefix(&folder).unwrap_or_default();
                manifest.contains_key(name.trim_start_matches('/'))
            }));
            if *id != merged.last && self.listing.single.contains_key(id) {
                records.push(layout::transaction(store, id));
            }
        }
        manifests.extend(self.narrower(merged).map(|other| other.key.clone()));
        // Without these, a version of this program that does not know merged ones undoes nothing that they are of.
        remove(self.bucket, additions).await?;
        remove(self.bucket, manifests).await?;
        remove(self.bucket, records).await
    }
}

/// What was listed, unless it is gone: a listing may lag behind.
fn there<T>(found: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}
