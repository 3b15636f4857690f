//! Whether a store and the files hold the same arrays.

use std::collections::BTreeSet;

use super::draft::{Request, Settings};
use super::error::PlanError;
use super::projected::{foreign_projection, is_projected};
use crate::source::{Archive, list};
use crate::store::{Stored, StoredArray};

/// A store that grows must grow in all arrays that have the append dimension, but for those that another tool
/// reprojected; it may have more variables, but the files must have the coordinates of theirs; a store that is updated only
/// must hold what is updated.
pub(super) fn check_contents(
    request: &Request,
    stored: &Stored,
    settings: &Settings,
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
    if !settings.rewrite && !missing.is_empty() {
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
    match (found.is_subset(&held), settings.rewrite) {
        (false, true) => Err(PlanError::NotHeld { store, added }),
        (false, false) if !settings.add_variables => Err(PlanError::ContentsNew { store, added }),
        _ => Ok(()),
    }
}

/// An array must have as many steps as the store's axis.
pub(super) fn check_length(
    request: &Request,
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
