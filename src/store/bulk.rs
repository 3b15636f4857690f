//! Deleting many objects: a thousand with one request where the server knows that, else one by one.
//!
//! Key type: [`DeletedObjects`].

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures::{StreamExt, stream};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};

use super::bucket::Bucket;
use super::error::StoreError;

/// Keys of one request: no server takes more.
pub(crate) const BATCH: usize = 1000;
/// Requests for many in flight.
const BATCHES: usize = 8;
/// Failures after which no more is tried: a server that is gone keeps each request waiting for a minute.
const MOST_FAILURES: usize = 3;

/// How deleting went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeletedObjects {
    /// Objects that are gone.
    pub objects: u64,
    /// Why others are not, the first few.
    pub problems: Vec<StoreError>,
}

impl Bucket {
    /// Deletes the objects `keys`, as a listing gave them; that there is none is no error. With `in_bulk` many with one
    /// request, and those that this leaves one by one.
    pub(crate) async fn delete_all(&self, keys: Vec<String>, in_bulk: bool) -> DeletedObjects {
        let all = keys.len() as u64;
        let left = match &self.bulk {
            Some(bulk) if in_bulk => self.delete_in_bulk(bulk.as_ref(), keys).await,
            _ => keys,
        };
        let mut deleted = DeletedObjects {
            objects: all - left.len() as u64,
            problems: Vec::new(),
        };
        let failures = AtomicUsize::new(0);
        let failures = &failures;
        let singles = left.into_iter().map(|key| async move {
            if failures.load(Ordering::Relaxed) >= MOST_FAILURES {
                return None;
            }
            let done = self.delete_listed(&key).await;
            if done.is_err() {
                failures.fetch_add(1, Ordering::Relaxed);
            }
            Some(done)
        });
        let mut singles = stream::iter(singles).buffer_unordered(self.most_at_once());
        while let Some(done) = singles.next().await {
            match done {
                Some(Ok(())) => deleted.objects += 1,
                Some(Err(error)) => deleted.problems.push(error),
                None => {}
            }
        }
        deleted
    }

    /// Deletes with one request a batch; returns the keys that this left.
    async fn delete_in_bulk(&self, bulk: &dyn ObjectStore, keys: Vec<String>) -> Vec<String> {
        let refused = AtomicBool::new(false);
        let refused = &refused;
        let batches = keys.chunks(BATCH).map(|batch| async move {
            if refused.load(Ordering::Relaxed) {
                return batch.to_vec();
            }
            let paths: Vec<_> = batch.iter().flat_map(|key| self.as_listed(key)).collect();
            let paths = stream::iter(paths.into_iter().map(Ok)).boxed();
            let done: Vec<Result<Path, _>> = bulk.delete_stream(paths).collect().await;
            let gone: HashSet<Path> = done.into_iter().flatten().collect();
            if gone.is_empty() {
                // The server does not know the request, or does not answer it: no more of them.
                refused.store(true, Ordering::Relaxed);
            }
            let left = batch.iter().filter(|key| {
                let path = self.as_listed(key);
                !path.is_ok_and(|path| gone.contains(&path))
            });
            left.cloned().collect()
        });
        let left: Vec<Vec<String>> = stream::iter(batches)
            .buffer_unordered(BATCHES)
            .collect()
            .await;
        left.into_iter().flatten().collect()
    }

    async fn delete_listed(&self, key: &str) -> Result<(), StoreError> {
        let delete = async { self.store.delete(&self.as_listed(key)?).await };
        match delete.await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(cause) => Err(self.error(key, "deleting", &cause)),
        }
    }
}
