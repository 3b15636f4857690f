//! One unit's objects on their way out: encode, PUT, verify.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures::{FutureExt, StreamExt, stream};
use md5::{Digest, Md5};
use msm_model::Hyperslab;
use msm_plan::{ArrayObject, TargetArray};
use msm_zarr::{EncodedObject, ZarrError};

use super::assemble::written;
use super::check::unlike_sent;
use super::draw::say_drawn;
use super::engine::{Engine, on_pool};
use super::error::TransferError;
use super::fill::OldValues;
use super::keep::UndoCopy;
use super::put::{KnownContent, put_object};
use super::record::{ChunkRecord, Content, Proof, Verification};
use crate::events::{Event, Stage};
use crate::knobs;
use crate::store::{Patience, PutAnswer, StoreError, StoredDigest};

/// PUTs of an object that does not read back right, before the run fails.
pub(super) const TRIES: u32 = 3;
/// Looks at an object after its PUT, and the pause before the second, which doubles: a server may give what was there
/// before for a while.
pub(super) const LOOKS: u32 = 5;
pub(super) const PAUSE: Duration = Duration::from_millis(200);
/// Decoded bytes of an object up to which all stores that hold it get it at the same time.
pub(super) const SMALL: u64 = 1 << 20;

/// An encoded object on its way to the stores that get it.
struct Outgoing {
    stored: Bytes,
    /// What its record will say.
    content: Content,
}

impl Engine {
    pub(super) async fn write_unit(
        self: Arc<Self>,
        index: usize,
    ) -> Result<Vec<ChunkRecord>, TransferError> {
        let indices = self.with_followers(index);
        let done: Option<Vec<_>> = indices.iter().map(|&i| self.done_before(i)).collect();
        if let Some(records) = done {
            let records = records.into_iter().flatten().inspect(|record| {
                let array = &self.plan.arrays[record.array];
                self.progress.add(array.object_bytes());
            });
            return Ok(records.collect());
        }
        let unit = &self.plan.units.get(index);
        let array = &self.plan.arrays[unit.array];
        if array.moved_whole(&unit.chunks.start).is_some() {
            return self.move_unit(index).await;
        }
        let mut units = Vec::new();
        // By array and chunk, what is replaced in each store.
        let mut replaced = HashMap::new();
        for index in indices {
            units.push((index, self.keep_unit(index, &mut replaced).await?));
        }
        let filled = self.fill_units(units).await?;
        let objects = filled.into_iter().flat_map(|(index, filled)| {
            let array = self.plan.units.get(index).array;
            filled.into_iter().map(move |filled| (array, filled))
        });
        let writes = objects.map(|(array, (object, values))| {
            let place = (array, object.chunk);
            let replaced = replaced.remove(&place).unwrap_or_default();
            let object = ArrayObject {
                chunk: place.1,
                ..object
            };
            let engine = Arc::clone(&self);
            async move {
                let written = engine.write_object(array, object, values, replaced).await;
                match &written {
                    // At once: a stop may come before others of the unit are written.
                    Ok(records) => engine.note(records),
                    Err(error) if !error.is_stopped() => {
                        // The others need not wait for the same.
                        engine.progress.fail();
                    }
                    Err(_) => {}
                }
                written
            }
        });
        // All of them end before an error is passed on: a PUT that is dropped can still arrive, after the undo.
        let written: Vec<Result<Vec<ChunkRecord>, TransferError>> = stream::iter(writes)
            .buffer_unordered(self.bucket.most_at_once())
            .collect()
            .await;
        fail_on_purpose(self.rank);
        together(written)
    }

