//! Has a store changed while it was looked at?
//!
//! Key type: [`Generation`].

use msm_zarr::layout;

use crate::store::{Bucket, Stat, StoreError};
use crate::verbs::shared::remnant::is_held;

/// What tells one state of a store from the next.
#[derive(PartialEq, Eq)]
pub(super) struct Generation {
    journals: Vec<String>,
    transactions: Vec<String>,
    /// What tells of an archive that jobs share: its objects lie there before a manifest knows them.
    shared: Option<Stat>,
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
        let shared = bucket.stat(&layout::shared_archive(store)).await?;
        journals.sort_unstable();
        transactions.sort_unstable();
        let is_at_work = !journals.is_empty() && is_held(bucket, store).await?;
        Ok(Self {
            journals,
            transactions,
            shared,
            is_at_work,
        })
    }
}
