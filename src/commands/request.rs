//! What is asked of one store.

use super::intent::Intent;
use super::targets::Target;
use crate::plan::{Added, OfFile, Placed, PlanError, Request, follows_on, place};
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
    let files = OfFile::all(archive, &target.members);
    let there = stored.as_ref().map_or(&[][..], |s| &s.steps);
    let placed = place(&target.key, there, &files, intent.overlap, intent.missing)?;
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
    let whole = whole_files(&files, &placed);
    if tell && whole > 0 && !intent.settings.replace {
        say!(
            "store '{}': {whole} of {} files are there already, skipped",
            target.key,
            files.len()
        );
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

/// How many of `files` the store has all steps of.
fn whole_files(files: &[OfFile<'_>], placed: &[Placed]) -> usize {
    let mut places = placed.iter();
    let whole = files.iter().filter(|file| {
        let of_file: Vec<&Placed> = places.by_ref().take(file.steps.len()).collect();
        !of_file.is_empty() && of_file.iter().all(|place| place.stored)
    });
    whole.count()
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
