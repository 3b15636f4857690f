//! What a transaction removes of one store, and what it has to keep before it may.
//!
//! Key types: [`Removal`]; [`Recut`], an object that is made anew of what stays.

use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, stream};
use msm_zarr::{ChunkCodec, ChunkPiece, EncodedObject, ZarrError, layout};

use super::edits::Edits;
use super::journal::Document;
use super::object_record::ObjectRecord;
use super::parts::put_records;
use super::put::put_and_read_back;
use crate::store::{Bucket, ListedObject as Listed, StoreError, StoredDigest};
use crate::transfer::{Content, Proof, unlike};

/// Copies in flight, at least.
const COPIES: usize = 8;
/// Objects in flight that are made anew.
const RECUTS: usize = 2;

/// What a transaction removes of a store.
pub(crate) struct Removal {
    /// The store.
    pub store: String,
    /// Its root document.
    pub root: Document,
    /// The other documents that change, without those that go.
    pub documents: Vec<Document>,
    /// Objects that go, documents among them.
    pub objects: Vec<Listed>,
    /// Objects that are made anew of what stays.
    pub recuts: Vec<Recut>,
    /// What the manifests should say from now on of objects that they know.
    pub gone: Vec<ObjectRecord>,
    /// Steps that go.
    pub steps: u64,
}

/// An object that gets steps which lie in it now, or in others.
pub(crate) struct Recut {
    /// Its key.
    pub key: String,
    /// What is there, if anything is.
    pub there: Option<Listed>,
    /// Its array.
    pub array: String,
    /// Its place in the chunk grid.
    pub chunk: Vec<u64>,
    /// The dimension along which it is cut.
    pub axis: usize,
    /// What it gets; all else is fill.
    pub pieces: Vec<RecutPiece>,
    /// What decodes and encodes it.
    pub codec: Arc<ChunkCodec>,
}

/// Steps of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecutPiece {
    /// Its key.
    pub key: String,
    /// The first of them in it.
    pub first: u64,
    /// How many.
    pub count: u64,
    /// The first of them in the object that gets them.
    pub at: u64,
    /// What the manifests say of it, if they tell the truth.
    pub recorded: Option<Content>,
}

/// Objects and bytes that are stored, and that they replace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub stored: [u64; 2],
    pub replaced: [u64; 2],
}

impl Removal {
    /// What remains to be said of it are the objects. The manifests say from now on what is `gone`.
    pub(super) fn of(edits: Edits<'_>, gone: Vec<ObjectRecord>) -> Self {
        let store = edits.store().to_owned();
        let (root, documents) = edits.done();
        Self {
            store,
            root,
            documents,
            objects: Vec::new(),
            recuts: Vec::new(),
            gone,
            steps: 0,
        }
    }

    /// Objects that change, and their bytes.
    #[must_use]
    pub(crate) fn size(&self) -> (u64, u64) {
        let gone = self.objects.iter().map(|object| object.bytes);
        let recut = self.recuts.iter();
        let recut = recut.map(|recut| recut.there.as_ref().map_or(0, |there| there.bytes));
        gone.chain(recut)
            .fold((0, 0), |(objects, bytes), more| (objects + 1, bytes + more))
    }

    /// Those of them that are made anew.
    #[must_use]
    pub(crate) fn remade(&self) -> (u64, u64) {
        let there = self.recuts.iter().filter_map(|recut| recut.there.as_ref());
        there.fold((0, 0), |(objects, bytes), object| {
            (objects + 1, bytes + object.bytes)
        })
    }

