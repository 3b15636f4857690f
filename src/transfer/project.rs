//! Reprojected objects, from fields that are in memory: those of the unit that is followed, or read for the purpose.
//!
//! Key type: [`Fields`].

use std::borrow::Cow;

use msm_model::{Hyperslab, copy_block};
use msm_plan::{Derivation, TargetArray, UnitPart, WorkUnit};
use msm_reproject::{Values, Weights};
use rayon::prelude::*;

use super::assemble::{FilledObject, blank};
use super::differences::holds;
use super::engine::Engine;
use crate::events::Stage;
use crate::source::SourceError;

/// Fields of the model's grid, in boxes of the index space of the variable's array.
pub(super) struct Fields<'a> {
    boxes: Vec<(Hyperslab, Cow<'a, [u8]>)>,
    ny: u64,
    nx: u64,
    size: usize,
}

/// A reprojected field that is to be filled, in one object.
struct FieldWindow<'a> {
    /// Its place along the leading dimensions.
    place: Vec<u64>,
    /// The first row and column of the target grid.
    origin: [usize; 2],
    values: &'a mut [u8],
}

impl Engine {
    /// The values of the objects of `unit`, whose array is reprojected: from the objects of the unit that it follows, or
    /// from the files. `old` is as in [`Engine::assemble`].
    ///
    /// Blocking and busy: call it on the rayon pool.
    pub(super) fn project(
        &self,
        unit: &WorkUnit,
        old: &[Option<Vec<u8>>],
        followed: Option<&[FilledObject]>,
    ) -> Result<Vec<FilledObject>, SourceError> {
        let array = &self.plan.arrays[unit.array];
        let Derivation::Projected {
            projection,
            missing,
        } = &array.origin.form
        else {
            return Ok(Vec::new());
        };
        let (cells, grid) = {
            let projection = &self.plan.projections[*projection];
            (&projection.cells, &projection.grid)
        };
        let parts = unit.parts(array);
        let mut fields = Fields {
            boxes: Vec::new(),
            ny: cells.ny as u64,
            nx: cells.nx as u64,
            size: array.dtype.size(),
        };
        match followed {
            Some(filled) => fields.boxes.extend(filled.iter().map(|(object, values)| {
                let values = Cow::Borrowed(&values[..]);
                (object.slab.clone(), values)
            })),
            None => {
                for part in &parts {
                    let read = self.read_fields(array, part, &fields)?;
                    fields.boxes.push(read);
                }
            }
        }
        let mut filled: Vec<FilledObject> = unit
            .objects(array)
            .into_iter()
            .zip(old)
            .map(|(object, old)| {
                let values = blank(array, &object, &parts, old.as_deref());
                (object, values)
            })
            .collect();
        let values = Values::new(array.dtype, missing.clone(), array.fill.clone());
        let weights = &self.weights[*projection];
        let mut windows: Vec<FieldWindow<'_>> = filled
            .iter_mut()
            .flat_map(|(object, values)| windows(array, &object.slab, values))
            .filter(|window| parts.iter().any(|part| holds(part, &window.place)))
            .collect();
        windows.sort_by(|a, b| a.place.cmp(&b.place));
        let of_field = windows.chunk_by_mut(|a, b| a.place == b.place);
        of_field
            .collect::<Vec<_>>()
            .into_par_iter()
            .for_each(|windows| {
                let bytes = windows.iter().map(|window| window.values.len()).sum();
                self.clock.time(Stage::Reproject, bytes, || {
                    let field = fields.field(&windows[0].place);
                    for window in windows {
                        fill(window, array, [grid.ny, grid.nx], &values, weights, &field);
                    }
                });
            });
        Ok(filled)
    }

    /// The fields of `part` of a reprojected array, read from its file.
    fn read_fields(
        &self,
        array: &TargetArray,
        part: &UnitPart,
        fields: &Fields<'_>,
    ) -> Result<(Hyperslab, Cow<'static, [u8]>), SourceError> {
        let leading = array.shape.len() - 2;
        let whole = |slab: &Hyperslab| Hyperslab {
            start: [&slab.start[..leading], &[0, 0]].concat(),
            count: [&slab.count[..leading], &[fields.ny, fields.nx]].concat(),
        };
        let in_file = whole(&part.in_file);
        let name = &array.origin.variable;
        let reader = &self.reader;
        let mut values = reader.read_whole(part.file, name, fields.size, &in_file)?;
        // As those of the array that it may follow, so that it is the same to read them from there.
        self.change_values(array, part.file, &in_file, &mut values)?;
        Ok((whole(&part.in_array), Cow::Owned(values)))
    }
}

impl Fields<'_> {
    /// The values of one field.
    fn field(&self, place: &[u64]) -> Cow<'_, [u8]> {
        let wanted = Hyperslab {
            start: [place, &[0, 0]].concat(),
            count: [&vec![1; place.len()][..], &[self.ny, self.nx]].concat(),
        };
        let values = usize::try_from(self.ny * self.nx).unwrap_or(usize::MAX);
        let mut copied = Vec::new();
        for (slab, held) in &self.boxes {
            if slab.intersect(&wanted).is_none() {
                continue;
            }
            let leading = place.len();
            if slab.start[leading..] == [0, 0] && slab.count[leading..] == [self.ny, self.nx] {
                let steps = slab.start.iter().zip(&slab.count).zip(place);
                let index = steps.fold(0, |at, ((start, count), i)| at * count + (i - start));
                let bytes = values * self.size;
                let from = usize::try_from(index).unwrap_or(usize::MAX) * bytes;
                return Cow::Borrowed(&held[from..from + bytes]);
            }
            copied.resize(values * self.size, 0);
            copy_block(held, slab, &mut copied, &wanted, &wanted, self.size);
        }
        Cow::Owned(copied)
    }
}

/// The reprojected fields of an object with these `values`.
fn windows<'a>(
    array: &TargetArray,
    slab: &Hyperslab,
    values: &'a mut [u8],
) -> impl Iterator<Item = FieldWindow<'a>> {
    let leading = slab.start.len() - 2;
    let index = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    let origin = [index(slab.start[leading]), index(slab.start[leading + 1])];
    let bytes = index(slab.count[leading] * slab.count[leading + 1]) * array.dtype.size();
    let (start, count) = (
        slab.start[..leading].to_vec(),
        slab.count[..leading].to_vec(),
    );
    values
        .chunks_exact_mut(bytes)
        .enumerate()
        .map(move |(index, values)| {
            let mut rest = index as u64;
            let mut place = start.clone();
            for d in (0..leading).rev() {
                place[d] += rest % count[d];
                rest /= count[d];
            }
            FieldWindow {
                place,
                origin,
                values,
            }
        })
}

/// Fills the rows of `window` that lie in the target grid, of `[ny, nx]` cells.
fn fill(
    window: &mut FieldWindow<'_>,
    array: &TargetArray,
    [ny, nx]: [usize; 2],
    values: &Values,
    weights: &Weights,
    field: &[u8],
) {
    let size = array.dtype.size();
    let width = usize::try_from(array.chunk[array.chunk.len() - 1]).unwrap_or(usize::MAX);
    let [first, west] = window.origin;
    let inside = width.min(nx.saturating_sub(west)) * size;
    let rows = window.values.chunks_exact_mut(width * size);
    for (row, j) in rows.zip(first..ny) {
        values.apply(weights, field, j * nx + west, &mut row[..inside]);
    }
}