    /// Copies what the unit's objects replace into the ledger, and returns the values that are kept.
    async fn keep_unit(
        self: &Arc<Self>,
        index: usize,
        replaced: &mut HashMap<(usize, Vec<u64>), Vec<UndoCopy>>,
    ) -> Result<OldValues, TransferError> {
        let unit = &self.plan.units.get(index);
        let array = &self.plan.arrays[unit.array];
        if array.moves_steps() {
            return self.moved_unit(index, replaced).await;
        }
        let mut old = Vec::new();
        let (held, parts) = (array.held(), unit.parts(array));
        for object in unit.objects(array) {
            let kept = held.as_ref().and_then(|held| held.intersect(&object.slab));
            old.push(if kept.is_some() {
                let whole = written(&object, &parts) >= inside(array, &object);
                let kept = self.keep_old(unit.array, &object, whole).await?;
                replaced.insert((unit.array, object.chunk), kept.before);
                kept.values
            } else {
                None
            });
        }
        Ok(old)
    }

    /// The records of the unit's objects, if all of them were there when the transaction was resumed.
    fn done_before(&self, index: usize) -> Option<Vec<ChunkRecord>> {
        if self.done.is_empty() {
            return None;
        }
        let unit = &self.plan.units.get(index);
        let array = &self.plan.arrays[unit.array];
        let mut records = Vec::new();
        for object in unit.objects(array) {
            for &store in &array.stores {
                let place = (unit.array, store, object.chunk.clone());
                records.push(self.done.get(&place)?.clone());
            }
        }
        Some(records)
    }

    /// The values of a stored object, and its stored size; `None` if it is not stored.
    pub(super) async fn stored_values(
        self: &Arc<Self>,
        index: usize,
        chunk: &[u64],
        key: &str,
    ) -> Result<Option<(Vec<u8>, u64)>, TransferError> {
        let array = &self.plan.arrays[index];
        let begun = Instant::now();
        let stored = match self.bucket.get(key).await {
            Ok(stored) => stored,
            Err(error) if error.is_missing() => return Ok(None),
            Err(cause) => return Err(failed(array, chunk, cause)),
        };
        self.clock.add(Stage::Read, begun, stored.len());
        self.values_in(index, chunk, key, stored).await.map(Some)
    }

    /// The values of the object at `key`, which is `stored` so, and its size.
    pub(super) async fn values_in(
        self: &Arc<Self>,
        index: usize,
        chunk: &[u64],
        key: &str,
        stored: Bytes,
    ) -> Result<(Vec<u8>, u64), TransferError> {
        let array = &self.plan.arrays[index];
        let engine = Arc::clone(self);
        let size = stored.len() as u64;
        let decoded = on_pool(&self.pool, move || {
            let begun = Instant::now();
            let values = engine.codecs[index].decode(&stored);
            let bytes = values.as_ref().map_or(0, Vec::len);
            engine.clock.add(Stage::Decode, begun, bytes);
            values
        })
        .await;
        decoded
            .map(|values| (values, size))
            .map_err(|cause| failed(array, chunk, cause.in_object(key)))
    }

    async fn write_object(
        self: &Arc<Self>,
        index: usize,
        object: ArrayObject,
        values: Vec<u8>,
        before: Vec<UndoCopy>,
    ) -> Result<Vec<ChunkRecord>, TransferError> {
        let array = &self.plan.arrays[index];
        let engine = Arc::clone(self);
        let slab = self.watch.is_some().then(|| object.slab.clone());
        let encoded = on_pool(&self.pool, move || {
            if let (Some(watch), Some(slab)) = (&engine.watch, &slab) {
                watch(index, slab, &values);
            }
            engine.clock.time(Stage::Encode, values.len(), || {
                let values_crc32c = engine.codecs[index].checksum(&values);
                let encoded = engine.codecs[index].encode(&values)?;
                Ok::<_, ZarrError>(match encoded {
                    EncodedObject::Empty => None,
                    EncodedObject::Stored(stored) => {
                        let content = Content::Stored {
                            bytes: stored.len() as u64,
                            values_crc32c,
                            stored_crc32c: StoredDigest::of(&stored),
                            proof: Proof::Unproven,
                        };
                        Some(Outgoing { stored, content })
                    }
                })
            })
        });
        let encoded = encoded
            .await
            .map_err(|cause| failed(array, &object.chunk, cause))?;
        let before = before
            .into_iter()
            .chain(std::iter::repeat_with(UndoCopy::default));
        let puts = array.stores.iter().zip(before);
        let puts = puts.map(|(&store, before)| {
            let put = self.write_to_store(index, &object.chunk, store, encoded.as_ref(), before);
            put.boxed()
        });
        let puts: Vec<_> = puts.collect();
        // What is read back of large ones takes the memory that is set aside for one.
        let at_once = if array.object_bytes() <= SMALL {
            self.bucket.most_at_once()
        } else {
            1
        };
        // All of them end before an error is passed on: a PUT that is dropped can still arrive, after the undo.
        let written: Vec<Result<ChunkRecord, TransferError>> =
            stream::iter(puts).buffered(at_once).collect().await;
        together(
            written
                .into_iter()
                .map(|one| one.map(|one| vec![one]))
                .collect(),
        )
    }

