//! Which files' times must be converted to the units of the store.

use super::draft::StoreRequest;
use super::error::PlanError;
use super::target::Conversion;
use msm_model::{Archive, DType, TimeConversion, TimeUnits, Variable, VariableType, time_units};

/// The time units that the array of `variable` has in the store: those it has there, or gets from the first file. `None`
/// if it holds no times, or times of another calendar than the files'.
pub(super) fn target_units(
    archive: &Archive,
    request: &StoreRequest,
    variable: &Variable,
) -> Option<TimeUnits> {
    let ours = time_units(&archive.catalogue, &variable.name)
        .ok()
        .flatten()?;
    let Some(stored) = &request.stored else {
        return Some(ours);
    };
    if !stored.arrays.iter().any(|a| a.name == variable.name) {
        return Some(ours);
    }
    let held = time_units(&stored.catalogue(), &variable.name)
        .ok()
        .flatten()?;
    held.compatible(&ours).then_some(held)
}

/// The conversions of `variable` to the units `to` and the type `dtype`, by file; none for files that have both.
///
/// # Errors
/// If a step of the archive cannot be converted without loss.
pub(super) fn conversions(
    archive: &Archive,
    request: &StoreRequest,
    variable: &Variable,
    dtype: DType,
    to: TimeUnits,
) -> Result<Vec<Conversion>, PlanError> {
    let mut conversions = Vec::new();
    for (index, file) in archive.files.iter().enumerate() {
        let from = time_units(&file.catalogue, &variable.name).ok().flatten();
        let kind = file.catalogue.variable(&variable.name).map(|v| &v.kind);
        let (Some(from), Some(&VariableType::Number(dtype_from))) = (from, kind) else {
            continue;
        };
        let conversion = TimeConversion {
            from,
            to,
            dtype_from,
            dtype_to: dtype,
        };
        if conversion.is_identity() {
            continue;
        }
        if variable.name == archive.axis {
            for instant in file.steps().iter().filter_map(|step| step.instant()) {
                to.value(instant, dtype).map_err(|cause| PlanError::Time {
                    store: request.key.clone(),
                    array: variable.name.clone(),
                    path: file.path().clone(),
                    cause,
                })?;
            }
        }
        conversions.push(Conversion {
            file: index,
            times: conversion,
            missing: variable.missing_values(dtype_from),
            is_bounds: is_bounds(archive, &variable.name),
        });
    }
    Ok(conversions)
}

/// Does another variable name this one as its bounds? Those need not have been written.
fn is_bounds(archive: &Archive, name: &str) -> bool {
    let variables = archive.catalogue.variables.iter();
    let mut named = variables.flat_map(|v| v.words("bounds").chain(v.words("climatology")));
    named.any(|bounds| bounds == name)
}
