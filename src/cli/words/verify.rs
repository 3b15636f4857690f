//! What `verify` says at its end.

use super::{bytes_shown, counted};
use crate::cli::error::CliError;
use crate::error::Error;
use crate::events::CheckTally;
use crate::verbs::StoresError;
use crate::verbs::verify::VerifyReport;

/// The last lines, and how it went.
pub(in crate::cli) fn verified(report: &VerifyReport) -> (Vec<String>, Result<(), CliError>) {
    let total = report.total();
    let line = format!(
        "verified: {}, {}",
        counted(report.stores.len(), "stores"),
        checked(&total)
    );
    let replaced = report.replaced.iter();
    let verdict = match (total.faults, &report.incomparable) {
        (0, None) => {
            let replaced = replaced.map(|one| StoresError::BeingReplaced(one.clone()));
            return (
                vec![line],
                Error::together(replaced).map_err(CliError::from),
            );
        }
        (0, Some(error)) => Err(error.clone().into()),
        (faults, error) => Err(CliError::Faults {
            faults,
            can_be_healed: report.stores.iter().any(|store| store.can_be_healed),
            incomparable: error.clone().map(Box::new),
        }),
    };
    let replaced = replaced.map(ToString::to_string);
    (replaced.chain([line]).collect(), verdict)
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
