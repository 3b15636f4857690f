//! Arrays that are cut along the append dimension: to the shortest, where an append of another program that died half way left them of
//! different lengths, or to the steps that stay of all.
//!
//! Key type: [`StoreTruncation`].

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use futures::TryStreamExt;
use msm_plan::{LACKING, lacking_without};
use msm_zarr::{ChunkCodec, Outline, OutlineArray, ZarrError, group_of};
use serde_json::{Value, json};

use super::edits::Edits;
use super::expected;
use super::ledger::LastTransaction;
use super::manifests::read_manifests;
use super::removal::{Recut, RecutPiece, Removal};
use crate::store::{Bucket, ListedObject as Listed, StoreError, read_outline};
use crate::transfer::Content;

/// What has to be cut of a store.
pub(crate) struct StoreTruncation {
    /// Arrays, with the steps that they have and those that stay.
    pub arrays: Vec<(String, u64, u64)>,
    /// Attributes of the store that go because they tell of steps that go.
    pub attributes: Vec<String>,
    /// All that goes.
    pub removal: Removal,
}

/// An array that is too long.
struct LongArray<'a> {
    array: &'a OutlineArray,
    axis: usize,
    has: u64,
    /// Steps of it that go.
    gone: Range<u64>,
}

impl StoreTruncation {
    /// Looks at `store`, which grows along `dimension`; `None` if there is nothing to cut.
    ///
    /// # Errors
    /// If the store cannot be read, if nothing would be left of it, or if an array cannot be cut.
    pub(crate) async fn of(
        bucket: &Bucket,
        store: &str,
        dimension: &str,
    ) -> Result<Option<Self>, StoreError> {
        let Some(outline) = read_outline(bucket, store).await? else {
            return Ok(None);
        };
        let mut edits = Edits::new(bucket, &outline);
        let all = too_long(&outline, &mut edits, dimension).await?;
        if all.is_empty() {
            return Ok(None);
        }
        // What made them so long may have written into other objects, too.
        Self::cut(bucket, &outline, edits, &all, false)
            .await
            .map(Some)
    }

    /// Looks at `store`, of which these steps along `dimension` go; `None` if there is none.
    ///
    /// # Errors
    /// If the store cannot be read, or an array cannot be cut.
    pub(crate) async fn without(
        bucket: &Bucket,
        store: &str,
        dimension: &str,
        gone: &Range<u64>,
    ) -> Result<Option<Self>, StoreError> {
        let Some(outline) = read_outline(bucket, store).await? else {
            return Ok(None);
        };
        let along = outline.arrays.iter().filter_map(|array| {
            let axis = array.dimensions.iter().position(|name| name == dimension)?;
            let has = array.shape[axis];
            let gone = gone.start..gone.end.min(has);
            let is_cut = !gone.is_empty() && group_of(&array.name).is_empty();
            is_cut.then_some(LongArray {
                array,
                axis,
                has,
                gone,
            })
        });
        let all: Vec<LongArray<'_>> = along.collect();
        let edits = Edits::new(bucket, &outline);
        let last = LastTransaction::read(bucket, store, &outline.text).await?;
        // Another program that put a root document may have written anything.
        let is_sure = last.is_some_and(|(last, _)| last.objects.is_some());
        Self::cut(bucket, &outline, edits, &all, is_sure)
            .await
            .map(Some)
    }

