//! Rank 0: whether the files fit together, and what is lent to them then.

use msm_model::{Archive, ArchiveError};

use crate::error::Error;
use crate::events::Notice;
use crate::session::Session;
use crate::verbs::reprojection::corners::{Domain, DomainFile};

/// Checks that the files of `archive` fit together in what `members` names, and lends it the coordinates that the `domain` file gives.
/// In this order: what is lent may have another type than the files have.
///
/// # Errors
/// All differences between the files with the `others` that were found; or why nothing can be lent.
pub(in crate::verbs) fn fit(
    archive: &mut Archive,
    members: &[String],
    others: Vec<ArchiveError>,
    domain: Option<&DomainFile>,
    session: &Session<'_>,
) -> Result<Domain, Error> {
    let mut problems = archive.differences(members);
    problems.extend(archive.unreadable(members));
    problems.extend(others);
    Error::together(problems)?;
    let unset: Vec<_> = archive.no_times().collect();
    if let [(file, problem), more @ ..] = &unset[..] {
        session.notice(Notice::NoTime {
            file: (*file).clone(),
            problem: (*problem).to_owned(),
            more: more.len(),
        });
    }
    Domain::open(domain, archive)
}
