//! The values of units: each with those that are reprojected from what it reads.

use std::sync::{Arc, Mutex, PoisonError};

use msm_model::copy_block;
use msm_plan::WorkUnit;

use super::assemble::{FilledObject, blank};
use super::engine::{Engine, on_pool};
use super::error::TransferError;
use super::object::failed;
use super::stored::{BlockSink, StoredField};
use crate::source::{Block, SourceError};

/// For each object of a unit, the values that it has in the store now, where they are kept.
pub(super) type OldValues = Vec<Option<Vec<u8>>>;

impl Engine {
    /// The unit and those that follow it.
    pub(super) fn with_followers(&self, index: usize) -> Vec<usize> {
        let followers = self.plan.units.get(index).followers;
        std::iter::once(index).chain(followers).collect()
    }

    /// The values of the objects of a unit and of those that follow it, which come behind it.
    pub(super) async fn fill_units(
        self: &Arc<Self>,
        units: Vec<(usize, OldValues)>,
    ) -> Result<Vec<(usize, Vec<FilledObject>)>, TransferError> {
        if let [(index, _)] = &units[..]
            && let Some(source) = &self.sources[self.plan.units.get(*index).array]
        {
            return Ok(vec![(*index, self.fill_from(source, *index).await?)]);
        }
        let engine = Arc::clone(self);
        on_pool(&self.pool, move || {
            let mut all: Vec<(usize, Vec<FilledObject>)> = Vec::with_capacity(units.len());
            for (index, old) in units {
                let unit = &engine.plan.units.get(index);
                let filled = match all.first() {
                    None => engine.assemble(unit, &old),
                    Some((_, followed)) => engine.project(unit, &old, Some(followed)),
                };
                all.push((
                    index,
                    filled.map_err(|cause| engine.failed_to_read(unit, cause))?,
                ));
            }
            Ok(all)
        })
        .await
    }

    /// The values of the objects of a unit, which are those of the stored array `source`; beyond the array's edges stands the fill value.
    async fn fill_from(
        self: &Arc<Self>,
        source: &Arc<StoredField>,
        index: usize,
    ) -> Result<Vec<FilledObject>, TransferError> {
        let unit = &self.plan.units.get(index);
        let array = &self.plan.arrays[unit.array];
        let parts = unit.parts(array);
        let engine = Arc::clone(self);
        let blanks = on_pool(&self.pool, move || {
            let unit = &engine.plan.units.get(index);
            let array = &engine.plan.arrays[unit.array];
            let objects = unit.objects(array).into_iter();
            let blanks = objects.map(|object| {
                let values = blank(array, &object, &unit.parts(array), None);
                (object, Mutex::new(values))
            });
            blanks.collect::<Vec<_>>()
        });
        let objects = Arc::new(blanks.await);
        for part in &parts {
            let (into, window) = (Arc::clone(&objects), part.in_array.clone());
            let size = array.dtype.size();
            let sink: BlockSink = Arc::new(move |block: Block<'_>| {
                for (object, values) in into.iter() {
                    if object.slab.intersect(block.slab).is_some() {
                        let mut values = values.lock().unwrap_or_else(PoisonError::into_inner);
                        copy_block(
                            block.values,
                            block.slab,
                            &mut values,
                            &object.slab,
                            &window,
                            size,
                        );
                    }
                }
            });
            let read = source.read(&part.in_file, &self.reading, &sink).await;
            read.map_err(|cause| failed(array, &unit.chunks.start, cause))?;
        }
        // All reads have ended.
        let filled = objects.iter().map(|(object, values)| {
            let mut values = values.lock().unwrap_or_else(PoisonError::into_inner);
            (object.clone(), std::mem::take(&mut *values))
        });
        Ok(filled.collect())
    }

    /// What the files hold of a unit and of those that follow it.
    pub(super) async fn read_units(
        self: &Arc<Self>,
        index: usize,
    ) -> Result<Vec<(usize, Vec<FilledObject>)>, TransferError> {
        let units = self.with_followers(index).into_iter();
        let units = units.map(|index| (index, nothing(&self.plan.units.get(index))));
        self.fill_units(units.collect()).await
    }

    /// What the files hold of `unit` alone.
    pub(super) async fn read_unit(
        self: &Arc<Self>,
        unit: WorkUnit,
    ) -> Result<Vec<FilledObject>, TransferError> {
        let engine = Arc::clone(self);
        on_pool(&self.pool, move || {
            let filled = engine.assemble(&unit, &nothing(&unit));
            filled.map_err(|cause| engine.failed_to_read(&unit, cause))
        })
        .await
    }

    fn failed_to_read(&self, unit: &WorkUnit, cause: SourceError) -> TransferError {
        TransferError::Source {
            array: self.plan.arrays[unit.array].name.clone(),
            chunk: unit.chunks.start.clone(),
            cause,
        }
    }
}

fn nothing(unit: &WorkUnit) -> OldValues {
    vec![None; usize::try_from(unit.chunks.len()).unwrap_or(usize::MAX)]
}
