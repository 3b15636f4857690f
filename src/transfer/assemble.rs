//! From hyperslabs of the source to the values of whole objects.

use std::sync::{Mutex, PoisonError};

use super::engine::Engine;
use crate::plan::{Object, TargetArray, WorkUnit};
use crate::source::{Hyperslab, SourceError, copy_block};

/// An object and its values, in the array's chunk shape.
pub(super) type Filled = (Object, Vec<u8>);

impl Engine {
    /// The values of all objects of `unit`. `old` holds, for each object, the values it has in the store now, which
    /// are kept up to the first new step; beyond the array's edges stands the fill value.
    ///
    /// Blocking and busy: call it on the rayon pool.
    pub(super) fn assemble(
        &self,
        unit: &WorkUnit,
        old: &[Option<Vec<u8>>],
    ) -> Result<Vec<Filled>, SourceError> {
        let array = &self.plan.arrays[unit.array];
        let region = unit.region(array);
        let objects: Vec<(Object, Mutex<Vec<u8>>)> = unit
            .objects(array)
            .into_iter()
            .zip(old)
            .map(|(object, old)| {
                let values = blank(array, &object, &region, old.as_deref());
                (object, Mutex::new(values))
            })
            .collect();
        // A static array is read from the first file, or from the one it is compared with.
        let files = if array.append.is_some() {
            0..self.plan.files.len()
        } else {
            unit.file..unit.file + 1
        };
        for file in files {
            let (_, first, steps) = self.plan.files[file];
            let Some(in_array) = within_file(array, &region, first, steps) else {
                continue;
            };
            let shift = |slab: &Hyperslab, to_file: bool| {
                let mut slab = slab.clone();
                if let Some(append) = array.append {
                    let start = &mut slab.start[append.axis];
                    *start = if to_file {
                        *start - first - append.old
                    } else {
                        *start + first + append.old
                    };
                }
                slab
            };
            let size = array.dtype.size();
            self.reader
                .read(file, &array.name, size, &shift(&in_array, true), &|block| {
                    let slab = shift(block.slab, false);
                    for (object, values) in &objects {
                        if object.slab.intersect(&slab).is_some() {
                            let mut values = values.lock().unwrap_or_else(PoisonError::into_inner);
                            copy_block(
                                block.values,
                                &slab,
                                &mut values,
                                &object.slab,
                                &in_array,
                                size,
                            );
                        }
                    }
                })?;
        }
        let filled = objects.into_iter();
        Ok(filled
            .map(|(o, values)| {
                (
                    o,
                    values.into_inner().unwrap_or_else(PoisonError::into_inner),
                )
            })
            .collect())
    }
}

/// An object before the source's values are copied in.
fn blank(array: &TargetArray, object: &Object, region: &Hyperslab, old: Option<&[u8]>) -> Vec<u8> {
    let count = usize::try_from(object.slab.len()).unwrap_or(usize::MAX);
    if object.slab.intersect(region).as_ref() == Some(&object.slab) {
        return vec![0; count * array.dtype.size()];
    }
    let mut values = array.fill.repeat(count);
    if let (Some(old), Some(append)) = (old, array.append) {
        let mut kept = Hyperslab {
            start: vec![0; array.shape.len()],
            count: array.shape.clone(),
        };
        kept.count[append.axis] = append.old;
        copy_block(
            old,
            &object.slab,
            &mut values,
            &object.slab,
            &kept,
            array.dtype.size(),
        );
    }
    values
}

/// The part of `region` that lies in a file whose steps are `first .. first + steps` of the archive.
fn within_file(
    array: &TargetArray,
    region: &Hyperslab,
    first: u64,
    steps: u64,
) -> Option<Hyperslab> {
    let Some(append) = array.append else {
        return Some(region.clone());
    };
    let mut file = region.clone();
    file.start[append.axis] = append.old + first;
    file.count[append.axis] = steps;
    region.intersect(&file)
}
