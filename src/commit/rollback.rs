//! Undoing committed transactions, with what was kept of what they replaced.
//!
//! Key types: [`StoreRollback`]; [`UndoSize`], what it comes to.

use futures::TryStreamExt;
use msm_zarr::layout;

use super::aborted::AbortedTransaction;
use super::cleanup::CleanupError;
use super::journal::{JournalEntry, Stage};
use super::transaction::Stores;
use crate::store::{Bucket, Guarantees, StoreError};

/// The undoing of the committed transaction of a store.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoreRollback {
    /// The id of the transaction that is undone.
    pub id: String,
    /// What that did.
    pub entry: JournalEntry,
}

/// What undoing a transaction of a store comes to, at most: what it puts back for one may go for an earlier one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct UndoSize {
    /// Objects that are put back, and their bytes.
    pub back: (u64, u64),
    /// Objects that go, documents among them, and their bytes.
    pub gone: (u64, u64),
    /// Documents that are put back.
    pub documents: u64,
    /// Documents that go.
    pub made: u64,
    /// Objects of the ledger that go with it: what was kept for it, and its manifest.
    pub kept: u64,
    /// Arrays in which objects go.
    pub arrays: u64,
}

impl StoreRollback {
    /// What it comes to in `store`. Nothing is changed.
    ///
    /// # Errors
    /// As the server says.
    pub(crate) async fn size(&self, bucket: &Bucket, store: &str) -> Result<UndoSize, StoreError> {
        let mut size = UndoSize::default();
        let count = |of: &mut (u64, u64), bytes: u64| *of = (of.0 + 1, of.1 + bytes);
        // As it is when it has begun.
        let mut entry = self.entry.clone();
        entry.rollback.get_or_insert_default();
        for object in entry.new_objects(bucket, store).await? {
            count(&mut size.gone, object.bytes);
        }
        size.arrays = (entry.arrays.len() + entry.parts.len()) as u64;
        let copies = format!("{}/", layout::undo_copies(store, &self.id));
        let undo = layout::undo(store, &self.id);
        let mut kept = bucket.entries(&undo);
        while let Some(object) = kept.try_next().await? {
            size.kept += 1;
            // An empty one says that there was nothing.
            if object.bytes > 0 && object.key.starts_with(&copies) {
                count(&mut size.back, object.bytes);
            }
        }
        drop(kept);
        // Its manifest.
        size.kept += 1;
        for document in entry.documents.iter().chain([&entry.root]) {
            if document.before.is_some() {
                size.documents += 1;
            } else {
                size.made += 1;
                count(&mut size.gone, document.after.len() as u64);
            }
        }
        Ok(size)
    }

    /// Says in the journals that these committed transactions are being undone, those of a store the last first, or in none of them. From
    /// then on it only goes on, whoever goes on with it.
    ///
    /// # Errors
    /// As the server says.
    pub(crate) async fn begin(
        bucket: &Bucket,
        all: &mut [(&String, Self)],
    ) -> Result<(), StoreError> {
        let together = all
            .iter()
            .map(|(store, rollback)| ((*store).clone(), rollback.id.clone()));
        let together: Vec<(String, String)> = together.collect();
        let mut begun = Vec::new();
        for (store, Self { id, entry }) in all {
            entry.command = format!("rollback of the {}", entry.command);
            entry.rollback = Some(together.clone());
            begun.push(Stage::Back.key(store, id));
            // In order: whatever is begun of a store is its last.
            if let Err(refused) = entry.put(bucket, store, id, Stage::Back).await {
                for key in begun {
                    bucket.delete(&key).await?;
                }
                return Err(refused);
            }
        }
        Ok(())
    }

    /// Has it come into the journals of all of its stores, or even gone from them again? Before that, nothing has been undone.
    ///
    /// # Errors
    /// As the server says.
    pub(super) async fn has_begun(&self, bucket: &Bucket) -> Result<bool, StoreError> {
        for (store, id) in self.entry.rollback.iter().flatten() {
            let is_noted = bucket.stat(&Stage::Back.key(store, id)).await?.is_some();
            let record = layout::transaction(store, id);
            if !is_noted && bucket.stat(&record).await?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Makes `store` what it was before the transaction.
    ///
    /// # Errors
    /// With what could not be done; then it is still in the journal.
    pub(crate) async fn undo(
        &self,
        bucket: &Bucket,
        store: &str,
        guarantees: &Guarantees,
    ) -> Result<(), CleanupError> {
        let aborted = AbortedTransaction {
            stores: Stores::found(bucket, guarantees, store, &self.id, &self.entry),
            stage: Stage::Back,
        };
        aborted.back().await
    }
}
