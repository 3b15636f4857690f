//! Reading the files' metadata, each rank its share: a thousand opens are not rank 0's serial work.

use std::path::PathBuf;

use msm_model::{FileView, SourceFile};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::ranks::{Follower, Lead, Ranks};
use crate::source::{SourceError, expand, read_file};

#[derive(Serialize, Deserialize)]
struct ExpandedPaths {
    #[serde(with = "msm_model::names::many")]
    paths: Vec<PathBuf>,
}

/// The lead: what the files that `named` stands for hold.
///
/// # Errors
/// On every rank the same: all files that are missing, broken, or lack the dimension or its times.
pub(in crate::verbs) fn catalogue(
    lead: Lead<'_>,
    named: &[PathBuf],
    view: FileView<'_>,
    interrupt: &Interrupt,
) -> Result<Vec<SourceFile>, Error> {
    let paths = expand(named).map_err(Error::from);
    read_files(lead, paths, view, interrupt)
}

/// The same of the files of these `paths`, if it was found out which these are.
///
/// # Errors
/// As [`catalogue`]; or why it was not found out.
pub(in crate::verbs) fn read_files(
    lead: Lead<'_>,
    paths: Result<Vec<PathBuf>, Error>,
    view: FileView<'_>,
    interrupt: &Interrupt,
) -> Result<Vec<SourceFile>, Error> {
    let expanded = lead.share(paths.map(|paths| ExpandedPaths { paths }))?;
    let opened = open(&expanded, view, lead.ranks(), interrupt);
    let Some(opened) = lead
        .collect(opened)?
        .into_iter()
        .collect::<Option<Vec<_>>>()
    else {
        return lead.conclude(Err(Error::StoppedReading));
    };
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    for opened in opened.into_iter().flatten() {
        match opened {
            Ok(file) => files.push(file),
            Err(problem) => problems.push(problem),
        }
    }
    // The same order, whoever read them.
    files.sort_by(|a: &SourceFile, b| a.path().cmp(b.path()));
    problems.sort_by_cached_key(ToString::to_string);
    if let (Some(recipe), true) = (view.recipe, problems.is_empty()) {
        let unknown = files.iter().map(|file| &file.catalogue.recipe_unknown);
        let unknown = recipe.in_no_file(unknown).into_iter();
        problems.extend(unknown.map(SourceError::from));
    }
    lead.conclude(Error::together(problems).map(|()| files))
}

/// The others: opens their share of the files.
///
/// # Errors
/// As [`catalogue`].
pub(in crate::verbs) fn help_to_catalogue(
    follower: Follower<'_>,
    view: FileView<'_>,
    interrupt: &Interrupt,
) -> Result<(), Error> {
    let expanded = follower.hear()?;
    follower.give(&open(&expanded, view, follower.ranks(), interrupt))?;
    follower.verdict()
}

/// What this rank's share of the files holds; `None` if it is to stop before all of them are read.
fn open(
    files: &ExpandedPaths,
    view: FileView<'_>,
    ranks: &Ranks,
    interrupt: &Interrupt,
) -> Option<Vec<Result<SourceFile, SourceError>>> {
    let mine = files.paths.iter().skip(ranks.rank()).step_by(ranks.size());
    let mut read = Vec::new();
    for path in mine {
        if interrupt.has_come() {
            return None;
        }
        read.push(read_file(path, view));
    }
    (!interrupt.has_come()).then_some(read)
}
