//! Objects whose steps come from others that the store holds: steps that make room for inserted ones. All that is overwritten is
//! copied into the ledger and looked at before the first of them is written, and read from there.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures::{StreamExt, stream};
use msm_plan::ArrayObject;
use msm_zarr::{ChunkPiece, ZarrError, layout};

use super::engine::{Engine, on_pool};
use super::error::TransferError;
use super::fill::OldValues;
use super::keep::UndoCopy;
use super::object::{LOOKS, PAUSE, TRIES, failed, together};
use super::record::{ChunkRecord, Content, Proof};
use super::stored::unlike;
use crate::events::{Event, Stage};
use crate::store::{Patience, StoreError, StoredDigest};

/// An object that becomes what another one was, and where that is kept.
struct Moving {
    array: usize,
    /// The key of the copy of the other one.
    copy: String,
    /// Its own.
    key: String,
}

impl Engine {
    /// Copies what the unit and those that follow it overwrite into the ledger, and looks at it: what is damaged is found while everything
    /// is as it was.
    pub(super) async fn keep_all(self: Arc<Self>, index: usize) -> Result<(), TransferError> {
        let objects = self.objects_of(index).into_iter();
        let copies = objects.map(|(index, object)| {
            let engine = Arc::clone(&self);
            async move {
                let array = &engine.plan.arrays[index];
                let _turn = engine.turn().await?;
                let held = array.held();
                if held.is_some_and(|held| held.intersect(&object.slab).is_some()) {
                    let kept = engine.keep_old(index, &object, true).await?;
                    let looked = engine.old_values(index, &object.chunk).await;
                    looked.map_err(|cause| failed(array, &object.chunk, cause))?;
                    let before = kept.before.into_iter().next();
                    engine.keep_in_mind((index, object.chunk), before.unwrap_or_default());
                }
                engine.progress.add(array.object_bytes());
                Ok(Vec::new())
            }
        });
        self.all(copies).await.map(|_| ())
    }

