//! Healing: what a job that died left of a store goes forward or back.

use futures::{StreamExt, TryStreamExt, stream};
use msm_zarr::{ObjectKind, ROOT_DOCUMENTS, is_store, layout};

use super::aborted::AbortedTransaction;
use super::back::clear_ledger;
use super::cleanup::{CleanupError, remove};
use super::journal::Stage;
use super::transaction::{PreparedTransaction, Stores};
use super::unfinished::{UnfinishedTransaction, UnfinishedWork, delete_key};
use crate::store::{Bucket, Guarantees, REQUESTS, StoreError};

/// Walks through a store that is deleted. A server may say that it deleted many, and not do it.
const PASSES: usize = 3;

/// What became of what had not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Healed {
    /// It has come to its end.
    Ended,
    /// It is a rollback that was not in all journals yet: it has undone nothing anywhere, and does not any more.
    NeverBegun,
}

/// Brings what is `unfinished` of `store` to its end: prepared transactions and deletes go forward, others back.
///
/// # Errors
/// With what could not be done.
pub(crate) async fn heal(
    bucket: &Bucket,
    store: &str,
    unfinished: &UnfinishedWork,
    guarantees: &Guarantees,
) -> Result<Healed, CleanupError> {
    let ended = match unfinished {
        UnfinishedWork::Delete { id, .. } => finish_delete(bucket, store, id).await,
        UnfinishedWork::Rollback(rollback) if !rollback.has_begun(bucket).await? => {
            bucket.delete(&Stage::Back.key(store, &rollback.id)).await?;
            return Ok(Healed::NeverBegun);
        }
        UnfinishedWork::Rollback(rollback) => rollback.undo(bucket, store, guarantees).await,
        UnfinishedWork::Transaction(UnfinishedTransaction { id, stage, entry }) => {
            let stores = Stores::found(bucket, guarantees, store, id, entry);
            match *stage {
                Stage::Prepared => PreparedTransaction(stores).go_forward().await,
                stage => AbortedTransaction { stores, stage }.back().await,
            }
        }
    };
    ended.map(|()| Healed::Ended)
}

/// Removes from a journal what is of no transaction there: parts that came when their transaction had ended.
///
/// # Errors
/// If one cannot be removed.
pub(crate) async fn sweep_journal(bucket: &Bucket, strays: Vec<String>) -> Result<(), StoreError> {
    let deletes = strays.iter().map(|key| bucket.delete(key));
    stream::iter(deletes)
        .buffer_unordered(REQUESTS)
        .try_collect()
        .await
}

/// Deletes what is left of `store`, its ledger too.
pub(super) async fn finish_delete(
    bucket: &Bucket,
    store: &str,
    id: &str,
) -> Result<(), CleanupError> {
    for document in ROOT_DOCUMENTS {
        bucket.delete(&layout::below(store, document)).await?;
    }
    // Others may have put a store there meanwhile.
    let is_of_another = |key: &str| {
        let below = key.strip_prefix(store).unwrap_or(key);
        below
            .split('/')
            .any(|part| is_store(part) || part == layout::LEDGERS)
    };
    for _ in 0..PASSES {
        let mut keys = bucket.list(store).await?;
        keys.retain(|key| ObjectKind::of(store, key) != ObjectKind::Foreign && !is_of_another(key));
        if keys.is_empty() {
            break;
        }
        remove(bucket, keys).await?;
    }
    clear_ledger(bucket, store, Some(id)).await?;
    Ok(bucket.delete(&delete_key(store, id)).await?)
}
