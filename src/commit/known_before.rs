//! What the ledger knows of what lay in a store before a transaction: what its undo copies should be.
//!
//! Key types: [`KnownBefore`]; [`CopiedObject`], what one copy was made of.

use std::sync::Arc;

use msm_zarr::{ChunkCodec, Outline, OutlineArray, Version};

use super::journal::JournalEntry;
use super::manifests::{ManifestRecords, Meant, read_manifests_of};
use crate::store::{Bucket, StoreError};
use crate::transfer::Content;

/// What is known of what was there before a transaction.
#[derive(Default)]
pub(super) struct KnownBefore {
    /// The arrays that the store had, each with what decodes its objects, if this program can.
    pub arrays: Vec<(OutlineArray, Option<Arc<ChunkCodec>>)>,
    /// What the manifests of the transactions before say.
    pub records: ManifestRecords,
    /// Do they tell the truth? Not if another program has written the store, too, or one of them cannot be read.
    pub is_sure: bool,
    /// Do the copies keep no more than the names of what was there?
    pub names_only: bool,
}

/// What a copy was made of.
#[derive(Default)]
pub(super) struct CopiedObject<'a> {
    pub codec: Option<&'a Arc<ChunkCodec>>,
    pub recorded: Option<Content>,
}

impl KnownBefore {
    /// What was there in `store` before its transaction `id`, which `entry` tells of.
    ///
    /// # Errors
    /// As the server says.
    pub(super) async fn of(
        bucket: &Bucket,
        store: &str,
        id: &str,
        entry: &JournalEntry,
    ) -> Result<Self, StoreError> {
        let root = &entry.root;
        let version = match root.key.rsplit('/').next() {
            Some(name) if name == Version::V2.root() => Version::V2,
            _ => Version::V3,
        };
        let outline = root.before.as_ref();
        let outline = outline.and_then(|root| Outline::of(store, version, root.as_bytes()).ok());
        let arrays = outline.into_iter().flat_map(|outline| outline.arrays);
        let arrays = arrays.map(|array| {
            let codec = ChunkCodec::new(&array.name, &array.document.to_string());
            (array, codec.ok().map(Arc::new))
        });
        let records = read_manifests_of(bucket, store, Meant::Before(id)).await?;
        // With each root that it did not put itself, this program has lost count of the objects.
        let is_counted = |root: &String| {
            entry.previous.as_ref().is_some_and(|previous| {
                previous.objects.is_some()
                    && previous.root_crc32c == crc32c::crc32c(root.as_bytes())
            })
        };
        Ok(Self {
            arrays: arrays.collect(),
            is_sure: records.damaged.is_empty() && root.before.as_ref().is_some_and(is_counted),
            records,
            names_only: entry.removes && entry.keep_undo == 0,
        })
    }

    /// What lay at the key `object` of `store`.
    pub(super) fn original(&self, store: &str, object: &str) -> CopiedObject<'_> {
        let found = self.arrays.iter().find_map(|(array, codec)| {
            let chunk = array.keys.chunk_of(store, object)?;
            let mut edges = array.shape.iter().zip(&array.chunk).zip(&chunk);
            let is_inside =
                edges.all(|((length, size), index)| index.saturating_mul(*size) < *length);
            let recorded = self.records.get(&array.name, &chunk);
            // What another program has put beyond the shape, no reader has seen: it need not decode.
            let decodes = is_inside || recorded.is_some();
            Some(CopiedObject {
                codec: codec.as_ref().filter(|_| decodes),
                recorded,
            })
        });
        found.unwrap_or_default()
    }
}
