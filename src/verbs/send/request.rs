//! What is asked of one store.

use msm_model::Archive;
use msm_plan::{
    DerivedVariable, FileSteps, LackingSteps, MissingSteps, PlanError, Scope, StoreRequest,
    check_times, follows_on, place, quantization, repairs,
};
use msm_zarr::StoreSnapshot;

use crate::events::Notice;
use crate::verbs::files::requested::{RequestedStore, held_besides, lacked};
use crate::verbs::send::intent::Intent;

/// What is asked of one store.
pub(in crate::verbs) fn request(
    target: &RequestedStore,
    stored: Option<StoreSnapshot>,
    mut added: Vec<DerivedVariable>,
    archive: &Archive,
    intent: &Intent<'_>,
) -> Result<StoreRequest, PlanError> {
    let files = FileSteps::all(archive, &target.members);
    let there = stored.as_ref().map_or(&[][..], |s| &s.steps);
    if let Some(stored) = &stored {
        check_times(&target.key, stored, archive)?;
    }
    let placed = place(&target.key, there, &files, intent.overlap, intent.missing)?;
    let inserts = intent.missing == MissingSteps::Insert;
    if there.is_empty() && inserts && !intent.allow_gaps {
        archive.gaps().into_iter().next().map_or(Ok(()), Err)?;
    }
    if let (Some(stored), false) = (&stored, intent.allow_gaps) {
        follows_on(&target.key, stored, archive, &placed, intent.missing)?;
    }
    let mut members = target.members_with(archive, &added);
    if let Some(stored) = &stored {
        members.extend(held_besides(
            &members,
            &intent.files.selection.variables,
            &archive.catalogue,
            stored,
        ));
    }
    let without = match &stored {
        Some(stored) if !intent.task.goal.adds_variables() => {
            lacked(&members, &target.mains, &archive.axis, stored)
        }
        _ => Vec::new(),
    };
    members.retain(|name| !without.contains(name));
    added.extend(quantization(&archive.catalogue, &members, stored.as_ref()));
    let repairs = intent.task.repair_attributes
        && stored
            .iter()
            .flat_map(|stored| &stored.arrays)
            .any(|array| {
                let variable = archive.catalogue.variable(&array.name);
                let variable = variable.filter(|_| members.contains(&array.name));
                variable.is_some_and(|variable| !repairs(variable, array).is_empty())
            });
    Ok(StoreRequest {
        repairs,
        lacking: LackingSteps::of(&target.key, stored.as_ref())?,
        key: target.key.clone(),
        mains: target.mains.clone(),
        members,
        without,
        added,
        stored,
        placed,
        scope: Scope::All,
    })
}

/// The dimensions that are smaller than the chunks asked for.
pub(in crate::verbs) fn clipped(
    archive: &Archive,
    targets: &[RequestedStore],
    intent: &Intent<'_>,
) -> Vec<Notice> {
    let mut notices = Vec::new();
    let mains = || targets.iter().flat_map(|t| &t.mains);
    for (dimension, &asked) in &intent.arrays.chunks.0 {
        let has = |name: &String| {
            let variable = archive.catalogue.variable(name);
            variable.is_some_and(|v| v.dimensions.contains(dimension))
        };
        let size = archive.catalogue.dimension(dimension).unwrap_or(u64::MAX);
        if *dimension != archive.append_dimension && asked > size && mains().any(has) {
            notices.push(Notice::Clipped {
                dimension: dimension.clone(),
                asked,
                size,
            });
        }
    }
    notices
}
