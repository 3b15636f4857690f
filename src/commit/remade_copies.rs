//! Copies of what additions replaced, made again: the objects that hold a store's last steps, and steps that were added behind them.
//! Nothing but those steps has to go to have what was there before.
//!
//! Key function: [`remake_copies`]; key types: [`Remaking`]; [`RemadeCopies`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use msm_zarr::{ChunkCodec, EncodedObject, OutlineArray, layout};
use serde_json::Value;

use super::copy_fault::{CopyFault, DamagedCopy};
use super::journal::JournalEntry;
use super::manifests::ManifestRecords;
use super::put::put_and_read_back;
use super::rollback::StoreRollback;
use super::undo_copies::UndoCopies;
use super::written_boxes::WrittenBoxes;
use crate::store::{Bucket, StoreError, StoredDigest};
use crate::transfer::Content;

/// Are copies put, or only looked at as they would be?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remaking {
    /// They are put.
    Put,
    /// Nothing is written.
    Foresee,
}

/// What has to be made of an object to have what was there before steps were added.
#[derive(Clone)]
struct Cut {
    codec: Arc<ChunkCodec>,
    axis: usize,
    /// Steps of it that stay.
    kept: u64,
}

/// What an object is when all that comes first has been undone: what lies at a key, and what is cut off it.
#[derive(Clone)]
struct Origin {
    key: String,
    cuts: Vec<Cut>,
}

/// What became of copies that were not there.
#[derive(Debug, Default)]
pub(crate) struct RemadeCopies {
    /// The transactions of which some were made, or would be, with their keys.
    pub made: BTreeMap<String, Vec<String>>,
    /// Why others cannot be, with the transactions that they are of.
    pub missing: Vec<(String, DamagedCopy)>,
}

/// Makes the copies of what the additions among the transactions of `store` that are to be undone replaced, the last of them first:
/// those that are not kept any more, or are `damaged`. Before any of them, objects are what lies at the keys that `first` has of them,
/// if they are not what they are now.
///
/// # Errors
/// As the server says, or if an object cannot be decoded.
pub(crate) async fn remake_copies(
    bucket: &Bucket,
    store: &str,
    undone: &[StoreRollback],
    damaged: &BTreeSet<String>,
    first: &BTreeMap<String, String>,
    remaking: Remaking,
) -> Result<RemadeCopies, StoreError> {
    let mut remade = RemadeCopies::default();
    let is = |key: String| Origin {
        key,
        cuts: Vec::new(),
    };
    // What an object is when all transactions before have been undone: the copy that the last of them made.
    let first = first
        .iter()
        .map(|(object, key)| (object.clone(), is(key.clone())));
    let mut latest: BTreeMap<String, Origin> = first.collect();
    for StoreRollback { id, entry } in undone {
        let copies = UndoCopies::of(bucket, store, id, entry).await?;
        let sound = copies
            .all
            .iter()
            .filter(|copy| !damaged.contains(&copy.key));
        let there: BTreeSet<String> = sound.map(|copy| copies.object(copy)).collect();
        let mut of_this: Vec<String> = there.iter().cloned().collect();
        if entry.is_addition {
            let changed = copies.changed().await?;
            let replaced = copies.replaced(entry).await?;
            let is_told = |array: &WrittenBoxes| changed.objects.contains_key(&array.name);
            if !entry.arrays.iter().all(is_told) {
                // It wrote some of its objects, and nobody knows which.
                let key = layout::manifest(store, id);
                let fault = CopyFault::Missing;
                remade
                    .missing
                    .push((id.clone(), DamagedCopy { key, fault }));
                continue;
            }
            for object in replaced {
                if there.contains(&object) {
                    continue;
                }
                let copy = layout::undo_copy(store, id, &object);
                let Some(cut) = copies.cut(entry, &object) else {
                    let fault = CopyFault::Missing;
                    remade
                        .missing
                        .push((id.clone(), DamagedCopy { key: copy, fault }));
                    continue;
                };
                let from = latest.get(&object).cloned();
                if from.is_none() && !copies.is_as_recorded(&changed, &object).await? {
                    // Whoever has changed it since knows what it should be.
                    let fault = CopyFault::Changed;
                    let key = object;
                    remade
                        .missing
                        .push((id.clone(), DamagedCopy { key, fault }));
                    continue;
                }
                let made = remade.made.entry(id.clone()).or_default();
                made.push(copy.clone());
                let mut from = from.unwrap_or_else(|| is(object.clone()));
                from.cuts.push(cut);
                let found = from.read(bucket).await?;
                match remaking {
                    Remaking::Put => {
                        put(bucket, &copy, found).await?;
                        of_this.push(object);
                    }
                    Remaking::Foresee => {
                        if let Some(fault) = copies.fault_in(&object, &found).await {
                            let key = copy;
                            remade
                                .missing
                                .push((id.clone(), DamagedCopy { key, fault }));
                        }
                        latest.insert(object, from);
                    }
                }
            }
        }
        for object in of_this {
            let copy = layout::undo_copy(store, id, &object);
            latest.insert(object, is(copy));
        }
    }
    Ok(remade)
}

