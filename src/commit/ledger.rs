//! The ledger's record of a store's last transaction: what `list` tells of a store without walking through it.
//!
//! Key type: [`LastTransaction`].

use std::collections::BTreeMap;

use msm_model::ArrayRecipe;
use msm_plan::Plan;
use msm_zarr::layout;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::command_run::{CommandRun, FileSpan};
use super::manifest::Manifest;
use crate::store::{Bucket, KeptProbe, StoreError};

/// What the last transaction made of a store. When that was, is when the record was put.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LastTransaction {
    /// Its number: 1 created the store.
    pub transaction: u64,
    /// The command that made it.
    pub command: String,
    /// Steps it added or overwrote.
    pub steps: u64,
    /// Bytes of all the store's objects, documents included; `None` if they were not known before.
    pub stored_bytes: Option<u64>,
    /// Number of the store's objects, documents included; `None` if it was not known before.
    pub objects: Option<u64>,
    /// Documents among the objects, and their bytes.
    pub documents: [u64; 2],
    /// crc32c of the store's root document: if the store has another, the record is not of its last transaction.
    pub root_crc32c: u32,
    /// Which command of a person it is of; `None` in records of older versions of this program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<CommandRun>,
    /// Of which files it was, if of any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<FileSpan>,
    /// By array, the recipe that it was made by, if it was: true whatever the root document is, as long as the store is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub recipes: StoreRecipes,
    /// Are there arrays, among those that `recipes` does not name, of which nobody knows what they were made by?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_untold_arrays: bool,
    /// What the server was found to guarantee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<KeptProbe>,
}

/// By the path of an array in its store, what it was made by.
pub(crate) type StoreRecipes = BTreeMap<String, ArrayRecipe>;

impl LastTransaction {
    /// The record of the store with this root document, and when it was put; `None` if there is no record, or it is of
    /// another root document.
    ///
    /// # Errors
    /// If the server does not give it.
    pub(crate) async fn read(
        bucket: &Bucket,
        store: &str,
        root: &str,
    ) -> Result<Option<(Self, String)>, StoreError> {
        let crc = crc32c::crc32c(root.as_bytes());
        let found = match bucket.get_dated(&layout::last_transaction(store)).await {
            Ok(found) => found,
            Err(error) if error.is_missing() => return Ok(None),
            Err(error) => return Err(error),
        };
        let (record, put) = found;
        // One that cannot be read is as good as none: it only saves work.
        let record: Option<Self> = serde_json::from_slice(&record).ok();
        Ok(record
            .filter(|record| record.root_crc32c == crc)
            .map(|record| (record, put)))
    }

