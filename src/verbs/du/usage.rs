//! What a store takes, by what its objects are. Pure.
//!
//! Key types: [`StoreUsage`]; [`UsageTotal`]; [`Counter`], which tells objects apart by their keys.

use std::collections::{BTreeMap, BTreeSet};

use msm_zarr::{Group, ObjectKind, layout};
use serde::Serialize;

use crate::verbs::tally::Tally;

/// What a store takes; with `--json`, these are its members.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StoreUsage {
    /// Its key.
    pub store: String,
    /// Why it cannot be told which arrays it has; then what lies in a folder of it counts as an array of the folder's name.
    pub problem: Option<String>,
    /// All of it.
    pub total: Tally,
    /// The chunks or shards of each array, by its path below the store.
    pub arrays: BTreeMap<String, Tally>,
    /// The documents of arrays and groups.
    pub documents: Tally,
    /// What lies in the store and belongs to none of them.
    pub other: Tally,
    /// Its ledger.
    pub ledger: LedgerUsage,
}

/// What a ledger takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LedgerUsage {
    /// Copies of what transactions replaced, for `rollback`.
    pub undo: Tally,
    /// What it needs to undo transactions that only added to the store.
    pub additions: Tally,
    /// Manifests of transactions.
    pub manifests: Tally,
    /// Records of transactions.
    pub transactions: Tally,
    /// Journals of transactions that have not ended.
    pub journal: Tally,
    /// What tells of an archive that jobs share in sending.
    pub share: Tally,
    /// Leases.
    pub lease: Tally,
    /// What is none of this.
    pub other: Tally,
}

/// What all stores take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UsageTotal {
    /// How many there are.
    pub stores: u64,
    /// All of them.
    pub total: Tally,
    /// Chunks and shards.
    pub arrays: Tally,
    /// The documents of arrays and groups.
    pub documents: Tally,
    /// What lies in the stores and belongs to none of them.
    pub other: Tally,
    /// The ledgers.
    pub ledger: LedgerUsage,
}

impl UsageTotal {
    /// Adds what a store takes. Where files are being read for one is no store.
    pub fn add(&mut self, usage: &StoreUsage) {
        self.stores += u64::from(!layout::is_reading(&usage.store));
        self.total.add(usage.total);
        for tally in usage.arrays.values() {
            self.arrays.add(*tally);
        }
        self.documents.add(usage.documents);
        self.other.add(usage.other);
        self.ledger.add(&usage.ledger);
    }
}

impl LedgerUsage {
    fn add(&mut self, other: &Self) {
        self.undo.add(other.undo);
        self.additions.add(other.additions);
        self.manifests.add(other.manifests);
        self.transactions.add(other.transactions);
        self.journal.add(other.journal);
        self.share.add(other.share);
        self.lease.add(other.lease);
        self.other.add(other.other);
    }

    /// Where an object of the ledger of `store` counts.
    fn tally(&mut self, store: &str, key: &str) -> &mut Tally {
        let is_in = |folder: String| {
            let below = key.strip_prefix(&folder);
            below.is_some_and(|below| below.starts_with('/'))
        };
        if is_in(layout::undos(store)) {
            &mut self.undo
        } else if is_in(layout::additions(store)) {
            &mut self.additions
        } else if is_in(layout::manifests(store)) {
            &mut self.manifests
        } else if is_in(layout::transactions(store)) || key == layout::last_transaction(store) {
            &mut self.transactions
        } else if is_in(layout::journals(store)) {
            &mut self.journal
        } else if is_in(layout::share(store)) {
            &mut self.share
        } else if is_in(layout::leases(store)) {
            &mut self.lease
        } else {
            &mut self.other
        }
    }
}

/// Counts the objects of a store, one after the other.
pub(super) struct Counter {
    /// The topmost group.
    store: String,
    /// Its arrays, if that is known.
    arrays: Option<BTreeSet<String>>,
    /// What was counted so far.
    pub usage: StoreUsage,
}

impl Counter {
    /// Counts what is of `group`, in which these `arrays` are, or, for some `problem`, nobody knows which.
    pub(super) fn new(
        group: &Group,
        arrays: Option<BTreeSet<String>>,
        problem: Option<String>,
    ) -> Self {
        let names = arrays.iter().flatten().cloned();
        let usage = StoreUsage {
            store: group.key(),
            problem,
            arrays: names.map(|name| (name, Tally::default())).collect(),
            ..StoreUsage::default()
        };
        Self {
            store: group.store.clone(),
            arrays,
            usage,
        }
    }

