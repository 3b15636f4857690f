//! Rank 0: what becomes of arrays of a store that another tool has reprojected.

use msm_plan::DerivedVariable;
use msm_reproject::TargetGrid;
use msm_zarr::StoredArray;

use crate::verbs::files::requested::RequestedStore;
use crate::verbs::reprojection::error::ReprojectionError;
use crate::verbs::reprojection::projector::Projector;

impl Projector<'_> {
    /// Are the `foreign` arrays of the store of `target` replaced? If they are not, it is said that they are left alone.
    pub(in crate::verbs) fn replaces(
        &mut self,
        target: &RequestedStore,
        foreign: &[&StoredArray],
        append_dimension: &String,
    ) -> bool {
        if foreign.is_empty() {
            return false;
        }
        if self.asked.is_some_and(|asked| asked.replaces_others) {
            return true;
        }
        // The others have no steps, and nothing is to be said of them.
        let names = foreign
            .iter()
            .filter(|array| array.dimensions.contains(append_dimension));
        let names = names.map(|array| array.name.as_str());
        let left = names.map(|name| (name.to_owned(), target.key.clone()));
        self.left_alone.extend(left);
        false
    }

    /// The grid of the `foreign` arrays: the Python msm-os has one of as many cells as the model's, on the whole globe. `None` if
    /// the command line names one.
    pub(in crate::verbs) fn grid_of(&self, foreign: &[&StoredArray]) -> Option<TargetGrid> {
        if self.asked.is_some_and(|asked| asked.grid.is_made()) {
            return None;
        }
        let (_, plane) = foreign.first()?.shape.split_last_chunk::<2>()?;
        let [ny, nx] = plane.map(|n| usize::try_from(n).ok());
        Some(TargetGrid::global(nx?, ny?))
    }
}

/// Checks that `added` takes the place of all the `foreign` arrays, if of any: they share their coordinates.
///
/// # Errors
/// Those that would be left.
pub(in crate::verbs) fn check_replaced(
    target: &RequestedStore,
    foreign: &[&StoredArray],
    added: &[DerivedVariable],
) -> Result<(), ReprojectionError> {
    let is_replaced = |array: &&&StoredArray| {
        let mut replacing = added.iter().filter(|added| added.replaces);
        replacing.any(|added| added.variable.name == array.name)
    };
    if added.is_empty() || foreign.iter().all(|array| is_replaced(&array)) {
        return Ok(());
    }
    let left = foreign.iter().filter(|array| !is_replaced(array));
    Err(ReprojectionError::LeftBehind {
        store: target.key.clone(),
        arrays: left.map(|array| array.name.clone()).collect(),
    })
}
