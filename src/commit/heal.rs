//! Healing: what a job that died left of a store goes forward or back.

use futures::{StreamExt, TryStreamExt, stream};

use super::back::{clear_ledger, end, remove, roll_back};
use super::forward::go_forward;
use super::journal::{Stage, Writer, put_json};
use super::many::{REQUESTS, all};
use super::unfinished::{Rollback, Unfinished, UnfinishedTransaction, delete_key};
use crate::store::{Bucket, Guarantees, Kind, ROOT_DOCUMENTS, StoreError, layout};

/// Brings the transaction `unfinished` of `store` to its end: prepared ones and deletes go forward, others back. Returns
/// what could not be done.
pub async fn heal(
    bucket: &Bucket,
    store: &str,
    unfinished: &Unfinished,
    guarantees: &Guarantees,
) -> Vec<String> {
    let problems = match unfinished {
        Unfinished::Delete { id, .. } => finish_delete(bucket, store, id).await,
        Unfinished::Transaction(UnfinishedTransaction {
            id,
            stage: Stage::Prepared,
            entry,
        }) => go_forward(bucket, store, id, entry, guarantees).await,
        Unfinished::Transaction(transaction) => {
            Ok(roll_back(bucket, store, transaction, guarantees).await)
        }
        Unfinished::Rollback(rollback) => {
            Ok(undo(bucket, store, rollback, guarantees).await)
        }
    };
    problems.unwrap_or_else(|error| vec![error.to_string()])
}

/// Removes from a journal what is of no transaction there: parts that came when their transaction had ended.
///
/// # Errors
/// If one cannot be removed.
pub async fn sweep_journal(bucket: &Bucket, strays: Vec<String>) -> Result<(), StoreError> {
    let deletes = strays.iter().map(|key| bucket.delete(key));
    stream::iter(deletes)
        .buffer_unordered(REQUESTS)
        .try_collect()
        .await
}

/// Says in the journals that these committed transactions are being undone, or in none of them.
///
/// # Errors
/// As the server says.
pub async fn begin_rollback(
    bucket: &Bucket,
    rollbacks: &[(&String, Rollback)],
) -> Result<(), StoreError> {
    let mut begun = Vec::new();
    for (store, Rollback { id, entry }) in rollbacks {
        begun.push(Stage::Back.key(store, id));
        if let Err(refused) = entry.put(bucket, store, id, Stage::Back).await {
            for key in begun {
                bucket.delete(&key).await?;
            }
            return Err(refused);
        }
    }
    Ok(())
}

/// Undoes the committed transaction of `store`; returns what could not be done. Then it is still in the journal.
pub async fn undo(
    bucket: &Bucket,
    store: &str,
    rollback: &Rollback,
    guarantees: &Guarantees,
) -> Vec<String> {
    let transaction = UnfinishedTransaction {
        id: rollback.id.clone(),
        stage: Stage::Back,
        entry: rollback.entry.clone(),
    };
    roll_back(bucket, store, &transaction, guarantees).await
}

/// Says in the journals of `stores` that they are being deleted: from here on it only goes forward.
///
/// # Errors
/// As the server says.
pub async fn begin_delete(
    bucket: &Bucket,
    stores: &[String],
    id: &str,
    holder: &Writer,
) -> Result<(), StoreError> {
    let puts = stores.iter().map(|store| async move {
        let key = delete_key(store, id);
        put_json(bucket, &key, holder).await
    });
    stream::iter(puts)
        .buffer_unordered(REQUESTS)
        .try_collect()
        .await
}

/// The last step of a delete: the journals, with the entries of deletes that died before; returns what could not be done.
pub async fn end_delete(bucket: &Bucket, stores: &[String]) -> Vec<String> {
    let deletes = stores.iter().map(|store| async move {
        for key in bucket.list(&layout::journals(store)).await? {
            bucket.delete(&key).await?;
        }
        Ok(())
    });
    all(deletes).await
}

/// Deletes what is left of `store`, its ledger too.
async fn finish_delete(bucket: &Bucket, store: &str, id: &str) -> Result<Vec<String>, StoreError> {
    for document in ROOT_DOCUMENTS {
        bucket.delete(&layout::below(store, document)).await?;
    }
    let mut keys = bucket.list(store).await?;
    keys.retain(|key| Kind::of(store, key) != Kind::Foreign);
    let mut problems = remove(bucket, keys).await;
    if problems.is_empty() {
        problems.extend(clear_ledger(bucket, store, Some(id)).await?);
    }
    if problems.is_empty() {
        problems.extend(end(bucket, store, id).await);
    }
    Ok(problems)
}