    /// Copies what goes into the ledger of the transaction `id`, or only the names of what goes where nothing is `kept`; puts
    /// what takes the place of what is made anew beside it, and the records of both. Nothing of the store is changed.
    ///
    /// # Errors
    /// As the server says, or if an object cannot be decoded, or is not what the manifests say.
    pub(super) async fn save(
        &self,
        bucket: &Bucket,
        id: &str,
        kept: bool,
    ) -> Result<Changes, StoreError> {
        let mut changes = Changes::default();
        let keep = |object| self.keep(bucket, id, object, kept);
        let copies = stream::iter(&self.objects).map(keep);
        // All of them end before an error is passed on, so that an undo comes after the last request.
        let largest = self.objects.iter().map(|object| object.bytes).max();
        // Where ETags do not tell whether a copy is right, both are read.
        let at_once = bucket.most_holding(2 * largest.unwrap_or(0), COPIES);
        let copied: Vec<_> = copies.buffer_unordered(at_once).collect().await;
        copied.into_iter().collect::<Result<(), _>>()?;
        for object in self.objects.iter().filter(|object| !is_document(object)) {
            changes.replaced = [changes.replaced[0] + 1, changes.replaced[1] + object.bytes];
        }
        let recuts = stream::iter(&self.recuts).map(|recut| async move {
            let Some(content) = recut.put(bucket, &self.store, id).await? else {
                return Ok(None);
            };
            if let Some(there) = &recut.there {
                self.keep(bucket, id, there, kept).await?;
            }
            Ok(Some((recut, content)))
        });
        let recut: Vec<_> = recuts.buffer_unordered(RECUTS).collect().await;
        let recut: Vec<_> = recut.into_iter().collect::<Result<_, StoreError>>()?;
        let mut records = self.gone.clone();
        for (recut, content) in recut.into_iter().flatten() {
            let Changes { stored, replaced } = &mut changes;
            if let Some(there) = &recut.there {
                *replaced = [replaced[0] + 1, replaced[1] + there.bytes];
            }
            if let Content::Stored { bytes, .. } = content {
                *stored = [stored[0] + 1, stored[1] + bytes];
            }
            records.push(ObjectRecord {
                array: recut.array.clone(),
                chunk: recut.chunk.clone(),
                content,
            });
        }
        put_records(bucket, &self.store, id, "removed", &records).await?;
        Ok(changes)
    }

    async fn keep(
        &self,
        bucket: &Bucket,
        id: &str,
        object: &Listed,
        kept: bool,
    ) -> Result<(), StoreError> {
        let copy = layout::undo_copy(&self.store, id, &object.key);
        match bucket.stat(&object.key).await? {
            Some(there) if kept => bucket.copy_checked(&object.key, &there, &copy, true).await,
            Some(_) => bucket.put(&copy, Bytes::new()).await.map(|_| ()),
            None => Ok(()),
        }
    }
}

impl Recut {
    /// Puts what takes the object's place into the ledger of the transaction `id`, and returns what it holds; `None` if that is
    /// what it holds now.
    async fn put(
        &self,
        bucket: &Bucket,
        store: &str,
        id: &str,
    ) -> Result<Option<Content>, StoreError> {
        let mut found = Vec::new();
        for piece in &self.pieces {
            let bytes = match bucket.get(&piece.key).await {
                Ok(bytes) => Some(bytes),
                Err(error) if error.is_missing() => None,
                Err(error) => return Err(error),
            };
            if let Some(cause) = unlike(piece.recorded.as_ref(), bytes.as_ref()) {
                let key = piece.key.clone();
                return Err(ZarrError::Damaged { key, cause }.into());
            }
            found.extend(bytes.map(|bytes| (piece.clone(), bytes)));
        }
        let (codec, axis, key) = (Arc::clone(&self.codec), self.axis, self.key.clone());
        let made = tokio::task::spawn_blocking(move || {
            let mut decoded = Vec::new();
            for (piece, bytes) in &found {
                let values = codec.decode(bytes);
                decoded
                    .push(values.map_err(|cause| StoreError::from(cause).in_object(&piece.key))?);
            }
            let pieces = found.iter().zip(&decoded);
            let pieces = pieces.map(|((piece, _), values)| ChunkPiece {
                values,
                first: piece.first,
                count: piece.count,
                at: piece.at,
            });
            let composed = codec.compose(&pieces.collect::<Vec<_>>(), axis)?;
            if let ([(piece, _)], [values]) = (&found[..], &decoded[..])
                && piece.key == key
                && *values == composed
            {
                return Ok(None);
            }
            let encoded = codec.encode(&composed)?;
            Ok::<_, StoreError>(Some((encoded, codec.checksum(&composed))))
        });
        let made = match made.await {
            Ok(made) => made?,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        };
        let (stored, values_crc32c) = match made {
            None => return Ok(None),
            Some((EncodedObject::Empty, _)) if self.there.is_none() => return Ok(None),
            Some((EncodedObject::Empty, _)) => return Ok(Some(Content::Empty)),
            Some((EncodedObject::Stored(stored), crc)) => (stored, crc),
        };
        let content = Content::Stored {
            bytes: stored.len() as u64,
            values_crc32c,
            stored_crc32c: StoredDigest::of(&stored),
            proof: Proof::ReadBack,
        };
        put_and_read_back(bucket, &layout::cut_object(store, id, &self.key), stored).await?;
        Ok(Some(content))
    }
}

fn is_document(object: &Listed) -> bool {
    let name = object.key.rsplit('/').next().unwrap_or_default();
    ["zarr.json", ".zarray", ".zattrs"].contains(&name)
}