    /// Counts the object `key`.
    pub(super) fn count(&mut self, key: &str, bytes: u64) {
        self.usage.total.count(bytes);
        let tally = match ObjectKind::of(&self.store, key) {
            ObjectKind::Ledger => self.usage.ledger.tally(&self.store, key),
            ObjectKind::Root(_) => &mut self.usage.documents,
            ObjectKind::Part if is_document(key) => &mut self.usage.documents,
            ObjectKind::Part => match self.array_of(key) {
                Some(array) => self.usage.arrays.entry(array).or_default(),
                None => &mut self.usage.other,
            },
            ObjectKind::Foreign => &mut self.usage.other,
        };
        tally.count(bytes);
    }

    /// The array of the chunk or shard `key`; `None` if the store has no such array.
    fn array_of(&self, key: &str) -> Option<String> {
        let below = key.strip_prefix(&self.store)?.trim_start_matches('/');
        let mut folders = below.match_indices('/').map(|(end, _)| &below[..end]);
        let array = match &self.arrays {
            Some(arrays) => folders.find(|folder| arrays.contains(*folder)),
            None => folders.next(),
        };
        array.map(str::to_owned)
    }
}

/// Is this, in a store, the key of a document?
fn is_document(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or_default();
    ["zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(group: &Group, arrays: Option<&[&str]>, keys: &[&str]) -> StoreUsage {
        let arrays = arrays.map(|names| names.iter().map(|&name| name.to_owned()).collect());
        let mut counter = Counter::new(group, arrays, None);
        for key in keys {
            counter.count(key, 10);
        }
        counter.usage
    }

    fn tally(objects: u64) -> Tally {
        let bytes = objects * 10;
        Tally { objects, bytes }
    }

    #[test]
    fn objects_are_told_apart_by_their_keys() {
        let keys = [
            "a/tos.zarr/zarr.json",
            "a/tos.zarr/tos/zarr.json",
            "a/tos.zarr/tos/c/0/0",
            "a/tos.zarr/tos/c/1/0",
            "a/tos.zarr/gone/c/0",
            "a/tos.zarr/notes.txt",
            "a/tos.zarr/tos/notes.txt",
            "a/.msm-os/tos.zarr/last.json",
            "a/.msm-os/tos.zarr/transactions/1",
            "a/.msm-os/tos.zarr/manifests/1/0",
            "a/.msm-os/tos.zarr/undo/1/objects/tos/c/0/0",
            "a/.msm-os/tos.zarr/undo/1/before",
            "a/.msm-os/tos.zarr/additions/1",
            "a/.msm-os/tos.zarr/journal/2.open",
            "a/.msm-os/tos.zarr/share/archive.json",
            "a/.msm-os/tos.zarr/lease/1",
            "a/.msm-os/tos.zarr/whatever",
        ];
        let store = Group::whole("a/tos.zarr");
        let usage = counted(&store, Some(&["tos", "empty"]), &keys);
        let expected = StoreUsage {
            store: "a/tos.zarr".to_owned(),
            problem: None,
            total: tally(17),
            arrays: [("empty", 0), ("tos", 2)]
                .map(|(name, objects)| (name.to_owned(), tally(objects)))
                .into(),
            documents: tally(2),
            other: tally(3),
            ledger: LedgerUsage {
                undo: tally(2),
                additions: tally(1),
                manifests: tally(1),
                transactions: tally(2),
                journal: tally(1),
                share: tally(1),
                lease: tally(1),
                other: tally(1),
            },
        };
        assert_eq!(usage, expected);
        let mut total = UsageTotal::default();
        total.add(&usage);
        total.add(&usage);
        assert_eq!((total.stores, total.total), (2, tally(34)));
        assert_eq!((total.arrays, total.ledger.undo), (tally(4), tally(4)));
        // Where nobody knows which arrays there are, folders are taken for some.
        let usage = counted(&store, None, &keys);
        assert_eq!(usage.arrays["gone"], tally(1));
        assert_eq!(usage.other, tally(2));
    }

    #[test]
    fn arrays_of_groups_have_paths() {
        let group = Group {
            store: "tree.zarr".to_owned(),
            path: "gridT".to_owned(),
        };
        let keys = ["tree.zarr/gridT/zarr.json", "tree.zarr/gridT/12/0/1"];
        let usage = counted(&group, Some(&["gridT/12"]), &keys);
        assert_eq!(usage.store, "tree.zarr/gridT");
        assert_eq!(usage.arrays["gridT/12"], tally(1));
        assert_eq!(usage.documents, tally(1));
    }
}