    /// What goes if `all` of these arrays are cut. Do the manifests surely tell what is read for it?
    async fn cut(
        bucket: &Bucket,
        outline: &Outline,
        mut edits: Edits<'_>,
        all: &[LongArray<'_>],
        is_sure: bool,
    ) -> Result<Self, StoreError> {
        let store = &outline.store;
        let kept = read_manifests(bucket, &outline.store).await?.whole()?;
        let (mut objects, mut recuts, mut gone) = (Vec::new(), Vec::new(), Vec::new());
        for long in all {
            long.change(outline, &mut edits).await?;
            gone.extend(kept.gone(&long.array.name, |chunk| {
                chunk.len() == long.array.chunk.len() && long.is_behind(chunk)
            }));
            let mut there = BTreeMap::new();
            let mut entries = bucket.entries(&format!("{store}/{}", long.array.name));
            while let Some(object) = entries.try_next().await? {
                match long.array.keys.chunk_of(store, &object.key) {
                    Some(chunk) if long.is_behind(&chunk) => {
                        objects.push(object.clone());
                        there.insert(chunk, object);
                    }
                    Some(chunk) => drop(there.insert(chunk, object)),
                    None => {}
                }
            }
            if let Some(codec) = long.codec(store)? {
                let recorded = kept.objects.get(&long.array.name).filter(|_| is_sure);
                recuts.extend(long.recuts(store, &there, recorded, &codec)?);
            }
        }
        let attributes = edits.drop_attributes(expected::of_steps, |_| {}).await?;
        let arrays = all
            .iter()
            .map(|long| (long.array.name.clone(), long.has, long.stays()));
        let arrays: Vec<(String, u64, u64)> = arrays.collect();
        let steps = arrays.iter().map(|(_, has, stays)| has - stays).max();
        Ok(Self {
            arrays,
            attributes,
            removal: Removal {
                objects,
                recuts,
                steps: steps.unwrap_or(0),
                ..Removal::of(edits, gone)
            },
        })
    }
}

/// The arrays of `outline` that have steps which not all of their group have, by the root document and by their own.
async fn too_long<'a>(
    outline: &'a Outline,
    edits: &mut Edits<'_>,
    dimension: &str,
) -> Result<Vec<LongArray<'a>>, StoreError> {
    let mut all = Vec::new();
    let mut shortest: BTreeMap<&str, (u64, &str)> = BTreeMap::new();
    for array in &outline.arrays {
        let Some(axis) = array.dimensions.iter().position(|name| name == dimension) else {
            continue;
        };
        let [_, path] = outline.documents_of(&array.name);
        let own = edits.own(&path).await?;
        let own = own.and_then(|own| own["shape"][axis].as_u64());
        let consolidated = array.shape[axis];
        let least = own.map_or(consolidated, |own| own.min(consolidated));
        let known = shortest
            .entry(group_of(&array.name))
            .or_insert((least, &array.name));
        if least < known.0 {
            *known = (least, &array.name);
        }
        let has = own.map_or(consolidated, |own| own.max(consolidated));
        all.push(LongArray {
            array,
            axis,
            has,
            gone: 0..has,
        });
    }
    all.retain_mut(|long| {
        let least = shortest.get(group_of(&long.array.name));
        long.gone.start = least.map_or(long.has, |(least, _)| *least);
        !long.gone.is_empty()
    });
    if let Some(long) = all.iter().find(|long| long.gone.start == 0)
        && let Some((_, empty)) = shortest.get(group_of(&long.array.name))
    {
        return Err(ZarrError::Foreign {
            store: outline.store.clone(),
            problem: format!(
                "its array '{empty}' has no step along '{dimension}', '{}' has {}: cut to the shortest, nothing would be left; \
                 remove the empty one with delete --array {empty}, or delete the store and send its files again",
                long.array.name, long.has
            ),
        }
        .into());
    }
    Ok(all)
}

