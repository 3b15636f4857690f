//! What is asked of one store.

use super::intent::Intent;
use super::targets::Target;
use crate::plan::{Added, OfFile, Placed, PlanError, Request, follows_on, place};
use crate::source::Archive;
use crate::store::Stored;

/// What is asked of one store.
pub(super) fn request(
    target: &Target,
    stored: Option<Stored>,
    added: Vec<Added>,
    archive: &Archive,
    intent: &Intent<'_>,
) -> Result<Request, PlanError> {
    let files = OfFile::all(archive, &target.members);
    let there = stored.as_ref().map_or(&[][..], |s| &s.steps);
    let placed = place(&target.key, there, &files, intent.overlap, intent.missing)?;
    if let (Some(stored), false) = (&stored, intent.allow_gaps) {
        follows_on(&target.key, stored, archive, &placed)?;
    }
    Ok(Request {
        key: target.key.clone(),
        mains: target.mains.clone(),
        members: target.members_with(archive, &added),
        added,
        stored,
        placed,
    })
}

/// What of `archive` is there already and left as it is, for the user.
pub(super) fn skipped(request: &Request, archive: &Archive, intent: &Intent<'_>) -> Option<String> {
    if intent.settings.replace {
        return None;
    }
    let store = &request.key;
    if request.only_compares(&intent.settings) && !request.placed.is_empty() {
        let count = request.placed.len();
        return Some(format!(
            "store '{store}': all {count} steps are there already, skipped"
        ));
    }
    let files = OfFile::all(archive, &request.members);
    let (whole, all) = (whole_files(&files, &request.placed), files.len());
    let some = format!("store '{store}': {whole} of {all} files are there already, skipped");
    (whole > 0 && whole < all).then_some(some)
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
