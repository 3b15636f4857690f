//! Units that are reprojected from what another one reads: each stored chunk of the source is then inflated once for both.

use std::collections::HashMap;

use super::target::{Form, Plan, TargetArray};
use super::units::WorkUnit;

/// The dimensions of a horizontal field.
pub(super) const HORIZONTAL: usize = 2;

/// Which of `arrays` holds the variable that `array` is reprojected from, object by object along the leading dimensions,
/// and writes the same steps of it in the same phase.
pub(super) fn lead_of<'a>(
    array: &TargetArray,
    arrays: impl IntoIterator<Item = &'a TargetArray>,
) -> Option<usize> {
    let mut arrays = arrays.into_iter();
    arrays.position(|lead| {
        let leading = array.chunk.len().saturating_sub(HORIZONTAL);
        matches!(array.origin.form, Form::Projected { .. })
            && lead.origin.form == Form::AsRead
            && lead.origin.variable == array.origin.variable
            && lead.phase == array.phase
            && lead.append == array.append
            && !lead.stores.is_empty()
            && lead.chunk.len() == array.chunk.len()
            && lead.chunk[..leading] == array.chunk[..leading]
    })
}

/// The units of `array`, the array of index `index`, that follow those of its `lead`.
pub(super) fn following(
    plan: &Plan,
    lead: usize,
    array: &TargetArray,
    index: usize,
) -> Vec<WorkUnit> {
    let units = plan.units.iter().filter(|unit| unit.array == lead);
    let follow = |unit: &WorkUnit| {
        let mut unit = unit.clone();
        unit.array = index;
        for d in array.chunk.len() - HORIZONTAL..array.chunk.len() {
            unit.chunks.start[d] = 0;
            unit.chunks.count[d] = array.shape[d].div_ceil(array.chunk[d]);
        }
        unit
    };
    units.map(follow).collect()
}

/// Tells units which ones follow them.
pub(super) fn pair(plan: &mut Plan) {
    type Place = (usize, usize, Vec<u64>);
    let place = |array: usize, unit: &WorkUnit| -> Place {
        let leading = unit.chunks.start.len().saturating_sub(HORIZONTAL);
        (array, unit.file, unit.chunks.start[..leading].to_vec())
    };
    let leads: Vec<Option<usize>> = plan
        .arrays
        .iter()
        .map(|array| lead_of(array, &plan.arrays))
        .collect();
    let mut followers: HashMap<Place, Vec<usize>> = HashMap::new();
    for (index, unit) in plan.units.iter_mut().enumerate() {
        if let Some(lead) = leads[unit.array] {
            unit.follows = true;
            followers.entry(place(lead, unit)).or_default().push(index);
        }
    }
    for unit in &mut plan.units {
        if plan.arrays[unit.array].origin.form == Form::AsRead
            && let Some(followers) = followers.remove(&place(unit.array, unit))
        {
            unit.followers = followers;
        }
    }
}
