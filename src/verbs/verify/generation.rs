//! Has a store changed while it was looked at?
//!
//! Key type: [`Generation`].

use msm_zarr::layout;

use crate::store::{Bucket, StoreError};
use crate::verbs::shared::remnant::is_held;

/// What tells one state of a store from the next.
#[derive(PartialEq, Eq)]
pub(super) struct Generation {
    journals: Vec<String>,
    transactions: Vec<String>,
    /// Is a job at work on it?
    pub is_at_work: bool,
}

impl Generation {
    /// That of `store`.
    ///
    /// # Errors
    /// As the server says.
    pub(super) async fn of(bucket: &Bucket, store: &str) -> Result<Self, StoreError> {
        let mut journals = bucket.list(&layout::journals(store)).await?;
        let mut transactions = bucket.list(&layout::transactions(store)).await?;
        journals.sort_unstable();
        transactions.sort_unstable();
        let is_at_work = !journals.is_empty() && is_held(bucket, store).await?;
        Ok(Self {
            journals,
            transactions,
            is_at_work,
        })
    }
}