    /// Puts an object into one of the stores that hold its array.
    async fn write_to_store(
        self: &Arc<Self>,
        index: usize,
        chunk: &[u64],
        store: usize,
        encoded: Option<&Outgoing>,
        before: UndoCopy,
    ) -> Result<ChunkRecord, TransferError> {
        if self.progress.is_stopped() {
            return Err(TransferError::Stopped);
        }
        let array = &self.plan.arrays[index];
        if let Some(done) = self.done.get(&(index, store, chunk.to_vec())) {
            self.draw.pass();
            self.progress.add(array.object_bytes());
            return Ok(done.clone());
        }
        let key = self.codecs[index].key(&self.plan.stores[store].key, chunk);
        let content = match encoded {
            None => {
                self.draw.pass();
                // A dead run may have left an object here; in a new store such remains are gone already, but for those
                // of the run that this one goes on with.
                if self.plan.stores[store].old_root.is_some() || self.resumed {
                    let deleted = self.bucket.delete(&key).await;
                    deleted.map_err(|cause| failed(array, chunk, cause))?;
                }
                Content::Empty
            }
            Some(outgoing) => {
                let begun = Instant::now();
                let content = self
                    .put_and_verify(index, chunk, &key, outgoing, before.there)
                    .await?;
                let bytes = outgoing.stored.len() as u64;
                let took = begun.elapsed();
                self.reporter
                    .tell(&Event::ObjectWritten { key, bytes, took });
                content
            }
        };
        self.progress.add(array.object_bytes());
        Ok(ChunkRecord {
            array: index,
            store,
            chunk: chunk.to_vec(),
            content,
            replaced: before.size,
        })
    }

    /// Puts an object where `there` is, and returns what to record of it. All requests for it share one patience.
    async fn put_and_verify(
        self: &Arc<Self>,
        index: usize,
        chunk: &[u64],
        key: &str,
        outgoing: &Outgoing,
        there: KnownContent,
    ) -> Result<Content, TransferError> {
        let array = &self.plan.arrays[index];
        let _turn = self.turn().await?;
        let _in_flight = self.progress.send_off();
        let patience = self.bucket.patience();
        let tried = patience.share(self.try_to_put(index, key, outgoing, there, &patience));
        match tried.await {
            Ok(Ok(proof)) => Ok(outgoing.content.proven(proof)),
            Ok(Err(cause)) => Err(TransferError::Verify {
                array: array.name.clone(),
                chunk: chunk.to_vec(),
                key: key.to_owned(),
                tries: TRIES,
                cause,
            }),
            Err(cause) => Err(failed(array, chunk, cause)),
        }
    }

