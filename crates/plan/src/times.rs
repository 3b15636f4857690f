//! Whether the append coordinates of a store and of files have the times of the same variable.

use msm_model::{Archive, TIME_FROM};
use msm_zarr::{StoreSnapshot, StoredArray};

use super::error::PlanError;

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
