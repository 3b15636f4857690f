//! A transaction that removes objects: nothing of a store changes before all that goes is kept and readers see the store
//! without it.

use super::journal::{JournalEntry, Stage};
use super::ledger::LastTransaction;
use super::removal::Removal;
use super::transaction::{OfStore, Opening, Transaction, before};
use super::transaction_id::{new_id, number_of, token};
use crate::store::{Bucket, StoreError};

impl<'a> Transaction<'a> {
    /// Reads what the ledgers say, for each of `removals`. Nothing is written yet.
    ///
    /// # Errors
    /// As the server says.
    pub async fn removing(
        bucket: &'a Bucket,
        removals: &[Removal],
        opening: &Opening<'_>,
    ) -> Result<Self, StoreError> {
        let token = token();
        let mut stores = Vec::new();
        for removal in removals {
            let (previous, number) = before(bucket, &removal.store).await?;
            let mut entry = JournalEntry::new(
                opening.command,
                opening.holder,
                opening.digest,
                removal.root.clone(),
            );
            entry.documents.clone_from(&removal.documents);
            entry.previous = previous;
            entry.keep_undo = opening.keep_undo;
            entry.removes = true;
            stores.push(OfStore {
                key: removal.store.clone(),
                id: new_id(number, &token),
                entry,
            });
        }
        Ok(Self {
            bucket,
            guarantees: opening.guarantees.clone(),
            stores,
            stage: Stage::Open,
        })
    }

    /// Keeps what goes. The transaction is open, and these are its `removals`.
    ///
    /// # Errors
    /// As the server says, or if an object that has to be cut cannot be decoded; then call [`Transaction::back`].
    pub async fn save(&mut self, removals: &[Removal]) -> Result<(), StoreError> {
        for (store, removal) in self.stores.iter_mut().zip(removals) {
            let OfStore { id, entry, .. } = store;
            let changes = removal.save(self.bucket, id, entry.keep_undo > 0).await?;
            let root = &entry.root;
            let mut record = LastTransaction::of_roots(
                root.before.as_deref(),
                &root.after,
                &entry.command,
                number_of(id).unwrap_or(1),
                entry.previous.as_ref(),
                [changes.stored, changes.replaced],
            );
            record.steps = removal.steps;
            entry.record = Some(record);
        }
        Ok(())
    }

    /// Says in the journals that all of it is kept: from here on, whoever comes goes forward.
    ///
    /// # Errors
    /// If one cannot be written; then call [`Transaction::back`].
    pub async fn prepare_removal(&mut self) -> Result<(), StoreError> {
        self.put_prepared().await
    }
}
