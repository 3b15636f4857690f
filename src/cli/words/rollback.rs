//! What `rollback` says at its end.

use crate::verbs::rollback::RollbackReport;

/// What was undone; of each store, its event has told.
pub(in crate::cli) fn rolled_back(report: &RollbackReport) -> String {
    format!("rolled back: {} stores", report.stores.len())
}
