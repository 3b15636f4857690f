//! What `rollback --json` prints.

use serde::Serialize;

use super::{Amount, Outcome, StoreUrl};
use crate::cli::witness::{UndoneTransaction, Witness};
use crate::store::Place;
use crate::verbs::rollback::{RollbackForecast, RollbackReport};
use crate::verbs::send::RequestCounts;

const FORMAT: &str = "msm_os/rollback/1";

/// `msm_os/rollback/1`, of what was done.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct RollbackDocument {
    format: &'static str,
    dry_run: bool,
    outcome: Outcome,
    commands: Vec<String>,
    had_died: bool,
    stores: Vec<StoreUrl>,
    transactions: Vec<UndoneTransaction>,
}

/// The same of what would be done.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct RollbackForecastDocument {
    format: &'static str,
    dry_run: bool,
    outcome: Outcome,
    commands: Vec<String>,
    /// Stores in which a command had died.
    died: Vec<String>,
    stores: Vec<StoreForecast>,
    /// Those that it would make, if that is foreseen.
    requests: Option<RequestCounts>,
}

#[derive(Debug, Serialize)]
struct StoreForecast {
    #[serde(flatten)]
    store: StoreUrl,
    undone: Vec<String>,
    gone: bool,
    lengths: Vec<Length>,
    arrays_gone: Vec<String>,
    objects_back: Amount,
    objects_gone: Amount,
}

#[derive(Debug, Serialize)]
struct Length {
    dimension: String,
    before: u64,
    after: u64,
}

impl RollbackForecastDocument {
    /// Of what would be undone at `place`.
    pub(in crate::cli) fn new(place: &Place, forecast: &RollbackForecast) -> Self {
        let stores = forecast.stores.iter().map(|store| StoreForecast {
            store: StoreUrl::new(place, &store.store),
            undone: store.undone.clone(),
            gone: store.is_gone,
            lengths: { store.lengths.iter() }
                .map(|(dimension, before, after)| Length {
                    dimension: dimension.clone(),
                    before: *before,
                    after: *after,
                })
                .collect(),
            arrays_gone: store.arrays.clone(),
            objects_back: store.back.into(),
            objects_gone: store.gone.into(),
        });
        Self {
            format: FORMAT,
            dry_run: true,
            outcome: Outcome::Done,
            commands: forecast.commands.clone(),
            died: forecast.died.clone(),
            stores: stores.collect(),
            requests: forecast.requests,
        }
    }
}

impl RollbackDocument {
    /// Of what was undone at `place`, as the witness heard.
    pub(in crate::cli) fn new(place: &Place, report: &RollbackReport, witness: &Witness) -> Self {
        let stores = report.stores.iter();
        Self {
            format: FORMAT,
            dry_run: false,
            outcome: Outcome::Done,
            commands: report.commands.clone(),
            had_died: report.had_died,
            stores: stores.map(|key| StoreUrl::new(place, key)).collect(),
            transactions: witness.undone.clone(),
        }
    }
}
