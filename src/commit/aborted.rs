//! A transaction that has to go back, and why.
//!
//! Key types: [`AbortedTransaction`]; [`Abort`], with the cause.

use futures::{StreamExt, stream};
use serde::{Deserialize, Serialize};

use super::back::UndoPlan;
use super::cleanup::CleanupError;
use super::journal::Stage;
use super::lease::LeaseError;
use super::transaction::{StoreTransaction, Stores};
use crate::store::{REQUESTS, StoreError};

/// A transaction that came to some stage, and has to go back. Dropped, it is left to whoever comes next.
pub(crate) struct AbortedTransaction<'a> {
    pub(super) stores: Stores<'a>,
    pub(super) stage: Stage,
}

/// A step that failed.
pub(crate) struct Abort<'a> {
    /// Why.
    pub error: TransactionError,
    /// What is to be put back.
    pub transaction: AbortedTransaction<'a>,
}

/// Why a transaction went no further.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum TransactionError {
    /// A lease was lost, or the server could not say.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// Something could not be read or put, or another program has changed a document.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AbortedTransaction<'_> {
    /// Makes every store what it was before.
    ///
    /// # Errors
    /// With what could not be done. Whoever comes next goes on with it.
    pub(crate) async fn back(self) -> Result<(), CleanupError> {
        let Stores {
            bucket,
            guarantees,
            parts,
        } = &self.stores;
        let mut left: Vec<&StoreTransaction> = parts.iter().collect();
        loop {
            let work = left.iter().map(|&store| async move {
                let undo = UndoPlan {
                    bucket,
                    guarantees,
                    store: &store.key,
                    id: &store.id,
                    entry: &store.entry,
                };
                (store, undo.run(self.stage).await)
            });
            let mut failed: Vec<(&StoreTransaction, Result<(), CleanupError>)> = stream::iter(work)
                .buffer_unordered(REQUESTS)
                .collect()
                .await;
            failed.retain(|(_, undone)| undone.is_err());
            // What one store gave up is room for another, if the bucket is full.
            if failed.is_empty() || failed.len() == left.len() {
                return CleanupError::together(failed.into_iter().map(|(_, undone)| undone));
            }
            left = failed.into_iter().map(|(store, _)| store).collect();
        }
    }
}
