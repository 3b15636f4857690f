//! Arrays that another tool has reprojected: they grow with the store, without values; or others take their places.

use std::ops::Range;

use super::contents::check_length;
use super::draft::StoreRequest;
use super::error::PlanError;
use super::masks::Masks;
use super::projected::foreign_projection;
use super::upkeep::ResultingArray;
use msm_model::Archive;
use msm_zarr::document::{self, Documents};
use msm_zarr::{StoreSnapshot, StoredArray};

/// The documents of arrays that grow without values.
pub(super) fn padding(archive: &Archive, request: &StoreRequest) -> Result<Documents, PlanError> {
    let Some(stored) = &request.stored else {
        return Ok(Vec::new());
    };
    let (steps, length) = (stored.steps.len() as u64, request.length());
    if length == steps {
        return Ok(Vec::new());
    }
    let mut documents = Vec::new();
    for (array, axis) in padded(request, stored, &archive.append_dimension)? {
        let mut shape = array.shape.clone();
        shape[axis] = length;
        let after = ResultingArray {
            stored: array,
            version: stored.version,
            repaired_by: None,
            lacking: Some(&request.lacking.padded(&array.name, steps, length)),
            shape: &shape,
        };
        let (document, attributes) = after.document();
        let new = attributes.as_ref().map(|a| (a, &array.dimensions[..]));
        documents.extend(document::of_array(
            stored.version,
            &stored.path_of(&array.name),
            document,
            new,
        ));
    }
    Ok(documents)
}

/// An array that is replaced must have the place of all its objects in the new one, and get values at all steps.
pub(super) fn check_replaced(
    request: &StoreRequest,
    replaced: &StoredArray,
    shape: &[u64],
    axis: Option<usize>,
    lacking: &[Range<u64>],
) -> Result<(), PlanError> {
    let mut of_others = 0..shape.len().max(replaced.shape.len());
    let same = of_others.all(|d| Some(d) == axis || shape.get(d) == replaced.shape.get(d));
    let problem = if !same {
        "it is of another grid; delete it with delete --array, or name its grid with --grid"
    } else if !lacking.is_empty() {
        "the files do not have all steps of the store; give those of all of them"
    } else {
        return Ok(());
    };
    Err(PlanError::Replaced {
        store: request.key.clone(),
        array: replaced.name.clone(),
        stored: format!("{:?}", replaced.shape),
        found: format!("{shape:?}"),
        problem: problem.to_owned(),
    })
}

/// The arrays of `stored` that another tool reprojected and that grow without values.
///
/// # Errors
/// If their new steps would not read as missing, or they have not as many steps as the store's axis.
fn padded<'a>(
    request: &'a StoreRequest,
    stored: &'a StoreSnapshot,
    append_dimension: &str,
) -> Result<Vec<(&'a StoredArray, usize)>, PlanError> {
    let mut padded = Vec::new();
    for array in &stored.arrays {
        let axis = array.dimensions.iter().position(|d| d == append_dimension);
        let (Some(axis), Some(_)) = (axis, foreign_projection(array)) else {
            continue;
        };
        if request.names().any(|name| *name == array.name) {
            continue;
        }
        check_length(request, array, axis)?;
        let is_missing = array.dtype.as_ref().is_ok_and(|&dtype| {
            let fill = dtype.numbers(&array.fill).next();
            fill.is_some_and(|fill| fill.as_f64().is_nan())
                || Masks::of_array(array, dtype).have(&array.fill)
        });
        if !is_missing {
            return Err(PlanError::Padding {
                store: request.key.clone(),
                array: array.name.clone(),
                fill: array.document["fill_value"].to_string(),
            });
        }
        padded.push((array, axis));
    }
    Ok(padded)
}
