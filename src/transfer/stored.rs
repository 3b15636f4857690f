//! Hyperslabs of an array that a store holds, read from its objects.
//!
//! Key types: [`StoredField`], the array; [`ReadMeans`], what is read with.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use msm_model::Hyperslab;
use msm_zarr::{ChunkCodec, ZarrError};
use tokio::sync::Semaphore;

use super::engine::on_pool;
use super::record::Content;
use crate::events::{Stage, StageClock};
use crate::source::Block;
use crate::store::{Bucket, StoreError, StoredDigest};
use crate::workers::Workers;

/// Where the object at a place of the chunk grid lies; `None` if it is known that nothing is stored there.
pub(crate) type KeyOfChunk = Box<dyn Fn(&[u64]) -> Option<String> + Send + Sync>;

/// Gets decoded values, from several threads at once.
pub(crate) type BlockSink = Arc<dyn Fn(Block<'_>) + Send + Sync>;

/// An array that a store holds.
pub(crate) struct StoredField {
    /// Decodes its objects, to values of the size that [`Self::fill`] has.
    pub codec: ChunkCodec,
    /// What one object holds: its chunk shape, or the shape of its shards.
    pub object: Vec<u64>,
    /// The bytes of its fill value, which is what an object that is not stored holds.
    pub fill: Vec<u8>,
    /// Where its objects are.
    pub key: KeyOfChunk,
    /// What manifests say of them, by their places in the chunk grid: something else is an error. What they do not tell of, only has to
    /// decode.
    pub recorded: HashMap<Vec<u64>, Content>,
}

/// What stored arrays are read with.
#[derive(Clone)]
pub(crate) struct ReadMeans {
    /// Where the objects are.
    pub bucket: Bucket,
    /// Threads that decode.
    pub pool: Arc<Workers>,
    /// Room for so many objects, each with its decoded values, whoever reads them.
    pub room: Arc<Semaphore>,
    /// Counts the time that it takes.
    pub clock: Arc<StageClock>,
}

impl StoredField {
    /// Reads `slab`, which lies within the array, and hands it to `sink` in blocks that together cover it; they can reach beyond it. Each object
    /// is decoded once. Returns where in the chunk grid nothing is stored, in any order.
    ///
    /// # Errors
    /// If an object cannot be read or decoded, or is not what the manifest says; the error names its key.
    pub(crate) async fn read(
        self: &Arc<Self>,
        slab: &Hyperslab,
        means: &ReadMeans,
        sink: &BlockSink,
    ) -> Result<Vec<Vec<u64>>, StoreError> {
        let reads =
            touched(slab, &self.object).map(|chunk| self.read_object(chunk, slab, means, sink));
        // As far as there is room for them.
        stream::iter(reads)
            .buffer_unordered(means.bucket.most_at_once())
            .try_filter_map(|absent| std::future::ready(Ok(absent)))
            .try_collect()
            .await
    }

    /// Returns `chunk` if nothing is stored there.
    async fn read_object(
        self: &Arc<Self>,
        chunk: Vec<u64>,
        slab: &Hyperslab,
        means: &ReadMeans,
        sink: &BlockSink,
    ) -> Result<Option<Vec<u64>>, StoreError> {
        // The semaphore is never closed.
        let _room = means.room.acquire().await;
        let stored = match (self.key)(&chunk) {
            Some(key) => self.get(&chunk, key, means).await?,
            None => None,
        };
        let clock = Arc::clone(&means.clock);
        let held = Hyperslab {
            start: chunk.iter().zip(&self.object).map(|(i, n)| i * n).collect(),
            count: self.object.clone(),
        };
        let wanted = held.intersect(slab);
        let absent = stored.is_none().then_some(chunk);
        let (field, sink) = (Arc::clone(self), Arc::clone(sink));
        let handed = on_pool(&means.pool, move || {
            if let Some((key, stored)) = stored {
                let begun = Instant::now();
                let values = field.codec.decode(&stored);
                clock.add(Stage::Decode, begun, values.as_ref().map_or(0, Vec::len));
                let values = &values.map_err(|cause| cause.in_object(&key))?;
                let slab = &held;
                sink(Block { slab, values });
            } else if let Some(slab) = &wanted {
                let count = usize::try_from(slab.len()).unwrap_or(usize::MAX);
                let values = &field.fill.repeat(count);
                sink(Block { slab, values });
            }
            Ok::<_, ZarrError>(())
        });
        handed.await?;
        Ok(absent)
    }

    /// The object at `chunk`, if it is stored.
    async fn get(
        &self,
        chunk: &[u64],
        key: String,
        means: &ReadMeans,
    ) -> Result<Option<(String, Bytes)>, StoreError> {
        let begun = Instant::now();
        let found = match means.bucket.get(&key).await {
            Ok(stored) => Some(stored),
            Err(error) if error.is_missing() => None,
            Err(error) => return Err(error),
        };
        let bytes = found.as_ref().map_or(0, Bytes::len);
        means.clock.add(Stage::Read, begun, bytes);
        if let Some(cause) = unlike(self.recorded.get(chunk), found.as_ref()) {
            return Err(ZarrError::Damaged { key, cause }.into());
        }
        Ok(found.map(|stored| (key, stored)))
    }
}

/// How what was found differs from what was `recorded`, if anything was.
pub(crate) fn unlike(recorded: Option<&Content>, found: Option<&Bytes>) -> Option<String> {
    let (length, crc) = match recorded? {
        Content::Empty => return found.map(|_| "the manifest has none there".to_owned()),
        Content::Stored {
            bytes,
            stored_crc32c,
            ..
        } => (*bytes, *stored_crc32c),
    };
    let Some(found) = found else {
        return Some("it is gone".to_owned());
    };
    if found.len() as u64 != length {
        return Some(format!("{} bytes, expected {length}", found.len()));
    }
    let digest = StoredDigest::of(found);
    (!StoredDigest::is_of(crc, found))
        .then(|| format!("the crc32c of its bytes is {digest:08x}, expected {crc:08x}"))
}

/// The places in the chunk grid of all objects that `slab` touches, where one holds `object` values along each dimension.
pub(super) fn touched(slab: &Hyperslab, object: &[u64]) -> impl Iterator<Item = Vec<u64>> {
    let grid: Vec<(u64, u64)> = (0..object.len())
        .map(|d| {
            let first = slab.start[d] / object[d];
            (
                first,
                (slab.start[d] + slab.count[d]).div_ceil(object[d]) - first,
            )
        })
        .collect();
    let all = if slab.is_empty() {
        0
    } else {
        grid.iter().map(|(_, count)| count).product()
    };
    (0..all).map(move |mut place: u64| {
        let mut chunk = vec![0; grid.len()];
        for (at, (first, count)) in chunk.iter_mut().zip(&grid).rev() {
            *at = first + place % count;
            place /= count;
        }
        chunk
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::store::loopback;
    use crate::transfer::Proof;
    use msm_model::copy_block;
    use msm_zarr::EncodedObject;
    use serde_json::json;

    /// An array of 5 × 7 numbers, of which two objects are not stored.
    struct Held {
        bucket: Bucket,
        field: StoredField,
        expected: Vec<u8>,
        _directory: tempfile::TempDir,
    }

    fn document() -> String {
        let document = json!({
            "zarr_format": 2, "shape": [5, 7], "chunks": [2, 3], "dtype": "|u1", "fill_value": 9, "order": "C",
            "filters": null, "compressor": {"id": "zstd", "level": 1},
        });
        document.to_string()
    }

    async fn held() -> Held {
        let directory = tempfile::tempdir().unwrap();
        let bucket = loopback::directory(directory.path());
        let codec = ChunkCodec::new("tos", &document()).unwrap();
        let whole = Hyperslab {
            start: vec![0, 0],
            count: vec![5, 7],
        };
        let mut expected: Vec<u8> = (0..35).map(|i| 100 + i).collect();
        let mut recorded = HashMap::new();
        for chunk in touched(&whole, &[2, 3]) {
            let slab = Hyperslab {
                start: vec![chunk[0] * 2, chunk[1] * 3],
                count: vec![2, 3],
            };
            let mut values = vec![9; 6];
            if chunk == [1, 1] || chunk == [2, 2] {
                let fill = values.clone();
                copy_block(&fill, &slab, &mut expected, &whole, &whole, 1);
            } else {
                copy_block(&expected, &whole, &mut values, &slab, &whole, 1);
            }
            let EncodedObject::Stored(stored) = codec.encode(&values).unwrap() else {
                recorded.insert(chunk, Content::Empty);
                continue;
            };
            let content = Content::Stored {
                bytes: stored.len() as u64,
                values_crc32c: codec.checksum(&values),
                stored_crc32c: StoredDigest::of(&stored),
                proof: Proof::ReadBack,
            };
            let key = codec.key("a.zarr", &chunk);
            bucket.put(&key, stored).await.unwrap();
            recorded.insert(chunk, content);
        }
        let keys = ChunkCodec::new("tos", &document()).unwrap();
        let field = StoredField {
            codec,
            object: vec![2, 3],
            fill: vec![9],
            key: Box::new(move |chunk| Some(keys.key("a.zarr", chunk))),
            recorded,
        };
        Held {
            bucket,
            field,
            expected,
            _directory: directory,
        }
    }

    async fn read(
        field: StoredField,
        bucket: &Bucket,
        slab: &Hyperslab,
    ) -> Result<Vec<u8>, StoreError> {
        let means = ReadMeans {
            bucket: bucket.clone(),
            pool: Arc::new(Workers::start(2).unwrap()),
            room: Arc::new(Semaphore::new(2)),
            clock: Arc::default(),
        };
        let values = Arc::new(Mutex::new(vec![0; usize::try_from(slab.len()).unwrap()]));
        let (into, window) = (Arc::clone(&values), slab.clone());
        let sink: BlockSink = Arc::new(move |block: Block<'_>| {
            let mut into = into.lock().unwrap();
            copy_block(block.values, block.slab, &mut into, &window, &window, 1);
        });
        Arc::new(field).read(slab, &means, &sink).await?;
        let values = values.lock().unwrap().clone();
        Ok(values)
    }

    #[tokio::test]
    async fn any_hyperslab_has_the_values_of_the_array() {
        let whole = Hyperslab {
            start: vec![0, 0],
            count: vec![5, 7],
        };
        for (y, ny) in [(0, 5), (1, 1), (2, 3), (3, 2), (4, 1), (2, 0)] {
            for (x, nx) in [(0, 7), (0, 1), (2, 2), (4, 3), (6, 1)] {
                let Held {
                    bucket,
                    field,
                    expected,
                    _directory,
                } = held().await;
                let slab = Hyperslab {
                    start: vec![y, x],
                    count: vec![ny, nx],
                };
                let mut cut = vec![0; usize::try_from(slab.len()).unwrap()];
                copy_block(&expected, &whole, &mut cut, &slab, &slab, 1);
                assert_eq!(read(field, &bucket, &slab).await, Ok(cut), "{slab:?}");
            }
        }
    }

    #[tokio::test]
    async fn what_is_not_as_the_manifest_says_is_named() {
        let key = "a.zarr/tos/1.0";
        let whole = Hyperslab {
            start: vec![0, 0],
            count: vec![5, 7],
        };
        for (change, words) in [
            ("gone", "it is gone"),
            ("short", "bytes, expected"),
            ("other", "crc32c"),
        ] {
            let Held {
                bucket,
                field,
                _directory,
                ..
            } = held().await;
            let stored = bucket.get(key).await.unwrap();
            match change {
                "gone" => bucket.delete(key).await.unwrap(),
                "short" => drop(bucket.put(key, stored.slice(1..)).await.unwrap()),
                _ => {
                    let mut other = stored.to_vec();
                    other[0] ^= 1;
                    bucket.put(key, other.into()).await.unwrap();
                }
            }
            let said = read(field, &bucket, &whole).await.unwrap_err().to_string();
            assert!(said.contains(key) && said.contains(words), "{said}");
        }
        // Without a record, it has to decode all the same.
        let mut held = held().await;
        held.field.recorded.clear();
        held.bucket.put(key, "x".into()).await.unwrap();
        let said = read(held.field, &held.bucket, &whole).await.unwrap_err();
        assert!(said.to_string().contains(key), "{said}");
    }

    #[test]
    fn a_scalar_has_one_object() {
        let slab = Hyperslab {
            start: Vec::new(),
            count: Vec::new(),
        };
        assert_eq!(touched(&slab, &[]).collect::<Vec<_>>(), [Vec::<u64>::new()]);
    }
}
