//! What `rollback --json` prints.

use serde::Serialize;

use super::{Outcome, StoreUrl};
use crate::cli::witness::{UndoneTransaction, Witness};
use crate::store::Place;
use crate::verbs::rollback::RollbackReport;

/// `msm_os/rollback/1`.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct RollbackDocument {
    format: &'static str,
    outcome: Outcome,
    commands: Vec<String>,
    had_died: bool,
    stores: Vec<StoreUrl>,
    transactions: Vec<UndoneTransaction>,
}

impl RollbackDocument {
    /// Of what was undone at `place`, as the witness heard.
    pub(in crate::cli) fn new(place: &Place, report: &RollbackReport, witness: &Witness) -> Self {
        let stores = report.stores.iter();
        Self {
            format: "msm_os/rollback/1",
            outcome: Outcome::Done,
            commands: report.commands.clone(),
            had_died: report.had_died,
            stores: stores.map(|key| StoreUrl::new(place, key)).collect(),
            transactions: witness.undone.clone(),
        }
    }
}
