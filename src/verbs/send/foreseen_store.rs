//! A store as it would be once a transaction were committed, so that the next one can be planned.

use msm_model::{Archive, Instant, Step};
use msm_plan::{Plan, StoreRequest};
use msm_zarr::{Group, StoreSnapshot, Version, ZarrError, layout, members, of_group, parse_root};

/// The store of `group` as the `plan`, of which it is the store `index`, would leave it; `request` says what was asked of it for the
/// files of `archive`.
///
/// # Errors
/// If the document that the plan makes is none.
pub(super) fn foreseen(
    group: &Group,
    plan: &Plan,
    index: usize,
    request: &StoreRequest,
    archive: &Archive,
) -> Result<StoreSnapshot, ZarrError> {
    let target = &plan.stores[index];
    let is_v2 = target.root_key == layout::root_document(&target.key, Version::V2);
    let version = if is_v2 { Version::V2 } else { Version::V3 };
    let (root, document) = parse_root(&group.store, version, target.new_root.as_bytes())?;
    let mut arrays = members(&group.store, version, &document)?;
    of_group(&mut arrays, &group.path);
    let old = request.stored.as_ref();
    let mut foreseen = StoreSnapshot {
        version,
        root,
        nested: old.and_then(|old| old.nested.clone()),
        arrays,
        steps: Vec::new(),
        bounds: Vec::new(),
    };
    // How wide texts are, their objects tell, which are not there.
    let paths: Vec<String> = { foreseen.arrays.iter() }
        .map(|array| foreseen.path_of(&array.name))
        .collect();
    for (array, path) in foreseen.arrays.iter_mut().zip(paths) {
        if !array.dtype.as_ref().is_ok_and(|dtype| dtype.is_text()) {
            continue;
        }
        let planned = plan.arrays.iter().find(|planned| {
            planned.name == path && planned.stores.contains(&index) && planned.dtype.is_text()
        });
        let kept = { old.iter().flat_map(|old| &old.arrays) }.find(|old| old.name == array.name);
        if let Some(planned) = planned {
            array.dtype = Ok(planned.dtype);
        } else if let Some(kept) = kept {
            array.dtype.clone_from(&kept.dtype);
        }
    }
    (foreseen.steps, foreseen.bounds) = steps(request, archive);
    Ok(foreseen)
}

/// The steps that the store would have, in order, and their bounds if all have some.
fn steps(request: &StoreRequest, archive: &Archive) -> (Vec<Step>, Vec<(Instant, Instant)>) {
    let old = request.stored.as_ref();
    let (held, held_bounds) =
        old.map_or((&[][..], &[][..]), |old| (&old.steps[..], &old.bounds[..]));
    let mut all: Vec<(Step, Option<(Instant, Instant)>)> = { held.iter().enumerate() }
        .map(|(index, step)| (*step, held_bounds.get(index).copied()))
        .collect();
    let of_files = archive.files.iter().flat_map(|file| {
        let bounds = &file.axis.bounds;
        let has_bounds = bounds.len() == file.steps().len();
        let steps = file.steps().iter().enumerate();
        steps.map(move |(index, step)| {
            let bounds = bounds.get(index).filter(|_| has_bounds).copied();
            (*step, bounds)
        })
    });
    let new = of_files.zip(&request.placed);
    all.extend(new.filter(|(_, place)| !place.stored).map(|(step, _)| step));
    all.sort_by(|a, b| a.0.compare(b.0).unwrap_or(std::cmp::Ordering::Equal));
    let bounds: Option<Vec<_>> = all.iter().map(|(_, bounds)| *bounds).collect();
    let steps = all.into_iter().map(|(step, _)| step).collect();
    (steps, bounds.unwrap_or_default())
}
