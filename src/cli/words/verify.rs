//! What `verify` says at its end.

use super::bytes_shown;
use crate::error::Error;
use crate::events::CheckTally;
use crate::exit::Exit;
use crate::verbs::verify::VerifyReport;

/// The last line, and how it went.
pub(in crate::cli) fn verified(report: &VerifyReport) -> (String, Result<(), Error>) {
    let total = report.total();
    let line = format!(
        "verified: {} stores, {}",
        report.stores.len(),
        checked(&total)
    );
    let verdict = match (total.faults, &report.incomparable) {
        (0, None) => Ok(()),
        (0, Some(failure)) => Err(failure.clone()),
        (faults, failure) => {
            let and = failure.as_ref().map_or_else(String::new, |failure| {
                format!("; and the files could not be compared: {failure}")
            });
            let message = format!("{faults} faults were found, see the list{and}");
            Err(Error::new(Exit::FaultsFound, message))
        }
    };
    (line, verdict)
}

/// What was looked at.
pub(super) fn checked(checked: &CheckTally) -> String {
    format!(
        "{} objects, {}, {} faults",
        checked.objects,
        bytes_shown(checked.bytes),
        checked.faults
    )
}
