//! Rank 0: whether the files fit together, and what is lent to them then.

use crate::cli::GridArgs;
use crate::exit::Failure;
use crate::source::{Archive, ArchiveError};
use crate::verbs::reprojection::corners::Domain;

/// Checks that the files of `archive` fit together in what `members` names, and lends it the coordinates that `grid` names.
/// In this order: what is lent may have another type than the files have.
///
/// # Errors
/// All differences between the files with the `others` that were found; or why nothing can be lent.
pub(in crate::verbs) fn fit(
    archive: &mut Archive,
    members: &[String],
    others: Vec<ArchiveError>,
    grid: &GridArgs,
) -> Result<Domain, Failure> {
    let mut problems = archive.differences(members);
    problems.extend(archive.unreadable(members));
    problems.extend(others);
    Failure::together(problems)?;
    if let Some(notice) = archive.notices() {
        eprintln!("msm_os: {notice}");
    }
    Domain::open(grid, archive)
}