    /// The record as it is, whatever the store has become since; `None` if there is none, or it cannot be read.
    ///
    /// # Errors
    /// If the server does not give it.
    pub(crate) async fn of_store(bucket: &Bucket, store: &str) -> Result<Option<Self>, StoreError> {
        match bucket.get(&layout::last_transaction(store)).await {
            Ok(record) => Ok(serde_json::from_slice(&record).ok()),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The record of the transaction that the plan's store `index` goes through, of which `manifest` tells.
    #[must_use]
    pub(crate) fn new(
        plan: &Plan,
        index: usize,
        manifest: &Manifest,
        command: &str,
        number: u64,
        previous: Option<&Self>,
    ) -> Self {
        let store = &plan.stores[index];
        let (stored, replaced) = manifest.changes(index);
        let mut record = Self::of_roots(
            store.old_root.as_deref(),
            &store.new_root,
            command,
            number,
            previous,
            [stored, replaced],
        );
        record.steps = store.new_steps + store.replaced_steps;
        record.has_untold_arrays |= store.has_untold_arrays;
        for (array, recipe) in &store.recipes {
            if recipe.is_empty() {
                record.recipes.remove(array);
            } else {
                record.recipes.insert(array.clone(), recipe.clone());
            }
        }
        record
    }

    /// The record of a transaction that makes `new_root` of `old_root`, and stores and replaces so many objects and
    /// bytes besides; of no steps.
    pub(super) fn of_roots(
        old_root: Option<&str>,
        new_root: &str,
        command: &str,
        number: u64,
        previous: Option<&Self>,
        [stored, replaced]: [[u64; 2]; 2],
    ) -> Self {
        let of_this_root = |last: &&Self| {
            old_root.is_some_and(|old| last.root_crc32c == crc32c::crc32c(old.as_bytes()))
        };
        let documents = documents(new_root);
        let [objects, stored_bytes] = Self::after(
            previous.filter(of_this_root),
            old_root.is_none(),
            stored,
            replaced,
            documents,
        );
        Self {
            transaction: number,
            command: command.to_owned(),
            steps: 0,
            stored_bytes,
            objects,
            documents,
            root_crc32c: crc32c::crc32c(new_root.as_bytes()),
            run: None,
            files: None,
            recipes: recipes(previous.filter(|_| old_root.is_some()), new_root),
            has_untold_arrays: old_root.is_some() && is_untold(previous),
            server: None,
        }
    }

    /// The record of a transaction that left the root document `root`, and how many objects is not known.
    #[must_use]
    pub(crate) fn of_documents(
        number: u64,
        command: &str,
        root: &str,
        previous: Option<&Self>,
    ) -> Self {
        Self {
            transaction: number,
            command: command.to_owned(),
            steps: 0,
            stored_bytes: None,
            objects: None,
            documents: documents(root),
            root_crc32c: crc32c::crc32c(root.as_bytes()),
            run: None,
            files: None,
            recipes: recipes(previous, root),
            has_untold_arrays: is_untold(previous),
            server: None,
        }
    }

    /// What follows `before` when a transaction stores and replaces this many objects and bytes.
    fn after(
        before: Option<&Self>,
        is_new: bool,
        stored: [u64; 2],
        replaced: [u64; 2],
        documents: [u64; 2],
    ) -> [Option<u64>; 2] {
        let known = match before {
            _ if is_new => [Some(0); 2],
            Some(before) => {
                let without = |all: Option<u64>, i: usize| all?.checked_sub(before.documents[i]);
                [without(before.objects, 0), without(before.stored_bytes, 1)]
            }
            None => [None; 2],
        };
        [0, 1].map(|i| {
            let with = known[i]?.checked_add(stored[i])?;
            with.checked_add(documents[i])?.checked_sub(replaced[i])
        })
    }
}

/// What the arrays of a store, those that `root` tells of, were made by before a transaction.
fn recipes(previous: Option<&LastTransaction>, root: &str) -> StoreRecipes {
    let mut recipes = previous.map_or_else(StoreRecipes::new, |previous| previous.recipes.clone());
    if !recipes.is_empty() {
        let document: Value = serde_json::from_str(root).unwrap_or_default();
        let told = consolidated(&document);
        recipes.retain(|name, _| {
            !told[name.as_str()].is_null() || !told[format!("{name}/.zarray")].is_null()
        });
    }
    recipes
}

/// Does nobody know what arrays of a store that is there were made by?
fn is_untold(previous: Option<&LastTransaction>) -> bool {
    previous.is_none_or(|previous| previous.has_untold_arrays)
}

/// What a root document, of either version, consolidates.
fn consolidated(root: &Value) -> &Value {
    match &root["consolidated_metadata"]["metadata"] {
        Value::Null => &root["metadata"],
        inline => inline,
    }
}

/// Number and bytes of a store's documents: those that its root document, of either version, consolidates, and itself.
fn documents(root: &str) -> [u64; 2] {
    let document: Value = serde_json::from_str(root).unwrap_or_default();
    let documents = consolidated(&document).as_object().into_iter().flatten();
    documents.fold([1, root.len() as u64], |all, (_, document)| {
        [all[0] + 1, all[1] + document.to_string().len() as u64]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn last(objects: Option<u64>, documents: u64) -> LastTransaction {
        LastTransaction {
            transaction: 1,
            command: "send".to_owned(),
            steps: 1,
            stored_bytes: objects.map(|n| n * 10),
            objects,
            documents: [documents, documents * 10],
            root_crc32c: 0,
            run: None,
            files: None,
            recipes: StoreRecipes::new(),
            has_untold_arrays: false,
            server: None,
        }
    }

    #[test]
    fn unknown_totals_stay_unknown() {
        let after = |before: Option<&LastTransaction>, is_new| {
            LastTransaction::after(before, is_new, [5, 50], [1, 10], [2, 20])
        };
        assert_eq!(after(None, true), [Some(6), Some(60)]);
        assert_eq!(after(None, false), [None; 2]);
        assert_eq!(after(Some(&last(None, 2)), false), [None; 2]);
        assert_eq!(after(Some(&last(Some(9), 2)), false), [Some(13), Some(130)]);
        // A record that cannot be true.
        assert_eq!(after(Some(&last(Some(1), 2)), false), [None; 2]);
    }

    #[test]
    fn what_arrays_were_made_by_goes_along() {
        let recipe = ArrayRecipe {
            keep_bits: Some(3),
            ..ArrayRecipe::default()
        };
        let mut before = last(None, 2);
        before.recipes.insert("tos".to_owned(), recipe);
        let changes = [[0; 2]; 2];
        let root = r#"{"consolidated_metadata": {"metadata": {"tos": {}}}}"#;
        let older = r#"{"metadata": {"tos/.zarray": {}}}"#;
        let after = |old, new| {
            LastTransaction::of_roots(old, new, "delete", 2, Some(&before), changes).recipes
        };
        // Also behind a root document that another program put.
        assert_eq!(after(Some("other"), root).len(), 1);
        assert_eq!(after(Some("other"), older).len(), 1);
        assert_eq!(after(None, root), StoreRecipes::new());
        // An array that is gone was made by none.
        assert_eq!(after(Some("other"), "{}"), StoreRecipes::new());
        let consolidated = LastTransaction::of_documents(2, "consolidate", root, Some(&before));
        assert_eq!(consolidated.recipes, before.recipes);
        let json = serde_json::to_string(&consolidated).unwrap();
        assert_eq!(
            serde_json::from_str::<LastTransaction>(&json).unwrap(),
            consolidated
        );
        // Of what was there before this program knew it, nobody knows.
        let first = LastTransaction::of_roots(Some(root), root, "send", 1, None, changes);
        let next = LastTransaction::of_documents(2, "consolidate", root, Some(&first));
        let created = LastTransaction::of_roots(None, root, "send", 1, None, changes);
        let untold = [first, next, created].map(|record| record.has_untold_arrays);
        assert_eq!(untold, [true, true, false]);
        // As it was before there were recipes.
        let plain = serde_json::to_string(&last(None, 2)).unwrap();
        assert!(!plain.contains("recipes"), "{plain}");
        serde_json::from_str::<LastTransaction>(&plain).unwrap();
    }

    proptest! {
        #[test]
        fn totals_are_those_of_a_count(steps in proptest::collection::vec((0u64..9, 0u64..3), 1..9)) {
            let (mut chunks, mut before) = (0u64, None);
            for (stored, replaced) in steps {
                let replaced = replaced.min(chunks);
                chunks = chunks + stored - replaced;
                let is_new = before.is_none();
                let [objects, bytes] = LastTransaction::after(
                    before.as_ref(), is_new, [stored, stored * 10], [replaced, replaced * 10], [3, 30],
                );
                // A new store replaces nothing.
                prop_assert_eq!(objects, Some(chunks + 3));
                prop_assert_eq!(bytes, Some((chunks + 3) * 10));
                before = Some(last(objects, 3));
            }
        }
    }
}