impl LongArray<'_> {
    /// Steps that it has then.
    fn stays(&self) -> u64 {
        self.has - (self.gone.end - self.gone.start)
    }

    /// Does nothing stay at `chunk`?
    fn is_behind(&self, chunk: &[u64]) -> bool {
        chunk[self.axis].saturating_mul(self.array.chunk[self.axis]) >= self.stays()
    }

    /// The objects that get other steps than they have, of those that are `there` by their places; of what is read for that, manifests
    /// may have `recorded` what it is.
    ///
    /// # Errors
    /// If one is gone.
    fn recuts(
        &self,
        store: &str,
        there: &BTreeMap<Vec<u64>, Listed>,
        recorded: Option<&BTreeMap<Box<[u64]>, Content>>,
        codec: &Arc<ChunkCodec>,
    ) -> Result<Vec<Recut>, ZarrError> {
        let size = self.array.chunk[self.axis];
        let steps = |chunk: &[u64]| {
            let first = chunk[self.axis].saturating_mul(size);
            first..first.saturating_add(size).min(self.has)
        };
        // One that only loses its steps is not read.
        let is_read = |chunk: &[u64]| {
            let Range { start, end } = steps(chunk);
            end > self.gone.start && (start < self.gone.start || end > self.gone.end)
        };
        for (chunk, content) in recorded.into_iter().flatten() {
            if matches!(content, Content::Stored { .. })
                && chunk.len() == self.array.chunk.len()
                && is_read(chunk)
                && !there.contains_key(&**chunk)
            {
                let (key, cause) = (codec.key(store, chunk), "it is gone".to_owned());
                return Err(ZarrError::Damaged { key, cause });
            }
        }
        let mut places: BTreeMap<Vec<u64>, Vec<RecutPiece>> = BTreeMap::new();
        for (chunk, object) in there {
            let Range { start: first, end } = steps(chunk);
            if end <= self.gone.start {
                continue;
            }
            if !self.is_behind(chunk) {
                places.entry(chunk.clone()).or_default();
            }
            // What lies before what goes, and behind it.
            let parts = [
                (first..end.min(self.gone.start), 0),
                (
                    first.max(self.gone.end)..end,
                    self.gone.end - self.gone.start,
                ),
            ];
            for (part, back) in parts {
                let mut step = part.start;
                while step < part.end {
                    let at = step - back;
                    let count = (part.end - step).min(size - at % size);
                    let mut place = chunk.clone();
                    place[self.axis] = at / size;
                    places.entry(place).or_default().push(RecutPiece {
                        key: object.key.clone(),
                        first: step - first,
                        count,
                        at: at % size,
                        recorded: recorded.and_then(|all| all.get(&**chunk)).copied(),
                    });
                    step += count;
                }
            }
        }
        let recut = |(chunk, pieces): (Vec<u64>, Vec<RecutPiece>)| Recut {
            key: codec.key(store, &chunk),
            there: there.get(&chunk).cloned(),
            array: self.array.name.clone(),
            chunk,
            axis: self.axis,
            pieces,
            codec: Arc::clone(codec),
        };
        Ok(places.into_iter().map(recut).collect())
    }

    /// What decodes the objects that are cut; `None` if none is.
    fn codec(&self, store: &str) -> Result<Option<Arc<ChunkCodec>>, ZarrError> {
        let is_whole = self.gone.start.is_multiple_of(self.array.chunk[self.axis]);
        if is_whole && self.gone.end == self.has {
            return Ok(None);
        }
        let OutlineArray { name, document, .. } = self.array;
        let codec = match document["order"].as_str() {
            Some("F") => Err("its order is F".to_owned()),
            _ => ChunkCodec::new(name, &document.to_string()).map_err(|error| error.to_string()),
        };
        codec.map(|codec| Some(Arc::new(codec))).map_err(|cause| {
            let problem = format!(
                "its array '{name}' would have to be cut within a chunk, or steps of it moved, which this program cannot decode ({cause}); cut it with \
                 the program that wrote it, or remove it with delete --array {name}"
            );
            ZarrError::Foreign {
                store: store.to_owned(),
                problem,
            }
        })
    }

    /// Changes the array's shape, and what its attributes say of steps that go.
    async fn change(&self, outline: &Outline, edits: &mut Edits<'_>) -> Result<(), StoreError> {
        let shape = |document: &mut Value| {
            let lengths = document.get_mut("shape").and_then(Value::as_array_mut);
            // What is none, verify tells of.
            if let Some(length) = lengths.and_then(|lengths| lengths.get_mut(self.axis)) {
                *length = json!(self.stays());
            }
        };
        let lacking = |attributes: &mut Value| {
            let Some(attributes) = attributes.as_object_mut() else {
                return;
            };
            let Some(said) = attributes.get(LACKING).and_then(Value::as_str) else {
                return;
            };
            match lacking_without(said, &self.gone) {
                Some(said) => drop(attributes.insert(LACKING.to_owned(), json!(said))),
                None => drop(attributes.shift_remove(LACKING)),
            }
        };
        let [attributes, document] = outline.documents_of(&self.array.name);
        if attributes == document {
            let both = |document: &mut Value| {
                shape(document);
                if let Some(attributes) = document.get_mut("attributes") {
                    lacking(attributes);
                }
            };
            return edits.change(&document, both).await;
        }
        edits.change(&document, shape).await?;
        if self.array.attributes.contains_key(LACKING) {
            edits.change(&attributes, lacking).await?;
        }
        Ok(())
    }
}
