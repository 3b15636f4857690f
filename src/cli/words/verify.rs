//! What `verify` says at its end.

use super::{bytes_shown, counted};
use crate::cli::error::CliError;
use crate::events::CheckTally;
use crate::verbs::verify::VerifyReport;

/// The last line, and how it went.
pub(in crate::cli) fn verified(report: &VerifyReport) -> (String, Result<(), CliError>) {
    let total = report.total();
    let line = format!(
        "verified: {}, {}",
        counted(report.stores.len(), "stores"),
        checked(&total)
    );
    let verdict = match (total.faults, &report.incomparable) {
        (0, None) => Ok(()),
        (0, Some(error)) => Err(error.clone().into()),
        (faults, error) => Err(CliError::Faults {
            faults,
            incomparable: error.clone().map(Box::new),
        }),
    };
    (line, verdict)
}

/// What was looked at.
pub(super) fn checked(checked: &CheckTally) -> String {
    format!(
        "{}, {}, {}",
        counted(checked.objects, "objects"),
        bytes_shown(checked.bytes),
        counted(checked.faults, "faults")
    )
}
