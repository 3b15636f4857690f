//! What a job has in hand that is at work on a store for longer than `verify` looks. It is no fault, as long as what was committed is
//! kept.
//!
//! Key type: [`WorkInHand`].

use futures::{StreamExt, TryStreamExt, stream};
use msm_zarr::{ChunkCodec, ZarrError, layout};

use crate::commit::{
    JournalEntry, ManifestRecords, UnfinishedWork, WrittenBoxes, holds, read_journal,
    read_manifests,
};
use crate::events::Fault;
use crate::store::{Bucket, StoreError};
use crate::transfer::Content;

/// What a job has begun in a store, and not ended.
struct WorkInHand<'a> {
    bucket: &'a Bucket,
    store: &'a str,
    recorded: &'a ManifestRecords,
    id: &'a str,
    kind: Kind<'a>,
}

/// What it is.
enum Kind<'a> {
    Delete,
    Transaction(Writes<'a>),
    Rollback(Writes<'a>),
}

/// What an entry of the journal says of what is written.
struct Writes<'a> {
    entry: &'a JournalEntry,
    arrays: Vec<(&'a WrittenBoxes, ChunkCodec)>,
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
    let unfinished = read_journal(bucket, store).await?.unfinished;
    let in_hand = unfinished
        .iter()
        .map(|work| WorkInHand::of(bucket, store, &recorded, work));
    let in_hand: Vec<WorkInHand<'_>> = in_hand.collect::<Result<_, _>>()?;
    let in_hand = &in_hand;
    let outcomes = faults.into_iter().map(|fault| async move {
        let mut outcome = Outcome::Wrong;
        for work in in_hand {
            match work.outcome(&fault.key).await? {
                Outcome::Wrong => {}
                other => outcome = other,
            }
        }
        Ok::<_, StoreError>((fault, outcome))
    });
    // Copies are read whole.
    let at_once = bucket.most_holding(largest(&recorded), 1);
    let mut outcomes = stream::iter(outcomes).buffered(at_once);
    let (mut wrong, mut unsettled) = (Vec::new(), 0);
    while let Some((fault, outcome)) = outcomes.try_next().await? {
        match outcome {
            Outcome::Wrong => wrong.push(fault),
            Outcome::Kept => {}
            Outcome::Unsettled => unsettled += 1,
        }
    }
    Ok((wrong, unsettled))
}

/// Bytes of the largest object that is recorded.
fn largest(recorded: &ManifestRecords) -> u64 {
    let contents = recorded.objects.values().flat_map(|chunks| chunks.values());
    let bytes = contents.map(|content| match content {
        Content::Stored { bytes, .. } => *bytes,
        Content::Empty => 0,
    });
    bytes.max().unwrap_or(0)
}

impl<'a> WorkInHand<'a> {
    fn of(
        bucket: &'a Bucket,
        store: &'a str,
        recorded: &'a ManifestRecords,
        work: &'a UnfinishedWork,
    ) -> Result<Self, ZarrError> {
        let kind = match work {
            UnfinishedWork::Delete { .. } => Kind::Delete,
            UnfinishedWork::Transaction(transaction) => {
                Kind::Transaction(Writes::of(&transaction.entry)?)
            }
            UnfinishedWork::Rollback(rollback) => Kind::Rollback(Writes::of(&rollback.entry)?),
        };
        let id = work.id();
        Ok(Self {
            bucket,
            store,
            recorded,
            id,
            kind,
        })
    }

    async fn outcome(&self, key: &str) -> Result<Outcome, StoreError> {
        let (writes, replaces) = match &self.kind {
            Kind::Delete => return Ok(Outcome::Unsettled),
            Kind::Transaction(writes) => (writes, true),
            Kind::Rollback(writes) => (writes, false),
        };
        let copy = layout::undo_copy(self.store, self.id, key);
        let Some((array, chunk)) = writes.object(self.store, key) else {
            // What removes an object or an array copies it first.
            let is_changed = changes_document(writes.entry, self.store, key)
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
        Ok(match self.recorded.get(array, &chunk) {
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

impl<'a> Writes<'a> {
    fn of(entry: &'a JournalEntry) -> Result<Self, ZarrError> {
        let arrays = entry.arrays.iter().chain(&entry.parts);
        let arrays = arrays.map(|array| Ok((array, array.codec()?)));
        Ok(Self {
            entry,
            arrays: arrays.collect::<Result<_, ZarrError>>()?,
        })
    }

    /// The array and place of the object `key`, if it is one of those that are written.
    fn object(&self, store: &str, key: &str) -> Option<(&'a str, Vec<u64>)> {
        self.arrays.iter().find_map(|(array, codec)| {
            let chunk = codec.chunk_of(store, key)?;
            array
                .is_written(&chunk)
                .then_some((array.name.as_str(), chunk))
        })
    }
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
