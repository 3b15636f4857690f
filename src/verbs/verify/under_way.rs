//! What a job has in hand that is at work on a store for longer than `verify` looks. It is no fault, as long as what was committed is
//! kept.
//!
//! Key type: [`WorkInHand`].

use msm_zarr::{ZarrError, layout};

use crate::commit::{
    JournalEntry, ManifestRecords, UnfinishedWork, WrittenBoxes, holds, read_journal,
    read_manifests,
};
use crate::events::Fault;
use crate::store::{Bucket, StoreError};
use crate::transfer::Content;

/// What jobs have begun in a store, and not ended.
struct WorkInHand<'a> {
    bucket: &'a Bucket,
    store: &'a str,
    unfinished: Vec<UnfinishedWork>,
    recorded: ManifestRecords,
}

/// What is to be said of something that looks wrong.
enum Outcome {
    /// It is wrong.
    Wrong,
    /// What was committed of it is kept, as the manifests know it.
    Kept,
    /// It is being changed: nobody can say before that has ended.
    Unsettled,
}

/// Those of the `faults` in `store` that are faults whatever becomes of what jobs have in hand there, and how many cannot be told
/// before that has ended.
///
/// # Errors
/// As the server says, or if the journal cannot be read.
pub(super) async fn leave_out(
    bucket: &Bucket,
    store: &str,
    faults: Vec<Fault>,
) -> Result<(Vec<Fault>, u64), StoreError> {
    // In this order: what is committed in between is no longer in the journal.
    let recorded = read_manifests(bucket, store).await?;
    let in_hand = WorkInHand {
        bucket,
        store,
        unfinished: read_journal(bucket, store).await?.unfinished,
        recorded,
    };
    let (mut wrong, mut unsettled) = (Vec::new(), 0);
    for fault in faults {
        let mut outcome = Outcome::Wrong;
        for work in &in_hand.unfinished {
            match in_hand.outcome(&fault.key, work).await? {
                Outcome::Wrong => {}
                other => outcome = other,
            }
        }
        match outcome {
            Outcome::Wrong => wrong.push(fault),
            Outcome::Kept => {}
            Outcome::Unsettled => unsettled += 1,
        }
    }
    Ok((wrong, unsettled))
}

impl WorkInHand<'_> {
    async fn outcome(&self, key: &str, work: &UnfinishedWork) -> Result<Outcome, StoreError> {
        let (entry, replaces) = match work {
            UnfinishedWork::Delete { .. } => return Ok(Outcome::Unsettled),
            UnfinishedWork::Transaction(transaction) => (&transaction.entry, true),
            UnfinishedWork::Rollback(rollback) => (&rollback.entry, false),
        };
        let copy = layout::undo_copy(self.store, work.id(), key);
        let Some((array, chunk)) = object(entry, self.store, key)? else {
            // What removes an object or an array copies it first.
            let is_changed = changes_document(entry, self.store, key)
                || self.bucket.stat(&copy).await?.is_some()
                || !self.bucket.list(&copy).await?.is_empty();
            return Ok(if is_changed {
                Outcome::Unsettled
            } else {
                Outcome::Wrong
            });
        };
        if !replaces {
            return Ok(Outcome::Unsettled);
        }
        Ok(match self.recorded.get(&array.name, &chunk) {
            Some(content @ Content::Stored { .. }) => {
                if holds(self.bucket, &copy, content).await {
                    Outcome::Kept
                } else {
                    Outcome::Wrong
                }
            }
            _ => Outcome::Unsettled,
        })
    }
}

/// Which object `key` is of those that `entry` writes, if it is one.
fn object<'e>(
    entry: &'e JournalEntry,
    store: &str,
    key: &str,
) -> Result<Option<(&'e WrittenBoxes, Vec<u64>)>, ZarrError> {
    for array in entry.arrays.iter().chain(&entry.parts) {
        let chunk = array.codec()?.chunk_of(store, key);
        if let Some(chunk) = chunk.filter(|chunk| array.is_written(chunk)) {
            return Ok(Some((array, chunk)));
        }
    }
    Ok(None)
}

/// Does `entry` change the document `key`, or one of the array or the store of this key?
fn changes_document(entry: &JournalEntry, store: &str, key: &str) -> bool {
    let mut documents = entry.documents.iter().chain([&entry.root]);
    let of_array = |document: &str| {
        let name = document.strip_prefix(key).unwrap_or_default();
        name.starts_with('/')
    };
    key == store || documents.any(|document| document.key == key || of_array(&document.key))
}
