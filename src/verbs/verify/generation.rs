//! Has a store changed while it was looked at?
//!
//! Key type: [`Generation`].

use std::time::SystemTime;

use msm_zarr::layout;

use crate::commit::{Holder, LeaseTimes, told_lease};
use crate::store::{Bucket, StoreError};

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

/// Has a job the lease of `store`, by this machine's clock? Who only reads cannot ask the server for its time.
///
/// # Errors
/// As the server says.
pub(super) async fn is_held(bucket: &Bucket, store: &str) -> Result<bool, StoreError> {
    let Some((holder, renewed)) = told_lease(bucket, store).await? else {
        return Ok(false);
    };
    let age = SystemTime::now().duration_since(renewed);
    let is_dead = holder.as_ref().is_some_and(Holder::is_dead);
    Ok(!is_dead && age.unwrap_or_default() < LeaseTimes::of_this_run().over())
}
