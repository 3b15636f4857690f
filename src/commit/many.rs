//! Many requests, and what went wrong with them.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::{StreamExt, stream};

use crate::store::REQUESTS;
use crate::store::StoreError;

/// Failures after which no more is tried.
const MOST_FAILURES: usize = 3;

/// Does all of `work`, and returns what went wrong. A server that is gone keeps each request waiting for a minute, so
/// after a few failures the rest is left undone, and counted.
pub(super) async fn all(
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
