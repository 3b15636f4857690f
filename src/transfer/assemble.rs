//! From hyperslabs of the source to the values of whole objects.

use std::sync::{Mutex, PoisonError};

use msm_model::{ArchiveError, Hyperslab, copy_block};
use msm_plan::{ArrayObject, Conversion, Derivation, Masking, TargetArray, UnitPart, WorkUnit};
use rayon::prelude::*;

use super::compare::shown;
use super::engine::Engine;
use crate::events::Stage;
use crate::source::{Block, SourceError};

/// Values that a thread converts before it takes others.
const CHANGED_AT_ONCE: usize = 1 << 16;

/// An object and its values, in the array's chunk shape.
pub(super) type FilledObject = (ArrayObject, Vec<u8>);

impl Engine {
    /// The values of all objects of `unit`. `old` holds, for each object, the values it has in the store now, which
    /// are kept where nothing new is written; beyond the array's edges stands the fill value.
    ///
    /// Blocking and busy: call it on the rayon pool.
    pub(super) fn assemble(
        &self,
        unit: &WorkUnit,
        old: &[Option<Vec<u8>>],
    ) -> Result<Vec<FilledObject>, SourceError> {
        let array = &self.plan.arrays[unit.array];
        match &array.origin.form {
            // One that is stored is read by itself.
            Derivation::AsRead | Derivation::Stored(_) => {}
            Derivation::Projected { .. } => return self.project(unit, old, None),
            Derivation::Made(values) => return Ok(made(unit, array, values)),
        }
        let parts = unit.parts(array);
        let objects: Vec<(ArrayObject, Mutex<Vec<u8>>)> = unit
            .objects(array)
            .into_iter()
            .zip(old)
            .map(|(object, old)| {
                let values = blank(array, &object, &parts, old.as_deref());
                (object, Mutex::new(values))
            })
            .collect();
        let size = array.dtype.size();
        let leading = array.origin.leading;
        for part in &parts {
            // They are in the order of the files.
            let found = array
                .conversions
                .binary_search_by_key(&part.file, |conversion| conversion.file);
            let conversion = found.ok().map(|index| &array.conversions[index]);
            let prepared = match (conversion, &array.masking) {
                (Some(conversion), _) => Some(self.converted(array, part, conversion)?),
                (None, None) if array.values.is_none() => None,
                (None, masking) => Some(self.changed(array, part, masking.as_ref())?),
            };
            if let Some(values) = prepared {
                for (object, filled) in &objects {
                    let mut filled = filled.lock().unwrap_or_else(PoisonError::into_inner);
                    let window = &part.in_array;
                    copy_block(&values, window, &mut filled, &object.slab, window, size);
                }
                continue;
            }
            // Boxes of the file and of the array meet in index space where neither can begin below zero: a stored chunk
            // may begin before the part does, and so may an object.
            let (file, in_array) = (&part.in_file.start, &part.in_array.start);
            let window = moved(&part.in_array, file);
            let boxes: Vec<Hyperslab> = objects.iter().map(|o| moved(&o.0.slab, file)).collect();
            let asked = with_leading(&part.in_file, leading);
            let sink = |block: Block<'_>| {
                let slab = moved(&without_leading(block.slab, leading), in_array);
                for ((_, values), held) in objects.iter().zip(&boxes) {
                    if held.intersect(&slab).is_some() {
                        let mut values = values.lock().unwrap_or_else(PoisonError::into_inner);
                        copy_block(block.values, &slab, &mut values, held, &window, size);
                    }
                }
            };
            self.reader
                .read(part.file, &array.origin.variable, size, &asked, &sink)?;
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

impl Engine {
    /// The values of `part`, times in the units and the type that the store has. Such arrays are small.
    fn converted(
        &self,
        array: &TargetArray,
        part: &UnitPart,
        conversion: &Conversion,
    ) -> Result<Vec<u8>, SourceError> {
        let size = conversion.times.dtype_from.size();
        let name = &array.origin.variable;
        let values = self
            .reader
            .read_whole(part.file, name, size, &part.in_file)?;
        Ok(conversion
            .times
            .convert(&values, &conversion.missing, conversion.is_bounds)?)
    }
}

impl Engine {
    /// The values of `part` as a recipe makes them, missing ones as the store has them.
    fn changed(
        &self,
        array: &TargetArray,
        part: &UnitPart,
        masking: Option<&Masking>,
    ) -> Result<Vec<u8>, SourceError> {
        let (size, name) = (array.dtype.size(), &array.origin.variable);
        let asked = with_leading(&part.in_file, array.origin.leading);
        let mut values = self.reader.read_whole(part.file, name, size, &asked)?;
        self.change_values(array, part.file, &part.in_file, &mut values)?;
        if let Some(masking) = masking {
            masking
                .apply(&mut values)
                .map_err(|index| ArchiveError::Masked {
                    path: self.plan.files[part.file].clone(),
                    variable: name.clone(),
                    value: shown(array.dtype, &values[index * size..][..size]),
                    position: place(&part.in_file, index),
                })?;
        }
        Ok(values)
    }

    /// Converts and quantises `values` of the array's origin, which were read from this box of that file, if a recipe says so.
    pub(super) fn change_values(
        &self,
        array: &TargetArray,
        file: usize,
        slab: &Hyperslab,
        values: &mut [u8],
    ) -> Result<(), ArchiveError> {
        let Some(change) = &array.values else {
            return Ok(());
        };
        let pieces = values.par_chunks_mut(CHANGED_AT_ONCE * array.dtype.size());
        let faults = pieces.enumerate().filter_map(|(piece, values)| {
            let bytes = values.len();
            let changed = || change.apply(values).err();
            let fault = self.clock.time(Stage::Decode, bytes, changed)?;
            Some((piece * CHANGED_AT_ONCE + fault.index, fault))
        });
        // The first of them, however the threads took turns.
        match faults.min_by_key(|(index, _)| *index) {
            None => Ok(()),
            Some((index, fault)) => Err(ArchiveError::Unconvertible {
                path: self.plan.files[file].clone(),
                variable: array.origin.variable.clone(),
                value: fault.value.to_string(),
                position: place(slab, index),
                problem: fault.problem,
            }),
        }
    }
}

/// The place of value `index` of `slab` in the array that it is cut from.
fn place(slab: &Hyperslab, mut index: usize) -> Vec<u64> {
    let mut place = slab.start.clone();
    for (at, &count) in place.iter_mut().zip(&slab.count).rev() {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        *at += (index % count) as u64;
        index /= count;
    }
    place
}

/// The objects of an array that has these values.
fn made(unit: &WorkUnit, array: &TargetArray, values: &[u8]) -> Vec<FilledObject> {
    let whole = Hyperslab {
        start: vec![0; array.shape.len()],
        count: array.shape.clone(),
    };
    let objects = unit.objects(array).into_iter();
    objects
        .map(|object| {
            let count = usize::try_from(object.slab.len()).unwrap_or(usize::MAX);
            let mut filled = array.fill.repeat(count);
            let size = array.dtype.size();
            copy_block(values, &whole, &mut filled, &object.slab, &whole, size);
            (object, filled)
        })
        .collect()
}

/// `slab` with so many dimensions of size one before its own.
fn with_leading(slab: &Hyperslab, leading: usize) -> Hyperslab {
    Hyperslab {
        start: [&vec![0; leading][..], &slab.start].concat(),
        count: [&vec![1; leading][..], &slab.count].concat(),
    }
}

fn without_leading(slab: &Hyperslab, leading: usize) -> Hyperslab {
    Hyperslab {
        start: slab.start[leading..].to_vec(),
        count: slab.count[leading..].to_vec(),
    }
}

/// `slab`, so much further along each dimension.
fn moved(slab: &Hyperslab, by: &[u64]) -> Hyperslab {
    Hyperslab {
        start: slab.start.iter().zip(by).map(|(s, b)| s + b).collect(),
        count: slab.count.clone(),
    }
}

/// An object before the source's values are copied in.
pub(super) fn blank(
    array: &TargetArray,
    object: &ArrayObject,
    parts: &[UnitPart],
    old: Option<&[u8]>,
) -> Vec<u8> {
    let count = usize::try_from(object.slab.len()).unwrap_or(usize::MAX);
    if written(object, parts) == object.slab.len() {
        return vec![0; count * array.dtype.size()];
    }
    let mut values = array.fill.repeat(count);
    // What is moved comes to lie beyond what the store held, too.
    let held = if array.moves_steps() {
        Some(Hyperslab {
            start: vec![0; array.shape.len()],
            count: array.shape.clone(),
        })
    } else {
        array.held()
    };
    if let (Some(old), Some(held)) = (old, held) {
        copy_block(
            old,
            &object.slab,
            &mut values,
            &object.slab,
            &held,
            array.dtype.size(),
        );
    }
    values
}

/// Values of the object that the parts write.
pub(super) fn written(object: &ArrayObject, parts: &[UnitPart]) -> u64 {
    let within = |part: &UnitPart| object.slab.intersect(&part.in_array);
    parts.iter().filter_map(within).map(|slab| slab.len()).sum()
}
