//! Forward: a store becomes what a prepared transaction makes of it. Whoever begins it, and however often it is
//! interrupted, it comes to the same end.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, join, stream};
use msm_zarr::layout;
use serde_json::Value;

use super::back::leave_earlier_stages;
use super::cleanup::{CleanupError, remove};
use super::clear::clear;
use super::journal::{Document, JournalEntry, Stage, put_json};
use super::ledger::LastTransaction;
use super::put::{put_and_read_back, reads_back};
use super::put_back::{DocumentState, put_over};
use crate::store::{Bucket, Guarantees, REQUESTS, StoreError};
use crate::transfer::Verification;

/// Puts the documents of `entry` but for the root. All requests end before an error is passed on, so that an undo comes after
/// the last PUT.
///
/// # Errors
/// If one cannot be put or does not read back.
pub(super) async fn put_documents(
    bucket: &Bucket,
    entry: &JournalEntry,
    verify: Verification,
) -> Result<(), StoreError> {
    let puts = entry
        .documents
        .iter()
        .map(|document| put(bucket, document, verify));
    let done: Vec<_> = stream::iter(puts)
        .buffer_unordered(REQUESTS)
        .collect()
        .await;
    done.into_iter().collect()
}

/// Puts the root document of `entry`, which was seen as it is `now`: from then on, readers see the new store. Where the server
/// `guarantees` it, only if the root is what it was.
///
/// # Errors
/// If it cannot be put or does not read back, or another program has changed it.
pub(super) async fn put_root(
    bucket: &Bucket,
    entry: &JournalEntry,
    now: DocumentState,
    verify: Verification,
    guarantees: &Guarantees,
) -> Result<(), StoreError> {
    let Document { key, before, after } = &entry.root;
    if before.as_ref() == Some(after) {
        return Ok(());
    }
    if now.is_after(&entry.root) {
        return Ok(());
    }
    let text = Bytes::from(after.clone());
    let is_put = match &now {
        DocumentState::Known(now) => put_over(bucket, key, now.as_ref(), &text, guarantees).await?,
        DocumentState::Other => false,
    };
    if !is_put {
        return Err(StoreError::Overtaken { key: key.clone() });
    }
    if verify == Verification::None || reads_back(bucket, key, &text).await {
        return Ok(());
    }
    put_and_read_back(bucket, key, text).await
}

/// Brings a transaction that was prepared to its end: documents, root, ledger.
///
/// # Errors
/// With what could not be done; then it is still in the journal.
pub(super) async fn go_forward(
    bucket: &Bucket,
    store: &str,
    id: &str,
    entry: &JournalEntry,
    guarantees: &Guarantees,
) -> Result<(), CleanupError> {
    // Another program may have worked on what was committed, while only the ledger was left to be done.
    match DocumentState::of(bucket, &entry.root).await? {
        DocumentState::Known(_) => {
            put_documents(bucket, entry, Verification::Full).await?;
            let now = DocumentState::of(bucket, &entry.root).await?;
            put_root(bucket, entry, now, Verification::Full, guarantees).await?;
        }
        DocumentState::Other
            if is_recorded(bucket, store, id).await?
                || is_in_root(bucket, store, entry).await? => {}
        DocumentState::Other => {
            let key = entry.root.key.clone();
            return Err(StoreError::Overtaken { key }.into());
        }
    }
    finish(bucket, store, id, entry).await
}

/// Does the ledger say that the transaction was committed?
async fn is_recorded(bucket: &Bucket, store: &str, id: &str) -> Result<bool, StoreError> {
    let record = bucket.stat(&layout::transaction(store, id)).await?;
    Ok(record.is_some())
}

/// Does the root, as another program has left it, consolidate all documents as the transaction makes them?
async fn is_in_root(
    bucket: &Bucket,
    store: &str,
    entry: &JournalEntry,
) -> Result<bool, StoreError> {
    let root = bucket.get(&entry.root.key).await?;
    let root: Value = serde_json::from_slice(&root).unwrap_or_default();
    let consolidated = match &root["consolidated_metadata"]["metadata"] {
        Value::Null => &root["metadata"],
        inline => inline,
    };
    let is_there = |document: &Document| {
        let below = document.key.strip_prefix(store).unwrap_or_default();
        let below = below.trim_start_matches('/');
        let name = below.strip_suffix("/zarr.json").unwrap_or(below);
        let after = serde_json::from_str(&document.after).unwrap_or(Value::Null);
        // What a group of a hierarchy says of itself, the root says in another way.
        let is_of_group = after["node_type"] == "group" || name.ends_with("/.zmetadata");
        is_of_group || !after.is_null() && consolidated[name] == after
    };
    Ok(!entry.documents.is_empty() && entry.documents.iter().all(is_there))
}

async fn put(bucket: &Bucket, document: &Document, verify: Verification) -> Result<(), StoreError> {
    let text = document.after.clone().into();
    if verify == Verification::None {
        bucket.put(&document.key, text).await.map(|_| ())
    } else {
        put_and_read_back(bucket, &document.key, text).await
    }
}

