//! Comparing what files hold with what stores hold of it: every object, without stopping at the first difference.
//!
//! Key type: [`Difference`].

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use msm_plan::{ArrayObject, Phase, TargetArray, UnitPart};
use msm_zarr::ZarrError;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::assemble::FilledObject;
use super::compare::{is_close, position, shown};
use super::engine::{Engine, permits};
use super::error::TransferError;
use crate::store::StoreError;

/// Units in flight at most, however small they are.
const MOST_UNITS: usize = 16;
/// Bytes of memory that keep both busy, the NetCDF library, which reads one thing at a time, and those that wait for objects and
/// decode them: with more, it is no faster.
const ENOUGH: u64 = 192 << 20;

/// An object of a store that does not hold what the files do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Difference {
    /// Its key.
    pub key: String,
    /// Values that differ.
    pub values: u64,
    /// The place of the first of them in the array.
    pub position: Vec<u64>,
    /// What the store holds there.
    pub in_store: String,
    /// What the file holds there.
    pub in_file: String,
    /// The file.
    pub file: String,
}

impl Engine {
    /// Does this rank's units of the comparison, and returns all differences; of an array along the append dimension,
    /// of the steps that the files hold.
    ///
    /// # Errors
    /// If a file or an object cannot be read.
    pub(crate) async fn differences(self: Arc<Self>) -> Result<Vec<Difference>, TransferError> {
        let units: Vec<usize> = self.plan.units_of(self.rank, Phase::Compare).collect();
        let most = permits(self.plan.in_flight.min(ENOUGH)).max(1);
        let memory = Semaphore::new(most as usize);
        let work = units.into_iter().map(|unit| {
            let (engine, memory) = (Arc::clone(&self), &memory);
            async move {
                let needed = permits(engine.plan.units.get(unit).memory(&engine.plan));
                // The semaphore is never closed. What needs more than all has it to itself.
                let _room = memory.acquire_many(needed.min(most)).await;
                engine.differences_of(unit).await
            }
        });
        let found: Vec<Vec<Difference>> = stream::iter(work)
            .buffer_unordered(MOST_UNITS)
            .try_collect()
            .await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn differences_of(
        self: &Arc<Self>,
        index: usize,
    ) -> Result<Vec<Difference>, TransferError> {
        let mut differences = Vec::new();
        for (index, filled) in self.read_units(index).await? {
            differences.extend(self.differences_in(index, &filled).await?);
        }
        Ok(differences)
    }

    async fn differences_in(
        self: &Arc<Self>,
        index: usize,
        filled: &[FilledObject],
    ) -> Result<Vec<Difference>, TransferError> {
        let unit = &self.plan.units.get(index);
        let array = &self.plan.arrays[unit.array];
        let parts = unit.parts(array);
        let mut differences = Vec::new();
        for (object, in_files) in filled {
            for &store in &array.stores {
                let key = self.codecs[unit.array].key(&self.plan.stores[store].key, &object.chunk);
                let in_store = match self.stored_values(unit.array, &object.chunk, &key).await {
                    Ok(Some((values, _))) => values,
                    Ok(None) => array.fill.repeat(in_files.len() / array.dtype.size()),
                    // The check of the store's objects tells.
                    Err(TransferError::Store {
                        cause: StoreError::Zarr(ZarrError::Damaged { .. }),
                        ..
                    }) => continue,
                    Err(error) => return Err(error),
                };
                let found = self.difference(array, &parts, object, [&in_store, in_files]);
                differences.extend(found.map(|found| Difference { key, ..found }));
                self.progress.add(array.object_bytes());
            }
        }
        Ok(differences)
    }

    /// Compares the values of an object where `parts` say that files hold them: those `in_store` and `in_files`.
    fn difference(
        &self,
        array: &TargetArray,
        parts: &[UnitPart],
        object: &ArrayObject,
        [in_store, in_files]: [&[u8]; 2],
    ) -> Option<Difference> {
        let size = array.dtype.size();
        let pairs = in_store.chunks_exact(size).zip(in_files.chunks_exact(size));
        let differs = |(a, b): &(&[u8], &[u8])| a != b && !is_close(array, a, b);
        let differing = pairs.enumerate().filter(|(_, pair)| differs(pair));
        let mut differing = differing.filter_map(|(i, values)| {
            let position = position(array, &object.slab.start, i);
            let part = parts.iter().find(|part| holds(part, &position))?;
            Some((position, part, values))
        });
        let (position, part, (in_store, in_file)) = differing.next()?;
        Some(Difference {
            key: String::new(),
            values: 1 + differing.count() as u64,
            position,
            in_store: shown(array.dtype, in_store),
            in_file: shown(array.dtype, in_file),
            file: self.plan.files[part.file].display().to_string(),
        })
    }
}

/// Does `part` hold values at this position, or below it if that is of the first dimensions only?
pub(super) fn holds(part: &UnitPart, position: &[u64]) -> bool {
    let slab = &part.in_array;
    let ranges = slab.start.iter().zip(&slab.count);
    let mut places = position.iter().zip(ranges);
    places.all(|(&at, (&start, &count))| at >= start && at - start < count)
}
