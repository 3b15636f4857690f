//! Whether a store and the files hold the same arrays.

use std::collections::BTreeSet;

use super::draft::StoreRequest;
use super::error::PlanError;
use super::projected::{foreign_projection, is_projected};
use super::settings::PlanSettings;
use msm_model::{Archive, list};
use msm_zarr::{StoreSnapshot, StoredArray};

/// A store that grows must grow in all arrays that have the append dimension, but for those that another tool
/// reprojected; it may have more variables, but the files must have the coordinates of theirs; a store that is updated only
/// must hold what is updated.
pub(super) fn check_contents(
    request: &StoreRequest,
    stored: &StoreSnapshot,
    settings: &PlanSettings,
    archive: &Archive,
) -> Result<(), PlanError> {
    let mut found: BTreeSet<&str> = request.names().map(String::as_str).collect();
    let held: BTreeSet<&str> = stored.arrays.iter().map(|a| a.name.as_str()).collect();
    let store = request.key.clone();
    let names =
        |names: &BTreeSet<&str>, others: &BTreeSet<&str>| list(names.difference(others).copied());
    let growing = stored.arrays.iter().filter(|array| {
        let grows = array.dimensions.contains(&archive.append_dimension);
        grows && foreign_projection(array).is_none()
    });
    let growing: BTreeSet<&str> = growing.map(|array| array.name.as_str()).collect();
    let grows = request.placed.iter().any(|p| !p.stored);
    let left_out = growing.difference(&found).copied();
    let left_out = left_out.filter(|name| archive.catalogue.variable(name).is_some());
    let left_out: BTreeSet<&str> = left_out.collect();
    if grows && !left_out.is_empty() {
        return Err(PlanError::ContentsLeftOut {
            store,
            left_out: list(left_out.iter().copied()),
        });
    }
    if grows && !growing.is_subset(&found) {
        return Err(PlanError::ContentsMissing {
            store,
            missing: names(&growing, &found),
        });
    }
    let aligned = stored.aligned(&archive.append_dimension);
    if let Some(other) = aligned.first().filter(|_| grows || request.adds()) {
        return Err(PlanError::Aligned {
            store,
            group: stored.group().to_owned(),
            other: other.clone(),
            dimension: archive.append_dimension.clone(),
        });
    }
    let catalogue = stored.catalogue();
    let mains = request.mains.iter();
    let mains = mains.filter(|main| held.contains(main.as_str()));
    let coordinates: Vec<String> = mains
        .flat_map(|main| catalogue.with_coordinates(main))
        .collect();
    let mut missing = coordinates
        .iter()
        .map(String::as_str)
        .collect::<BTreeSet<_>>();
    // Those of arrays that another tool reprojected, no file has.
    missing.retain(|name| !found.contains(name) && !is_projected(name));
    // Where the files have coordinates of the plane, scalars and indices tell nothing more of the grid.
    let array = |name: &str| stored.arrays.iter().find(|array| array.name == name);
    let shared = coordinates
        .iter()
        .filter(|name| found.contains(name.as_str()));
    let planes: Vec<&StoredArray> = shared
        .filter_map(|name| array(name).filter(|array| array.dimensions.len() > 1))
        .collect();
    missing.retain(|name| {
        let dimensions = array(name).map_or(&[][..], |array| &array.dimensions);
        let of_plane = |dimension: &String| planes.iter().any(|p| p.dimensions.contains(dimension));
        planes.is_empty() || dimensions.len() > 1 || !dimensions.iter().all(of_plane)
    });
    if !settings.task.goal.rewrites() && !missing.is_empty() {
        let missing = list(missing.into_iter());
        return Err(PlanError::CoordinatesMissing { store, missing });
    }
    if request.replaces_projected() {
        // What comes with it is asked for, too.
        for added in &request.added {
            found.remove(added.variable.name.as_str());
        }
    }
    let added = names(&found, &held);
    match (found.is_subset(&held), settings.task.goal.rewrites()) {
        (false, true) => Err(PlanError::NotHeld { store, added }),
        (false, false) if !settings.task.goal.adds_variables() => {
            Err(PlanError::ContentsNew { store, added })
        }
        _ => Ok(()),
    }
}

/// An array must have as many steps as the store's axis.
pub(super) fn check_length(
    request: &StoreRequest,
    array: &StoredArray,
    axis: usize,
) -> Result<(), PlanError> {
    let steps = request.stored.as_ref().map_or(0, |s| s.steps.len());
    if array.shape[axis] == steps as u64 {
        return Ok(());
    }
    Err(PlanError::Ragged {
        store: request.key.clone(),
        array: array.name.clone(),
        length: array.shape[axis],
        steps,
    })
}