/// After the root: objects that the transaction `id` removes go, then come the ledger's record of it, and what is kept for
/// `rollback`; the journal's entry goes last.
///
/// # Errors
/// With what could not be done; then the transaction is still in the journal.
pub(super) async fn finish(
    bucket: &Bucket,
    store: &str,
    id: &str,
    entry: &JournalEntry,
) -> Result<(), CleanupError> {
    // Once that is recorded, objects with the same keys may be new ones.
    if entry.removes && !is_recorded(bucket, store, id).await? {
        clear(bucket, store, id).await?;
    }
    // In any order: until the journal's last entry is gone, whoever comes does all of it again. But the first one stays until there is a
    // record: without either, whoever comes goes back.
    let recorded = async {
        let progress = layout::progress(store, id);
        let (recorded, kept, progress) = join!(
            record(bucket, store, id, entry),
            keep_entry(bucket, store, id, entry),
            bucket.list(&progress)
        );
        recorded.and(kept)?;
        leave_earlier_stages(bucket, store, id, Stage::Prepared, progress?).await
    };
    let (recorded, pruned) = join!(recorded, prune(bucket, store, id, entry));
    CleanupError::together([recorded, pruned])?;
    Ok(bucket.delete(&Stage::Prepared.key(store, id)).await?)
}

/// Puts the ledger's record of the transaction `id`.
async fn record(
    bucket: &Bucket,
    store: &str,
    id: &str,
    entry: &JournalEntry,
) -> Result<(), StoreError> {
    let Some(record) = &entry.record else {
        return Ok(());
    };
    let record = &LastTransaction {
        run: entry.run.clone(),
        files: entry.files.clone(),
        ..record.clone()
    };
    let (own, last) = (
        layout::transaction(store, id),
        layout::last_transaction(store),
    );
    let put = join!(
        put_json(bucket, &own, record),
        put_json(bucket, &last, record)
    );
    put.0.and(put.1)
}

/// Puts what is kept for the undoing of the transaction `id`.
async fn keep_entry(
    bucket: &Bucket,
    store: &str,
    id: &str,
    entry: &JournalEntry,
) -> Result<(), StoreError> {
    let key = match (entry.is_addition, entry.keep_undo) {
        (true, _) => layout::addition(store, id),
        (false, 0) => return Ok(()),
        (false, _) => layout::before(store, id),
    };
    entry.put_as(bucket, store, &key).await
}

/// Removes what is kept for the undoing of all but the last transactions, of which `id` is the last one if it is recorded, and of those that were
/// never committed: what a dead job's server did late.
async fn prune(
    bucket: &Bucket,
    store: &str,
    id: &str,
    entry: &JournalEntry,
) -> Result<(), CleanupError> {
    let (undos, transactions) = (layout::undos(store), layout::transactions(store));
    let mut committed: BTreeSet<String> = entry.record.iter().map(|_| id.to_owned()).collect();
    let others = async {
        if committed.len() < entry.keep_undo {
            bucket.list(&transactions).await
        } else {
            Ok(Vec::new())
        }
    };
    let (folder, others) = join!(bucket.folder(&undos), others);
    let (folders, others) = (folder?.folders, others?);
    committed.extend(others.iter().map(|key| name_of(key).to_owned()));
    remove(
        bucket,
        all_but_last(bucket, &folders, &committed, entry.keep_undo).await?,
    )
    .await
}

/// What lies in those `folders` that are not of the last transactions that are `committed`.
async fn all_but_last(
    bucket: &Bucket,
    folders: &[String],
    committed: &BTreeSet<String>,
    kept: usize,
) -> Result<Vec<String>, StoreError> {
    let last: BTreeSet<&str> = { committed.iter().rev() }
        .map(String::as_str)
        .take(kept)
        .collect();
    let over = folders.iter();
    let over = over.filter(|folder| !last.contains(name_of(folder)));
    let lists = stream::iter(over).map(|folder| bucket.list(folder));
    let keys: Vec<Vec<String>> = lists.buffered(REQUESTS).try_collect().await?;
    Ok(keys.concat())
}

/// How many objects another transaction of `store` removes when it is committed, of which and so many before it the undoing is kept: what is
/// kept for others.
///
/// # Errors
/// As the server says.
pub(crate) async fn pruned_by_next(
    bucket: &Bucket,
    store: &str,
    keep_undo: usize,
) -> Result<u64, StoreError> {
    let (undos, transactions) = (layout::undos(store), layout::transactions(store));
    let (folder, committed) = join!(bucket.folder(&undos), bucket.list(&transactions));
    let committed = committed?
        .iter()
        .map(|key| name_of(key).to_owned())
        .collect();
    let kept = keep_undo.saturating_sub(1);
    let over = all_but_last(bucket, &folder?.folders, &committed, kept).await?;
    Ok(over.len() as u64)
}

fn name_of(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or_default()
}
