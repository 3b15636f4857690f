//! What `recover --json` prints.

use serde::Serialize;

use super::{Amount, Outcome, TransactionView};
use crate::cli::witness::Witness;
use crate::events::{self, ReplacedStore};
use crate::verbs::recover::{
    ArchiveForecast, Forecast, HeldStore, Outlook, RecoverReport, StoreForecast,
};
use crate::verbs::send::RequestCounts;

const FORMAT: &str = "msm_os/recover/1";

/// `msm_os/recover/1`, of what was done.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct RecoverDocument {
    format: &'static str,
    dry_run: bool,
    outcome: Outcome,
    stores: usize,
    healed: Vec<HealedTransaction>,
    orphans_removed: u64,
    archives_abandoned: usize,
    truncated: Vec<TruncationView>,
    held: Vec<HeldStoreView>,
    replaced: Vec<ReplacedStore>,
}

/// The same of what would be done.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct RecoverForecastDocument {
    format: &'static str,
    dry_run: bool,
    outcome: Outcome,
    stores: usize,
    transactions: Vec<ForeseenTransaction>,
    strays: Vec<String>,
    orphans: Option<Vec<OrphanView>>,
    archives: Option<Vec<ArchiveView>>,
    truncations: Option<Vec<TruncationView>>,
    held: Vec<HeldStoreView>,
    replaced: Vec<ReplacedStore>,
    problems: Vec<String>,
    /// Those that it would make, if that is foreseen.
    requests: Option<RequestCounts>,
}

/// A transaction that a dead job left, and how it ended.
#[derive(Debug, Serialize)]
struct HealedTransaction {
    store: String,
    transaction: TransactionView,
    outcome: &'static str,
}

/// The same, and how it would end.
#[derive(Debug, Serialize)]
struct ForeseenTransaction {
    store: String,
    transaction: TransactionView,
    outlook: &'static str,
    holder: Option<String>,
}

/// An object that no transaction owns.
#[derive(Debug, Serialize)]
struct OrphanView {
    key: String,
    bytes: u64,
}

/// An archive that would not be sent any further.
#[derive(Debug, Serialize)]
struct ArchiveView {
    stores: Vec<String>,
    out_of_sight: Amount,
    held: Vec<HeldStoreView>,
}

/// A store that a job may be writing.
#[derive(Debug, Serialize)]
struct HeldStoreView {
    store: String,
    holder: String,
    lease_ends_in_seconds: f64,
}

/// What is cut of a store's arrays.
#[derive(Debug, Serialize)]
struct TruncationView {
    store: String,
    dimension: String,
    arrays: Vec<CutArray>,
    attributes: Vec<String>,
    objects: u64,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct CutArray {
    name: String,
    before: u64,
    after: u64,
}

impl RecoverDocument {
    /// Of what was done, as the witness heard.
    pub(in crate::cli) fn new(report: &RecoverReport, witness: &Witness) -> Self {
        let healed = witness.healed.iter();
        let healed = healed.map(|(store, transaction, outcome)| HealedTransaction {
            store: store.clone(),
            transaction: transaction.into(),
            outcome: ending(*outcome),
        });
        Self {
            format: FORMAT,
            dry_run: false,
            outcome: Outcome::of(report.is_nothing()),
            stores: report.stores,
            healed: healed.collect(),
            orphans_removed: report.orphans,
            archives_abandoned: report.abandoned,
            truncated: witness.truncated.iter().map(TruncationView::from).collect(),
            held: report.held.iter().map(HeldStoreView::from).collect(),
            replaced: report.replaced.clone(),
        }
    }
}

impl RecoverForecastDocument {
    pub(in crate::cli) fn new(forecast: &Forecast) -> Self {
        let orphan = |(key, bytes): &(String, u64)| OrphanView {
            key: key.clone(),
            bytes: *bytes,
        };
        let orphans = forecast.orphans.as_ref();
        let archives = forecast.abandoned.as_ref();
        let cuts = forecast.cuts.as_ref();
        let strays = forecast.left.iter().flat_map(|left| left.strays.clone());
        Self {
            format: FORMAT,
            dry_run: true,
            outcome: Outcome::of(forecast.is_nothing()),
            stores: forecast.stores,
            transactions: forecast.left.iter().flat_map(foreseen).collect(),
            strays: strays.collect(),
            orphans: orphans.map(|all| all.iter().map(orphan).collect()),
            archives: archives.map(|all| all.iter().map(ArchiveView::from).collect()),
            truncations: cuts.map(|all| all.iter().map(TruncationView::from).collect()),
            held: forecast.held.iter().map(HeldStoreView::from).collect(),
            replaced: forecast.replaced.clone(),
            problems: forecast.problems.iter().map(ToString::to_string).collect(),
            requests: forecast.requests,
        }
    }
}

fn foreseen(left: &StoreForecast) -> impl Iterator<Item = ForeseenTransaction> {
    left.transactions.iter().map(|(transaction, outlook)| {
        let (outlook, holder) = match outlook {
            Outlook::Locked => ("locked", None),
            Outlook::UnderWay(holder) => ("under_way", Some(holder.clone())),
            Outlook::Ends(outcome) => (ending(*outcome), None),
        };
        ForeseenTransaction {
            store: left.store.clone(),
            transaction: transaction.into(),
            outlook,
            holder,
        }
    })
}

fn ending(outcome: events::Outcome) -> &'static str {
    match outcome {
        events::Outcome::RolledBack => "rolled_back",
        events::Outcome::NeverBegun => "never_begun",
        events::Outcome::Finished => "finished",
        events::Outcome::Deleted => "deleted",
    }
}

impl From<&ArchiveForecast> for ArchiveView {
    fn from(forecast: &ArchiveForecast) -> Self {
        let objects = forecast.objects.iter();
        Self {
            stores: forecast.stores.clone(),
            out_of_sight: Amount {
                objects: objects.len() as u64,
                bytes: objects.map(|(_, bytes)| bytes).sum(),
            },
            held: forecast.held.iter().map(HeldStoreView::from).collect(),
        }
    }
}

impl From<&HeldStore> for HeldStoreView {
    fn from(held: &HeldStore) -> Self {
        Self {
            store: held.store.clone(),
            holder: held.holder.clone(),
            lease_ends_in_seconds: held.left.as_secs_f64(),
        }
    }
}

impl From<&events::Truncation> for TruncationView {
    fn from(cut: &events::Truncation) -> Self {
        let arrays = cut.arrays.iter();
        let arrays = arrays.map(|(name, before, after)| CutArray {
            name: name.clone(),
            before: *before,
            after: *after,
        });
        Self {
            store: cut.store.clone(),
            dimension: cut.dimension.clone(),
            arrays: arrays.collect(),
            attributes: cut.attributes.clone(),
            objects: cut.objects,
            bytes: cut.bytes,
        }
    }
}
