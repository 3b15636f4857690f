//! What `rollback` says at its end.

use crate::verbs::rollback::RollbackReport;

/// What was undone; of each store, its event has told.
pub(in crate::cli) fn rolled_back(report: &RollbackReport) -> String {
    let stores = report.stores.len();
    if report.commands.is_empty() {
        return format!("rolled back: {stores} stores");
    }
    let commands = report.commands.join(", ");
    format!("rolled back: {stores} stores, command {commands}")
}
