//! What a transaction removes of one store, and what it has to keep before it may.
//!
//! Key types: [`Removal`]; [`Trim`], an object of which a part stays.

use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, stream};
use msm_zarr::{ChunkCodec, EncodedObject, layout};

use super::edits::Edits;
use super::journal::Document;
use super::object_record::ObjectRecord;
use super::parts::put_records;
use super::put::put_and_read_back;
use crate::store::{Bucket, ListedObject as Listed, StoreError};
use crate::transfer::{Content, Proof};

/// Copies in flight. Where ETags do not tell whether one is right, both are read.
const COPIES: usize = 8;
/// Objects in flight that are decoded.
const TRIMS: usize = 2;

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
    /// Objects of which a part stays.
    pub trims: Vec<Trim>,
    /// What the manifests should say from now on of objects that they know.
    pub gone: Vec<ObjectRecord>,
    /// Steps that go.
    pub steps: u64,
}

/// An object of which only what lies before a step stays.
pub(crate) struct Trim {
    /// What is there.
    pub object: Listed,
    /// Its array.
    pub array: String,
    /// Its place in the chunk grid.
    pub chunk: Vec<u64>,
    /// The dimension along which it is cut.
    pub axis: usize,
    /// Steps of it that stay.
    pub kept: u64,
    /// What decodes it.
    pub codec: Arc<ChunkCodec>,
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
            trims: Vec::new(),
            gone,
            steps: 0,
        }
    }

    /// Objects that change, and their bytes.
    #[must_use]
    pub(crate) fn size(&self) -> (u64, u64) {
        let trimmed = self.trims.iter().map(|trim| &trim.object);
        let all = self.objects.iter().chain(trimmed);
        all.fold((0, 0), |(objects, bytes), object| {
            (objects + 1, bytes + object.bytes)
        })
    }

    /// Copies what goes into the ledger of the transaction `id`, or only the names of what goes where nothing is `kept`; puts
    /// what takes the place of what is cut beside it, and the records of both. Nothing of the store is changed.
    ///
    /// # Errors
    /// As the server says, or if an object cannot be decoded.
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
        let copied: Vec<_> = copies.buffer_unordered(COPIES).collect().await;
        copied.into_iter().collect::<Result<(), _>>()?;
        for object in self.objects.iter().filter(|object| !is_document(object)) {
            changes.replaced = [changes.replaced[0] + 1, changes.replaced[1] + object.bytes];
        }
        let trims = stream::iter(&self.trims).map(|trim| async move {
            let Some(content) = trim.put(bucket, &self.store, id).await? else {
                return Ok(None);
            };
            self.keep(bucket, id, &trim.object, kept).await?;
            Ok(Some((trim, content)))
        });
        let trimmed: Vec<_> = trims.buffer_unordered(TRIMS).collect().await;
        let trimmed: Vec<_> = trimmed.into_iter().collect::<Result<_, StoreError>>()?;
        let mut records = self.gone.clone();
        for (trim, content) in trimmed.into_iter().flatten() {
            let Changes { stored, replaced } = &mut changes;
            *replaced = [replaced[0] + 1, replaced[1] + trim.object.bytes];
            if let Content::Stored { bytes, .. } = content {
                *stored = [stored[0] + 1, stored[1] + bytes];
            }
            records.push(ObjectRecord {
                array: trim.array.clone(),
                chunk: trim.chunk.clone(),
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

impl Trim {
    /// Puts what takes the object's place into the ledger of the transaction `id`, and returns what it holds; `None` if that is
    /// what it holds now.
    async fn put(
        &self,
        bucket: &Bucket,
        store: &str,
        id: &str,
    ) -> Result<Option<Content>, StoreError> {
        let key = &self.object.key;
        let found = bucket.get(key).await?;
        let (codec, axis, kept) = (Arc::clone(&self.codec), self.axis, self.kept);
        let cut = tokio::task::spawn_blocking(move || {
            let values = codec.decode(&found)?;
            let cut = codec.cut(&values, axis, kept)?;
            if cut == values {
                return Ok(None);
            }
            let encoded = codec.encode(&cut)?;
            Ok(Some((encoded, codec.checksum(&cut))))
        });
        let cut = match cut.await {
            Ok(cut) => cut.map_err(|error: StoreError| error.in_object(key))?,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        };
        let (stored, values_crc32c) = match cut {
            None => return Ok(None),
            Some((EncodedObject::Empty, _)) => return Ok(Some(Content::Empty)),
            Some((EncodedObject::Stored(stored), crc)) => (stored, crc),
        };
        let content = Content::Stored {
            bytes: stored.len() as u64,
            values_crc32c,
            stored_crc32c: crc32c::crc32c(&stored),
            proof: Proof::ReadBack,
        };
        put_and_read_back(bucket, &layout::cut_object(store, id, key), stored).await?;
        Ok(Some(content))
    }
}

fn is_document(object: &Listed) -> bool {
    let name = object.key.rsplit('/').next().unwrap_or_default();
    ["zarr.json", ".zarray", ".zattrs"].contains(&name)
}