    /// How the object is proven, or why it is not as it should be.
    async fn try_to_put(
        self: &Arc<Self>,
        index: usize,
        key: &str,
        outgoing: &Outgoing,
        mut there: KnownContent,
        patience: &Patience,
    ) -> Result<Result<Proof, String>, StoreError> {
        let stored = &outgoing.stored;
        let mut wrong = String::new();
        for _ in 0..TRIES {
            let put = put_object(&self.bucket, key, stored, there.clone(), self.conditions);
            let put = match self.clock.during(Stage::Put, stored.len(), put).await {
                Err(error) if error.is_garbled() => {
                    wrong = error.to_string();
                    continue;
                }
                put => put?,
            };
            match self.verify {
                Verification::None => return Ok(Ok(Proof::Unproven)),
                Verification::Server => return Ok(Ok(Proof::Server)),
                Verification::Full | Verification::Etag => {}
            }
            let proof = self.prove(index, key, outgoing, &put, patience);
            let proof = self.clock.during(Stage::Verify, stored.len(), proof);
            match proof.await? {
                Ok(proof) => return Ok(Ok(proof)),
                Err(cause) => wrong = cause,
            }
            // What is wrong there is our own.
            there = KnownContent::tagged(put.etag.as_ref());
        }
        Ok(Err(wrong))
    }

    /// How an object is proven that was `put` just now, or why it is not as it should be.
    async fn prove(
        self: &Arc<Self>,
        index: usize,
        key: &str,
        outgoing: &Outgoing,
        put: &PutAnswer,
        patience: &Patience,
    ) -> Result<Result<Proof, String>, StoreError> {
        if self.verify == Verification::Etag && put.etag.is_some() {
            let sent = outgoing.stored.clone();
            let pool = &self.pool;
            if put.etag == Some(on_pool(pool, move || HEXLOWER.encode(&Md5::digest(&sent))).await) {
                self.draw.pass();
                return Ok(Ok(Proof::Etag));
            }
        }
        let is_drawn = self.draw.hits();
        if is_drawn {
            say_drawn(key);
        }
        let (mut wrong, mut pause) = (String::new(), PAUSE);
        for look in 0..LOOKS {
            if look > 0 {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            match self.read_back(index, key, outgoing, is_drawn).await {
                Ok(None) => return Ok(Ok(Proof::ReadBack)),
                Ok(Some(cause)) => wrong = cause,
                Err(error) if patience.is_over() => return Err(error),
                Err(error) => wrong = error.to_string(),
            }
        }
        Ok(Err(wrong))
    }

    /// How the object `key`, as the server has it, differs from what was sent, if it does. It is decoded only where its bytes do, or
    /// if it is drawn.
    async fn read_back(
        self: &Arc<Self>,
        index: usize,
        key: &str,
        outgoing: &Outgoing,
        is_drawn: bool,
    ) -> Result<Option<String>, StoreError> {
        let found = self.bucket.get(key).await?;
        let (engine, sent) = (Arc::clone(self), outgoing.content);
        let unlike = on_pool(&self.pool, move || {
            unlike_sent(&engine.codecs[index], &found, sent, is_drawn)
        });
        Ok(unlike.await)
    }
}

/// The records of all objects, or the first error that is not that of another.
pub(super) fn together(
    written: Vec<Result<Vec<ChunkRecord>, TransferError>>,
) -> Result<Vec<ChunkRecord>, TransferError> {
    let (mut records, mut failure) = (Vec::new(), None);
    for written in written {
        match written {
            Ok(of_object) => records.extend(of_object),
            Err(error) => TransferError::keep_first(&mut failure, error),
        }
    }
    failure.map_or(Ok(records), Err)
}

/// Values of the object within the array's edges.
fn inside(array: &TargetArray, object: &ArrayObject) -> u64 {
    let edges = Hyperslab {
        start: vec![0; array.shape.len()],
        count: array.shape.clone(),
    };
    object.slab.intersect(&edges).map_or(0, |slab| slab.len())
}

pub(super) fn failed(
    array: &TargetArray,
    chunk: &[u64],
    cause: impl Into<StoreError>,
) -> TransferError {
    TransferError::Store {
        array: array.name.clone(),
        chunk: chunk.to_vec(),
        cause: cause.into(),
    }
}

/// For the tests of what becomes of a job in which a rank panics.
fn fail_on_purpose(rank: usize) {
    assert_ne!(
        knobs::panicking_rank(),
        Some(rank),
        "rank {rank} was asked to panic"
    );
}
