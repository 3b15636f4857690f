//! Whether the append coordinates of a store and of files have the times of the same variable, and steps that are there already those of
//! other variables, too.

use msm_model::{Archive, Step, TIME_FROM};
use msm_zarr::{StoreSnapshot, StoredArray};

use super::error::PlanError;
use super::steps::StepPlacement;

/// Checks that the append coordinate of the store called `store` has the times of the same variable as that of each file: from two
/// of them, no step could be told from another.
///
/// # Errors
/// The first file of which it has not.
pub fn check_times(
    store: &str,
    stored: &StoreSnapshot,
    archive: &Archive,
) -> Result<(), PlanError> {
    let dimension = &archive.append_dimension;
    let grows = |array: &StoredArray| array.dimensions.contains(dimension);
    if !stored.arrays.iter().any(grows) {
        return Ok(());
    }
    let coordinate = stored.arrays.iter().find(|array| array.name == *dimension);
    let theirs = coordinate.and_then(|array| array.attributes.get(TIME_FROM)?.as_str());
    let mut files = archive.files.iter().map(|file| &file.catalogue);
    match files.find(|file| file.time_from(dimension) != theirs) {
        None => Ok(()),
        Some(file) => Err(PlanError::Times {
            store: store.to_owned(),
            dimension: dimension.clone(),
            stored: theirs.map(str::to_owned),
            path: file.path.clone(),
            found: file.time_from(dimension).map(str::to_owned),
        }),
    }
}

/// Checks that the steps of the archive that the store called `store` has already, by where they are `placed`, have the times there
/// that the variable `other`, of which the store has the times `stored`, gives them: a `time_counter` of zeros tells no month from another.
///
/// # Errors
/// The first step that has other times.
pub fn check_other_times(
    store: &str,
    other: &str,
    stored: &[Step],
    archive: &Archive,
    placed: &[StepPlacement],
) -> Result<(), PlanError> {
    let mut places = placed.iter();
    for file in &archive.files {
        let of_file = places.by_ref().take(file.steps().len());
        let axis = file.others.iter().find(|axis| axis.variable == other);
        let steps = axis.map_or(&[][..], |axis| &axis.steps);
        let of_file: Vec<_> = of_file.collect();
        for ((place, step), by) in of_file.into_iter().zip(steps).zip(file.steps()) {
            let there = usize::try_from(place.at).ok().and_then(|at| stored.get(at));
            let (Some(there), true) = (there.and_then(|step| step.instant()), place.stored) else {
                continue;
            };
            if step.instant().is_some_and(|step| !step.is_about(there)) {
                return Err(PlanError::OtherTimes {
                    store: store.to_owned(),
                    path: file.path().clone(),
                    axis: archive.axis.clone(),
                    step: by.to_string(),
                    variable: other.to_owned(),
                    stored: there.to_string(),
                    found: step.to_string(),
                });
            }
        }
    }
    Ok(())
}
