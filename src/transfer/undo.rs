//! Putting back what this rank touched, and dropping the undo copies when nobody needs them any more.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::{StreamExt, stream};

use super::engine::Engine;
use crate::store::StoreError;

/// Requests in flight.
const REQUESTS: usize = 16;
/// Failures after which no more is tried.
const MOST_FAILURES: usize = 3;

/// An object that was written or deleted, noted before it was.
#[derive(Clone, Debug)]
pub(super) struct Touched {
    /// Its key.
    pub key: String,
    /// The key of the copy of what was there before; `None` if there was nothing of value.
    pub undo: Option<String>,
}

impl Engine {
    /// Restores overwritten objects and deletes new ones; returns what could not be done.
    pub async fn undo(&self) -> Vec<String> {
        let work = |(key, undo): (String, Option<String>)| async move {
            match undo {
                Some(copy) => {
                    self.bucket.copy(&copy, &key).await?;
                    self.bucket.delete(&copy).await
                }
                None => self.bucket.delete(&key).await,
            }
        };
        all(self.touched().into_iter().map(work)).await
    }

    /// Deletes the undo copies; returns what could not be done.
    pub async fn forget(&self) -> Vec<String> {
        let copies = self.touched().into_values().flatten();
        all(copies.map(|copy| async move { self.bucket.delete(&copy).await })).await
    }

    /// Each key once, with its undo copy if it has one.
    fn touched(&self) -> BTreeMap<String, Option<String>> {
        let mut keys = BTreeMap::new();
        for touched in self
            .touched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            let undo = keys.entry(touched.key.clone()).or_insert(None);
            if undo.is_none() {
                undo.clone_from(&touched.undo);
            }
        }
        keys
    }
}

/// Does all of `work`, and returns what went wrong. A server that is gone keeps each request waiting for a minute, so
/// after a few failures the rest is left undone, and counted.
async fn all(
    work: impl Iterator<Item = impl Future<Output = Result<(), StoreError>>>,
) -> Vec<String> {
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
    let left = tried.iter().filter(|t| t.is_none()).count();
    let failed = tried
        .into_iter()
        .flatten()
        .filter_map(Result::err)
        .map(|error| error.to_string());
    let left = (left > 0).then(|| format!("{left} more objects were not tried any more"));
    failed.chain(left).collect()
}
