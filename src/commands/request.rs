//! What is asked of one store.

use super::intent::Intent;
use super::targets::Target;
use crate::plan::{Added, PlanError, Request, follows_on, place};
use crate::say;
use crate::source::Archive;
use crate::store::Stored;

/// What is asked of one store; `None` when there is nothing to do.
pub(super) fn request(
    target: &Target,
    stored: Option<Stored>,
    added: Vec<Added>,
    archive: &Archive,
    intent: &Intent<'_>,
    tell: bool,
) -> Result<Option<Request>, PlanError> {
    let steps = if target.members.contains(&archive.axis) {
        archive.steps()
    } else {
        Vec::new()
    };
    let there = stored.as_ref().map_or(&[][..], |s| &s.steps);
    let placed = place(&target.key, there, &steps, intent.overlap, intent.missing)?;
    if let (Some(stored), false) = (&stored, intent.allow_gaps) {
        follows_on(&target.key, stored, archive, &placed)?;
    }
    let holds = |name: &String| {
        stored
            .as_ref()
            .is_some_and(|s| s.arrays.iter().any(|a| a.name == *name))
    };
    let members = target.members_with(archive, &added);
    let idle = stored.is_some()
        && !placed.is_empty()
        && placed.iter().all(|p| p.stored)
        && !intent.settings.replace
        && members.iter().all(holds)
        && added.iter().all(|added| holds(&added.variable.name));
    // Attributes to add may be there already, too: the plan tells.
    if idle && intent.settings.attributes.is_empty() {
        if tell {
            say!(
                "store '{}': all {} steps are there already, skipped",
                target.key,
                placed.len()
            );
        }
        return Ok(None);
    }
    Ok(Some(Request {
        key: target.key.clone(),
        mains: target.mains.clone(),
        members,
        added,
        stored,
        placed,
    }))
}

pub(super) fn tell_what_is_clipped(archive: &Archive, targets: &[Target], intent: &Intent<'_>) {
    let mains = || targets.iter().flat_map(|t| &t.mains);
    for (dimension, &asked) in &intent.settings.strategy.0 {
        let has = |name: &String| {
            let variable = archive.catalogue.variable(name);
            variable.is_some_and(|v| v.dimensions.contains(dimension))
        };
        let size = archive.catalogue.dimension(dimension).unwrap_or(u64::MAX);
        if *dimension != archive.append_dimension && asked > size && mains().any(has) {
            eprintln!(
                "msm_os: --chunk_strategy: {asked} along '{dimension}' is clipped to its size, {size}"
            );
        }
    }
}
