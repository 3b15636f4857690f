//! Many requests, and what went wrong with them.
//!
//! Key type: [`CleanupError`].

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::{StreamExt, stream};
use msm_model::counted;
use serde::{Deserialize, Serialize};

use super::copy_fault::DamagedCopies;
use crate::store::{BATCH, Bucket, REQUESTS, StoreError};

/// Failures after which no more is tried.
const MOST_FAILURES: usize = 3;
/// Keys from which on they are deleted many with one request.
const MANY: usize = 100;

/// What could not be done to bring stores and their ledgers to where they should be: it is still in the journal, and whoever
/// comes next goes on with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleanupError {
    /// What went wrong, the first few.
    pub errors: Vec<StoreError>,
    /// Objects that were not tried any more.
    pub untried: usize,
    /// Copies that were not put back, for they are not what was there before.
    pub damaged: DamagedCopies,
}

impl CleanupError {
    /// What went wrong in any of `parts`.
    ///
    /// # Errors
    /// That.
    pub fn together(parts: impl IntoIterator<Item = Result<(), Self>>) -> Result<(), Self> {
        let mut all = Self::default();
        for part in parts.into_iter().filter_map(Result::err) {
            all.errors.extend(part.errors);
            all.untried += part.untried;
            all.damaged.add_all(part.damaged);
        }
        all.or_ok()
    }

    /// `Ok` if nothing went wrong.
    fn or_ok(self) -> Result<(), Self> {
        if self == Self::default() {
            Ok(())
        } else {
            Err(self)
        }
    }

    /// Was it the lease that was lost?
    #[must_use]
    pub fn is_fenced(&self) -> bool {
        let mut errors = self.errors.iter();
        errors.any(|error| matches!(error, StoreError::Fenced { .. }))
    }

    /// All of `errors`.
    ///
    /// # Errors
    /// That.
    pub fn of(errors: Vec<StoreError>) -> Result<(), Self> {
        Self {
            errors,
            ..Self::default()
        }
        .or_ok()
    }

    /// That these copies were not put back.
    ///
    /// # Errors
    /// That.
    pub(super) fn of_copies(damaged: DamagedCopies) -> Result<(), Self> {
        Self {
            damaged,
            ..Self::default()
        }
        .or_ok()
    }

    /// The first of it alone.
    ///
    /// # Errors
    /// That.
    pub(super) fn first(self) -> Result<(), StoreError> {
        self.errors.into_iter().next().map_or(Ok(()), Err)
    }

    /// A line for each.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let untried = (self.untried > 0)
            .then(|| format!("not tried any more: {}", counted(self.untried, "objects")));
        let damaged = (!self.damaged.is_empty()).then(|| {
            format!(
                "of these objects, what was there before cannot be put back, for its copies in the ledger are damaged; put the objects back \
                 from elsewhere as they were, or remove these copies to leave the objects as they are:\n  {}",
                self.damaged
            )
        });
        let errors = self.errors.iter().map(ToString::to_string);
        errors.chain(untried).chain(damaged)
    }
}

impl fmt::Display for CleanupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines().collect::<Vec<_>>().join("\n  "))
    }
}

impl std::error::Error for CleanupError {}

impl From<StoreError> for CleanupError {
    fn from(error: StoreError) -> Self {
        Self {
            errors: vec![error],
            ..Self::default()
        }
    }
}

/// Does all of `work`. A server that is gone keeps each request waiting for a minute, so after a few failures the rest is left
/// undone, and counted.
pub(super) async fn all(
    work: impl Iterator<Item = impl Future<Output = Result<(), StoreError>>>,
) -> Result<(), CleanupError> {
    let failures = AtomicUsize::new(0);
    let failures = &failures;
    let tried = work.map(|request| async move {
        if failures.load(Ordering::Relaxed) >= MOST_FAILURES {
            return None;
        }
        let done = request.await;
        if done.is_err() {
            failures.fetch_add(1, Ordering::Relaxed);
        }
        Some(done)
    });
    let tried: Vec<Option<Result<(), StoreError>>> = stream::iter(tried)
        .buffer_unordered(REQUESTS)
        .collect()
        .await;
    let untried = tried.iter().filter(|done| done.is_none()).count();
    let errors = tried.into_iter().flatten().filter_map(Result::err);
    let errors = errors.collect();
    let failed = CleanupError {
        errors,
        untried,
        ..CleanupError::default()
    };
    failed.or_ok()
}

/// Requests by which [`remove`] deletes so many objects, where the server deletes many with one.
pub(crate) const fn removals(objects: u64) -> u64 {
    if objects >= MANY as u64 {
        objects.div_ceil(BATCH as u64)
    } else {
        objects
    }
}

/// Deletes the objects `keys`.
pub(super) async fn remove(bucket: &Bucket, keys: Vec<String>) -> Result<(), CleanupError> {
    let in_bulk = keys.len() >= MANY;
    let errors = bucket.delete_all(keys, in_bulk).await.problems;
    CleanupError::of(errors)
}
