//! Objects whose steps come from others that the store holds: steps that make room for inserted ones. All that is overwritten is
//! copied into the ledger before the first of them is written, and read from there.

use std::collections::HashMap;
use std::sync::Arc;

use futures::{StreamExt, stream};
use msm_plan::ArrayObject;
use msm_zarr::{ChunkPiece, ZarrError, layout};

use super::engine::{Engine, on_pool};
use super::error::TransferError;
use super::fill::OldValues;
use super::keep::UndoCopy;
use super::object::{OBJECTS, failed, together};
use super::record::{ChunkRecord, Content, Proof, Verification};
use crate::events::Event;
use crate::store::StoreError;

impl Engine {
    /// Copies what the unit and those that follow it overwrite into the ledger.
    pub(super) async fn keep_all(self: Arc<Self>, index: usize) -> Result<(), TransferError> {
        let objects = self.objects_of(index).into_iter();
        let copies = objects.map(|(index, object)| {
            let engine = Arc::clone(&self);
            async move {
                let array = &engine.plan.arrays[index];
                if engine.progress.is_stopped() {
                    return Err(TransferError::Stopped);
                }
                let held = array.held();
                if held.is_some_and(|held| held.intersect(&object.slab).is_some()) {
                    let kept = engine.keep_old(index, &object, true).await?;
                    engine.keep_in_mind((index, object.chunk), kept.before);
                }
                engine.progress.add(array.object_bytes());
                Ok(Vec::new())
            }
        });
        all(copies).await.map(|_| ())
    }

    /// The values that the objects of the unit get from others, and what each of them replaces.
    pub(super) async fn moved_unit(
        self: &Arc<Self>,
        index: usize,
        replaced: &mut HashMap<(usize, Vec<u64>), Vec<UndoCopy>>,
    ) -> Result<OldValues, TransferError> {
        let unit = &self.plan.units[index];
        let array = &self.plan.arrays[unit.array];
        let mut old = Vec::new();
        for object in unit.objects(array) {
            old.push(self.moved_values(unit.array, &object).await?);
            let place = (unit.array, object.chunk);
            let before = self.in_mind(&place);
            replaced.insert(place, before);
        }
        Ok(old)
    }

    /// The values of `object` as far as the store has them; `None` if none of them is stored.
    async fn moved_values(
        self: &Arc<Self>,
        index: usize,
        object: &ArrayObject,
    ) -> Result<Option<Vec<u8>>, TransferError> {
        let array = &self.plan.arrays[index];
        let Some(append) = &array.append else {
            return Ok(None);
        };
        let axis = append.axis;
        let pieces = append.pieces(object.chunk[axis], array.chunk[axis]);
        let mut stored: Vec<(u64, Option<Vec<u8>>)> = Vec::new();
        for piece in &pieces {
            if stored.iter().all(|(chunk, _)| *chunk != piece.chunk) {
                let mut from = object.chunk.clone();
                from[axis] = piece.chunk;
                let copy = self.copy_of(index, &from);
                let values = self.copied_values(index, &copy).await;
                let values = values.map_err(|cause| failed(array, &from, cause))?;
                stored.push((piece.chunk, values));
            }
        }
        let engine = Arc::clone(self);
        let composed = on_pool(&self.pool, move || {
            let found = pieces.iter().filter_map(|piece| {
                let (_, values) = stored.iter().find(|(chunk, _)| *chunk == piece.chunk)?;
                Some(ChunkPiece {
                    values: values.as_ref()?,
                    first: piece.first,
                    count: piece.count,
                    at: piece.at,
                })
            });
            let found: Vec<ChunkPiece<'_>> = found.collect();
            let composed = || engine.codecs[index].compose(&found, axis);
            (!found.is_empty()).then(composed).transpose()
        });
        composed
            .await
            .map_err(|cause| failed(array, &object.chunk, cause))
    }

    /// The values of `copy`, which is empty if there was nothing.
    async fn copied_values(
        self: &Arc<Self>,
        index: usize,
        copy: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let stored = self.bucket.get(copy).await?;
        if stored.is_empty() {
            return Ok(None);
        }
        let engine = Arc::clone(self);
        let decoded = on_pool(&self.pool, move || engine.codecs[index].decode(&stored)).await;
        decoded
            .map(Some)
            .map_err(|cause| StoreError::from(cause).in_object(copy))
    }