impl UndoCopies<'_> {
    /// How what lay at the key `object` is got from what the addition made of it; `None` if this program cannot.
    fn cut(&self, entry: &JournalEntry, object: &str) -> Option<Cut> {
        let (array, codec, chunk) = self.known.arrays.iter().find_map(|(array, codec)| {
            let chunk = array.keys.chunk_of(self.store, object)?;
            Some((array, codec.as_ref()?, chunk))
        })?;
        let is_row_major = array.document["order"].as_str() != Some("F");
        let axis = grown(array, entry).filter(|_| is_row_major)?;
        let first = chunk[axis].saturating_mul(array.chunk[axis]);
        Some(Cut {
            codec: Arc::clone(codec),
            axis,
            kept: array.shape[axis]
                .saturating_sub(first)
                .min(array.chunk[axis]),
        })
    }
}

impl UndoCopies<'_> {
    /// Is `object` as the transaction left it, by its manifest?
    async fn is_as_recorded(
        &self,
        changed: &ManifestRecords,
        object: &str,
    ) -> Result<bool, StoreError> {
        let recorded = self.known.arrays.iter().find_map(|(array, _)| {
            let chunk = array.keys.chunk_of(self.store, object)?;
            changed.get(&array.name, &chunk)
        });
        let found = match self.bucket.get(object).await {
            Ok(found) => Some(found),
            Err(error) if error.is_missing() => None,
            Err(error) => return Err(error),
        };
        Ok(match (recorded, found) {
            (
                Some(Content::Stored {
                    bytes,
                    stored_crc32c,
                    ..
                }),
                Some(found),
            ) => found.len() as u64 == bytes && StoredDigest::is_of(stored_crc32c, &found),
            (Some(Content::Empty), None) => true,
            _ => false,
        })
    }
}

/// The dimension along which the transaction made `array` longer.
fn grown(array: &OutlineArray, entry: &JournalEntry) -> Option<usize> {
    let mut written = entry.arrays.iter().chain(&entry.parts);
    let after = written.find(|written| written.name == array.name)?;
    let document: Value = serde_json::from_str(&after.document).ok()?;
    let shape = document["shape"].as_array()?;
    let mut lengths = array.shape.iter().zip(shape);
    lengths.position(|(before, after)| after.as_u64() != Some(*before))
}

impl Origin {
    /// It, without a byte if there is nothing.
    async fn read(&self, bucket: &Bucket) -> Result<Bytes, StoreError> {
        let mut found = match bucket.get(&self.key).await {
            Ok(found) => found,
            Err(error) if error.is_missing() => Bytes::new(),
            Err(error) => return Err(error),
        };
        for cut in &self.cuts {
            if !found.is_empty() {
                let shorter = cut.of(found).await;
                found = shorter.map_err(|error| error.in_object(&self.key))?;
            }
        }
        Ok(found)
    }
}

impl Cut {
    /// What is left of an object, without a byte if nothing is.
    async fn of(&self, object: Bytes) -> Result<Bytes, StoreError> {
        let (codec, axis, kept) = (Arc::clone(&self.codec), self.axis, self.kept);
        let cut = tokio::task::spawn_blocking(move || {
            let values = codec.decode(&object)?;
            Ok(codec.encode(&codec.cut(&values, axis, kept)?)?)
        });
        match cut.await {
            Ok(cut) => cut.map(|cut: EncodedObject| match cut {
                EncodedObject::Empty => Bytes::new(),
                EncodedObject::Stored(stored) => stored,
            }),
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }
}

/// Puts `copy`, which is empty where nothing was.
async fn put(bucket: &Bucket, copy: &str, found: Bytes) -> Result<(), StoreError> {
    if found.is_empty() {
        return bucket.put(copy, found).await.map(|_| ());
    }
    put_and_read_back(bucket, copy, found).await
}
