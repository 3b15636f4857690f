//! Forward: a store becomes what a prepared transaction makes of it. Whoever begins it, and however often it is
//! interrupted, it comes to the same end.

use bytes::Bytes;
use futures::{StreamExt, stream};

use super::back::{end, remove};
use super::journal::{Document, Entry, put_json};
use super::many::REQUESTS;
use super::put::{put_and_read_back, reads_back};
use crate::store::{Bucket, Conditional, Created, Guarantees, Replaced, StoreError, layout};
use crate::transfer::Verify;

/// Puts the documents of `entry` but for the root. All requests end before an error is passed on, so that an undo comes after
/// the last PUT.
///
/// # Errors
/// If one cannot be put or does not read back.
pub async fn put_documents(
    bucket: &Bucket,
    entry: &Entry,
    verify: Verify,
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

/// Puts the root document of `entry`: from then on, readers see the new store. Where the server `guarantees` it, only if
/// the root is what it was.
///
/// # Errors
/// If it cannot be put or does not read back, or another program has changed it.
pub async fn put_root(
    bucket: &Bucket,
    entry: &Entry,
    verify: Verify,
    guarantees: Option<&Guarantees>,
) -> Result<(), StoreError> {
    let Document { key, before, after } = &entry.root;
    if before.as_ref() == Some(after) {
        return Ok(());
    }
    let text = Bytes::from(after.clone());
    let enforced = |how: fn(&Guarantees) -> Conditional| {
        guarantees.is_some_and(|g| how(g) == Conditional::Enforced)
    };
    let is_put = match before {
        None if enforced(|g| g.create) => match bucket.create(key, text.clone()).await? {
            Created::Created(_) => true,
            Created::Exists => bucket.get(key).await? == text,
            Created::Refused(_) => return put(bucket, &entry.root, verify).await,
        },
        Some(before) if enforced(|g| g.replace) => {
            let now = bucket.get_tagged(key).await?;
            match now.etag {
                Some(etag) if now.bytes == *before => {
                    match bucket.replace_if(key, text.clone(), &etag).await? {
                        Replaced::Replaced(_) => true,
                        Replaced::Changed => bucket.get(key).await? == text,
                        Replaced::Refused(_) => return put(bucket, &entry.root, verify).await,
                    }
                }
                None if now.bytes == *before => return put(bucket, &entry.root, verify).await,
                _ => now.bytes == text,
            }
        }
        _ => return put(bucket, &entry.root, verify).await,
    };
    if !is_put {
        return Err(StoreError::Overtaken { key: key.clone() });
    }
    if verify == Verify::None || reads_back(bucket, key, &text).await {
        return Ok(());
    }
    Err(StoreError::Failed {
        place: bucket.place().to_owned(),
        key: key.clone(),
        action: "writing",
        cause: "it did not read back as it was sent".to_owned(),
    })
}

async fn put(bucket: &Bucket, document: &Document, verify: Verify) -> Result<(), StoreError> {
    let text = document.after.clone().into();
    if verify == Verify::None {
        bucket.put(&document.key, text).await.map(|_| ())
    } else {
        put_and_read_back(bucket, &document.key, text).await
    }
}

/// After the root: the ledger's record of the transaction `id`, and what is kept for `rollback`; the journal's entry goes
/// last. Returns what could not be done; then the transaction is still in the journal.
pub async fn finish(bucket: &Bucket, store: &str, id: &str, entry: &Entry) -> Vec<String> {
    match finish_here(bucket, store, id, entry).await {
        Ok(problems) => problems,
        Err(error) => vec![error.to_string()],
    }
}

async fn finish_here(
    bucket: &Bucket,
    store: &str,
    id: &str,
    entry: &Entry,
) -> Result<Vec<String>, StoreError> {
    if let Some(record) = &entry.record {
        put_json(bucket, &layout::transaction(store, id), record).await?;
        put_json(bucket, &layout::last_transaction(store), record).await?;
    }
    if entry.keep_undo > 0 {
        put_json(bucket, &layout::before(store, id), entry).await?;
    }
    let mut problems = prune(bucket, store, entry.keep_undo).await?;
    if problems.is_empty() {
        problems.extend(end(bucket, store, id).await);
    }
    Ok(problems)
}

/// Removes what is kept for the undoing of all but the last `keep` transactions.
async fn prune(bucket: &Bucket, store: &str, keep: usize) -> Result<Vec<String>, StoreError> {
    let mut folders = bucket.folder(&layout::undos(store)).await?.folders;
    folders.sort_unstable();
    folders.truncate(folders.len().saturating_sub(keep));
    let mut keys = Vec::new();
    for folder in folders {
        keys.extend(bucket.list(&folder).await?);
    }
    Ok(remove(bucket, keys).await)
}