    /// The values that the objects of the unit get from others, and what each of them replaces.
    pub(super) async fn moved_unit(
        self: &Arc<Self>,
        index: usize,
        replaced: &mut HashMap<(usize, Vec<u64>), Vec<UndoCopy>>,
    ) -> Result<OldValues, TransferError> {
        let unit = &self.plan.units.get(index);
        let array = &self.plan.arrays[unit.array];
        let mut old = Vec::new();
        for object in unit.objects(array) {
            old.push(self.moved_values(unit.array, &object).await?);
            let place = (unit.array, object.chunk);
            let before = self.in_mind(&place);
            replaced.insert(place, before.into_iter().collect());
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
                let values = self.old_values(index, &from).await;
                let values = values.map_err(|cause| failed(array, &from, cause))?;
                stored.push((piece.chunk, values.map(|(values, _)| values)));
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

    /// The values of what lay at `chunk`, and what the object holds, from its copy, held against the manifest; `None` if there was none. The
    /// copy is as good as the object, which is what the user knows: errors name that.
    async fn old_values(
        self: &Arc<Self>,
        index: usize,
        chunk: &[u64],
    ) -> Result<Option<(Vec<u8>, Content)>, StoreError> {
        let (key, copy) = self.key_and_copy(index, chunk);
        // There is one of nothing, too, which is empty.
        let stored = self.bucket.get(&copy).await?;
        let stored = (!stored.is_empty()).then_some(stored);
        let recorded = self.before.get(&index).and_then(|all| all.get(chunk));
        let damaged = |cause| ZarrError::Damaged {
            key: key.clone(),
            cause,
        };
        if let Some(cause) = unlike(recorded, stored.as_ref()) {
            return Err(damaged(cause).into());
        }
        let Some(stored) = stored else {
            return Ok(None);
        };
        let bytes = stored.len();
        let decoded = self.decoded(index, &key, stored);
        let (values, content) = self.clock.during(Stage::Decode, bytes, decoded).await?;
        match (recorded, content) {
            (
                Some(Content::Stored { values_crc32c, .. }),
                Content::Stored {
                    values_crc32c: found,
                    ..
                },
            ) if *values_crc32c != found => Err(damaged(format!(
                "the crc32c of its values is {found:08x}, expected {values_crc32c:08x}"
            ))
            .into()),
            _ => Ok(Some((values, content))),
        }
    }

    /// The values of the object `key`, whose bytes these are, and what it holds.
    async fn decoded(
        self: &Arc<Self>,
        index: usize,
        key: &str,
        stored: Bytes,
    ) -> Result<(Vec<u8>, Content), StoreError> {
        let engine = Arc::clone(self);
        let decoded = on_pool(&self.pool, move || {
            let codec = &engine.codecs[index];
            let values = codec.decode(&stored)?;
            let content = Content::Stored {
                bytes: stored.len() as u64,
                values_crc32c: codec.checksum(&values),
                stored_crc32c: StoredDigest::of(&stored),
                proof: Proof::ReadBack,
            };
            Ok((values, content))
        });
        let decoded: Result<_, ZarrError> = decoded.await;
        decoded.map_err(|cause| StoreError::from(cause).in_object(key))
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
                let _turn = engine.turn().await?;
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
                    replaced: before.map_or(0, |before| before.size),
                }])
            }
        });
        self.all(moves).await
    }

    /// Lets the object at `chunk` become what the one at `from` was. All requests for it share one patience.
    async fn move_object(
        self: &Arc<Self>,
        index: usize,
        from: &[u64],
        chunk: &[u64],
    ) -> Result<Content, TransferError> {
        let array = &self.plan.arrays[index];
        let ((_, copy), (key, _)) = (
            self.key_and_copy(index, from),
            self.key_and_copy(index, chunk),
        );
        let expected = self.old_values(index, from).await;
        let expected = expected.map_err(|cause| failed(array, from, cause))?;
        let Some((_, expected)) = expected else {
            let gone = self.bucket.delete(&key).await;
            gone.map_err(|cause| failed(array, chunk, cause))?;
            return Ok(Content::Empty);
        };
        let moving = Moving {
            array: index,
            copy,
            key: key.clone(),
        };
        let patience = self.bucket.patience();
        let tried = patience.share(self.try_to_move(&moving, expected, &patience));
        match tried.await {
            Ok(None) => Ok(expected),
            Ok(Some(cause)) => Err(TransferError::Verify {
                array: array.name.clone(),
                chunk: chunk.to_vec(),
                key,
                tries: TRIES,
                cause,
            }),
            Err(cause) => Err(failed(array, chunk, cause)),
        }
    }

    /// Copies until what is there is what is `expected`, or says why it is not.
    async fn try_to_move(
        self: &Arc<Self>,
        moving: &Moving,
        expected: Content,
        patience: &Patience,
    ) -> Result<Option<String>, StoreError> {
        let Moving { array, copy, key } = moving;
        let begun = Instant::now();
        let mut wrong = String::new();
        for _ in 0..TRIES {
            // It stays when the copy goes, and in a directory it is no second name of it.
            let bytes = match expected {
                Content::Stored { bytes, .. } => bytes as usize,
                Content::Empty => 0,
            };
            let put = self.bucket.duplicate(copy, key);
            self.clock.during(Stage::Put, bytes, put).await?;
            let mut pause = PAUSE;
            for look in 0..LOOKS {
                if look > 0 {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                let read = async {
                    let stored = self.bucket.get(key).await?;
                    self.decoded(*array, key, stored).await
                };
                match self.clock.during(Stage::Verify, bytes, read).await {
                    Ok((_, found)) if found == expected => {
                        if let Content::Stored { bytes, .. } = found {
                            let (key, took) = (key.clone(), begun.elapsed());
                            self.reporter
                                .tell(&Event::ObjectWritten { key, bytes, took });
                        }
                        return Ok(None);
                    }
                    Ok(_) => wrong = format!("it is not as '{copy}' is, which it was copied from"),
                    Err(error) if patience.is_over() => return Err(error),
                    Err(error) => wrong = error.to_string(),
                }
            }
        }
        Ok(Some(wrong))
    }

    /// The objects of the unit and of those that follow it, with their arrays.
    fn objects_of(&self, index: usize) -> Vec<(usize, ArrayObject)> {
        let units = self.with_followers(index).into_iter();
        let objects = units.flat_map(|index| {
            let unit = self.plan.units.get(index);
            let objects = unit.objects(&self.plan.arrays[unit.array]).into_iter();
            objects.map(move |object| (unit.array, object))
        });
        objects.collect()
    }

    /// The key of the object at `chunk` of an array of which steps are moved, which is in one store, and that of the copy of what lay there.
    fn key_and_copy(&self, index: usize, chunk: &[u64]) -> (String, String) {
        let store = self.plan.arrays[index].stores[0];
        let name = &self.plan.stores[store].key;
        let key = self.codecs[index].key(name, chunk);
        let copy = layout::undo_copy(name, &self.ids[store], &key);
        (key, copy)
    }

    /// Does all of `work`, some of it at a time. All of it ends before an error is passed on: what is dropped can still arrive, after
    /// the undo.
    async fn all(
        &self,
        work: impl Iterator<Item = impl Future<Output = Result<Vec<ChunkRecord>, TransferError>>>,
    ) -> Result<Vec<ChunkRecord>, TransferError> {
        let done = stream::iter(work).buffer_unordered(self.bucket.most_at_once());
        together(done.collect().await)
    }
}
