//! Undoing committed transactions, with what was kept of what they replaced.
//!
//! Key type: [`StoreRollback`].

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

impl StoreRollback {
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
