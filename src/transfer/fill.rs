//! The values of units: each with those that are reprojected from what it reads.

use std::sync::Arc;

use msm_plan::WorkUnit;

use super::assemble::FilledObject;
use super::engine::{Engine, on_pool};
use super::error::TransferError;
use crate::source::SourceError;

/// For each object of a unit, the values that it has in the store now, where they are kept.
pub(super) type OldValues = Vec<Option<Vec<u8>>>;

impl Engine {
    /// The unit and those that follow it.
    pub(super) fn with_followers(&self, index: usize) -> Vec<usize> {
        let followers = &self.plan.units[index].followers;
        std::iter::once(index)
            .chain(followers.iter().copied())
            .collect()
    }

    /// The values of the objects of a unit and of those that follow it, which come behind it.
    pub(super) async fn fill_units(
        self: &Arc<Self>,
        units: Vec<(usize, OldValues)>,
    ) -> Result<Vec<(usize, Vec<FilledObject>)>, TransferError> {
        let engine = Arc::clone(self);
        on_pool(&self.pool, move || {
            let mut all: Vec<(usize, Vec<FilledObject>)> = Vec::with_capacity(units.len());
            for (index, old) in units {
                let unit = &engine.plan.units[index];
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

    /// What the files hold of a unit and of those that follow it.
    pub(super) async fn read_units(
        self: &Arc<Self>,
        index: usize,
    ) -> Result<Vec<(usize, Vec<FilledObject>)>, TransferError> {
        let units = self.with_followers(index).into_iter();
        let units = units.map(|index| (index, nothing(&self.plan.units[index])));
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
