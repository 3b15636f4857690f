//! Comparing static arrays, value for value, with what a store or the archive's first file holds.

use std::sync::Arc;

use msm_model::{DType, trimmed};
use msm_plan::{Derivation, TargetArray, WorkUnit};

use super::assemble::FilledObject;
use super::engine::Engine;
use super::error::TransferError;

impl Engine {
    pub(super) async fn compare_unit(self: Arc<Self>, index: usize) -> Result<(), TransferError> {
        for (index, found) in self.read_units(index).await? {
            self.compare_objects(index, found).await?;
        }
        Ok(())
    }

    async fn compare_objects(
        self: &Arc<Self>,
        index: usize,
        found: Vec<FilledObject>,
    ) -> Result<(), TransferError> {
        let unit = self.plan.units.get(index);
        let array = &self.plan.arrays[unit.array];
        if array.stores.is_empty() {
            let first = WorkUnit {
                file: array.origin.file,
                ..unit.clone()
            };
            let expected = self.read_unit(first).await?;
            let other = self.plan.files[0].display().to_string();
            for ((object, found), (_, expected)) in found.iter().zip(&expected) {
                let order = [0, unit.array, index];
                self.same(&unit, order, &object.slab.start, found, expected, &other)?;
            }
        }
        for &store in &array.stores {
            for (object, found) in &found {
                if self.progress.is_stopped() {
                    return Err(TransferError::Stopped);
                }
                let key = self.codecs[unit.array].key(&self.plan.stores[store].key, &object.chunk);
                let expected = self.stored_values(unit.array, &object.chunk, &key).await?;
                let expected = expected.map_or_else(
                    || array.fill.repeat(found.len() / array.dtype.size()),
                    |(values, _)| values,
                );
                self.same(
                    &unit,
                    [store, unit.array, index],
                    &object.slab.start,
                    found,
                    &expected,
                    &format!("{key} in the store"),
                )?;
                self.progress.add(array.object_bytes());
            }
        }
        Ok(())
    }

    /// Compares the values of an object that begins at `origin`, within the array's edges.
    fn same(
        &self,
        unit: &WorkUnit,
        order: [usize; 3],
        origin: &[u64],
        found: &[u8],
        expected: &[u8],
        other: &str,
    ) -> Result<(), TransferError> {
        let array = &self.plan.arrays[unit.array];
        let size = array.dtype.size();
        let pairs = found
            .chunks_exact(size)
            .zip(expected.chunks_exact(size))
            .enumerate();
        let mut differing = pairs
            .filter(|(_, (a, b))| a != b && !is_close(array, a, b))
            .map(|(i, (a, b))| (position(array, origin, i), a, b));
        let inside = |p: &[u64]| p.iter().zip(&array.shape).all(|(i, n)| i < n);
        match differing.find(|(position, ..)| inside(position)) {
            None => Ok(()),
            Some((position, found, expected)) => Err(TransferError::Differs {
                source_name: self.source_name(array, unit),
                array: array.name.clone(),
                other: other.to_owned(),
                position,
                found: shown(array.dtype, found),
                expected: shown(array.dtype, expected),
                advice: advice(array).into(),
                order,
            }),
        }
    }
}

impl Engine {
    /// Where the values of `unit` come from.
    fn source_name(&self, array: &TargetArray, unit: &WorkUnit) -> String {
        match &array.origin.form {
            Derivation::Stored(origin) => origin.store.clone(),
            _ => self.plan.files[unit.file].display().to_string(),
        }
    }
}

/// Are two values of a static coordinate, which are not the same bytes, the same all the same?
pub(super) fn is_close(array: &TargetArray, a: &[u8], b: &[u8]) -> bool {
    let Some(tolerance) = array.tolerance else {
        return false;
    };
    let number = |bytes| array.dtype.numbers(bytes).next();
    let (Some(a), Some(b)) = (number(a), number(b)) else {
        return false;
    };
    let (x, y) = (a.as_f64(), b.as_f64());
    a == b || (x - y).abs() <= tolerance * x.abs().max(y.abs()).max(1.0)
}

/// What to do about values that differ.
fn advice(array: &TargetArray) -> &'static str {
    match array.tolerance {
        Some(_) => {
            "is it the same grid? Where only rounding makes the difference, --coords-tolerance allows it"
        }
        None => "is it the same grid?",
    }
}

/// The position in the array of value `index` of the object that begins at `origin`.
pub(super) fn position(array: &TargetArray, origin: &[u64], index: usize) -> Vec<u64> {
    let mut rest = index as u64;
    let mut position = origin.to_vec();
    for d in (0..origin.len()).rev() {
        position[d] += rest % array.chunk[d];
        rest /= array.chunk[d];
    }
    position
}

pub(super) fn shown(dtype: DType, value: &[u8]) -> String {
    if dtype.is_text() {
        return format!("'{}'", String::from_utf8_lossy(trimmed(value)));
    }
    dtype
        .numbers(value)
        .next()
        .map_or_else(String::new, |n| n.to_string())
}
