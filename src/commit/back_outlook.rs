//! What a transaction would do if it went back now: nothing is written.
//!
//! Key function: [`foresee_back`].

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};

use super::cleanup::CleanupError;
use super::put_back::DocumentState;
use super::undo_copies::{CopyWorth, UndoCopies};
use super::unfinished::UnfinishedTransaction;
use crate::store::{Bucket, REQUESTS, StoreError};

/// Objects of `store`, each with the key of the copy that it would be again if the `open` transaction went back.
///
/// # Errors
/// With what could not be put back.
pub(crate) async fn foresee_back(
    bucket: &Bucket,
    store: &str,
    open: &UnfinishedTransaction,
) -> Result<BTreeMap<String, String>, CleanupError> {
    let UnfinishedTransaction { id, entry, .. } = open;
    let root = DocumentState::of(bucket, &entry.root).await?;
    if root == DocumentState::Other {
        let key = entry.root.key.clone();
        return Err(StoreError::Overtaken { key }.into());
    }
    let (mut restored, mut damaged) = (BTreeMap::new(), Vec::new());
    // What is removed goes after the root only.
    if entry.removes && !root.is_after(&entry.root) {
        return Ok(restored);
    }
    let copies = UndoCopies::of(bucket, store, id, entry).await?;
    let copies = &copies;
    let looks = { copies.all.iter() }.map(|copy| async move {
        let worth = copies.worth(copy).await?;
        Ok::<_, StoreError>((copy, worth))
    });
    let mut looks = stream::iter(looks).buffered(REQUESTS);
    while let Some((copy, worth)) = looks.try_next().await? {
        match worth {
            CopyWorth::Sound => drop(restored.insert(copies.object(copy), copy.key.clone())),
            CopyWorth::NotNeeded => {}
            CopyWorth::Lost(copy) => damaged.push(copy),
        }
    }
    if entry.removes {
        damaged.extend(copies.made().await?.1);
    }
    drop(looks);
    CleanupError::of_copies(damaged.into())?;
    Ok(restored)
}
