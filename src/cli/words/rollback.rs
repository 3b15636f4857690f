//! What `rollback` says at its end.

use crate::verbs::rollback::RollbackReport;

/// What was undone; of each store, its event has told.
pub(in crate::cli) fn rolled_back(report: &RollbackReport) -> String {
    let stores = report.stores.len();
    let commands = report.commands.join(", ");
    match (report.had_died, report.commands.is_empty()) {
        (false, true) => format!("rolled back: {stores} stores"),
        (false, false) => format!("rolled back: {stores} stores, command {commands}"),
        (true, true) => format!(
            "rolled back: {stores} stores, the command that had died in them; rollback again undoes the one before it"
        ),
        (true, false) => {
            format!(
                "rolled back: {stores} stores, the command that had died in them, and {commands}"
            )
        }
    }
}