    /// Lets the objects of the unit and of those that follow it become what others were, inside the server.
    pub(super) async fn move_unit(
        self: &Arc<Self>,
        index: usize,
    ) -> Result<Vec<ChunkRecord>, TransferError> {
        let objects = self.objects_of(index).into_iter();
        let moves = objects.map(|(index, object)| {
            let engine = Arc::clone(self);
            async move {
                let array = &engine.plan.arrays[index];
                if engine.progress.is_stopped() {
                    return Err(TransferError::Stopped);
                }
                let Some(from) = array.moved_whole(&object.chunk) else {
                    return Ok(Vec::new());
                };
                let content = engine.move_object(index, &from, &object.chunk).await?;
                engine.progress.add(array.object_bytes());
                let place = (index, object.chunk);
                let before = engine.in_mind(&place);
                Ok(vec![ChunkRecord {
                    array: index,
                    store: array.stores[0],
                    chunk: place.1,
                    content,
                    replaced: before.first().map_or(0, |before| before.size),
                }])
            }
        });
        all(moves).await
    }

    /// The objects of the unit and of those that follow it, with their arrays.
    fn objects_of(&self, index: usize) -> Vec<(usize, ArrayObject)> {
        let units = self.with_followers(index).into_iter();
        let objects = units.flat_map(|index| {
            let unit = &self.plan.units[index];
            let objects = unit.objects(&self.plan.arrays[unit.array]).into_iter();
            objects.map(move |object| (unit.array, object))
        });
        objects.collect()
    }

    async fn move_object(
        self: &Arc<Self>,
        index: usize,
        from: &[u64],
        chunk: &[u64],
    ) -> Result<Content, TransferError> {
        let array = &self.plan.arrays[index];
        let store = &self.plan.stores[array.stores[0]].key;
        let (copy, key) = (
            self.copy_of(index, from),
            self.codecs[index].key(store, chunk),
        );
        let moved = self.copy_whole(index, &copy, &key).await;
        moved.map_err(|cause| failed(array, chunk, cause))
    }

    /// Copies `copy` to `key`, and reads that; the copy of nothing is empty.
    async fn copy_whole(
        self: &Arc<Self>,
        index: usize,
        copy: &str,
        key: &str,
    ) -> Result<Content, StoreError> {
        let Some(there) = self.bucket.stat(copy).await?.filter(|there| there.size > 0) else {
            self.bucket.delete(key).await?;
            return Ok(Content::Empty);
        };
        let by_bytes = self.verify != Verification::None;
        let copied = self.bucket.copy_checked(copy, &there, key, by_bytes);
        copied.await?;
        let stored = self.bucket.get(key).await?;
        let bytes = stored.len() as u64;
        let engine = Arc::clone(self);
        let read = on_pool(&self.pool, move || {
            let codec = &engine.codecs[index];
            let values = codec.decode(&stored)?;
            Ok((codec.checksum(&values), crc32c::crc32c(&stored)))
        });
        let read: Result<_, ZarrError> = read.await;
        let read = read.map_err(|cause| StoreError::from(cause).in_object(key));
        let (values_crc32c, stored_crc32c) = read?;
        let key = key.to_owned();
        self.reporter.tell(&Event::ObjectWritten { key, bytes });
        Ok(Content::Stored {
            bytes,
            values_crc32c,
            stored_crc32c,
            proof: Proof::ReadBack,
        })
    }

    /// The key of the copy of what lay at `chunk` of an array of which steps are moved: it is in one store.
    fn copy_of(&self, index: usize, chunk: &[u64]) -> String {
        let store = self.plan.arrays[index].stores[0];
        let name = &self.plan.stores[store].key;
        let key = self.codecs[index].key(name, chunk);
        layout::undo_copy(name, &self.ids[store], &key)
    }
}

/// Does all of `work`, some of it at a time. All of it ends before an error is passed on: what is dropped can still arrive, after the
/// undo.
async fn all(
    work: impl Iterator<Item = impl Future<Output = Result<Vec<ChunkRecord>, TransferError>>>,
) -> Result<Vec<ChunkRecord>, TransferError> {
    let done = stream::iter(work).buffer_unordered(OBJECTS);
    together(done.collect().await)
}
