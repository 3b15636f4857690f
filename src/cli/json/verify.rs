//! What `verify --json` prints.

use serde::Serialize;

use super::StoreUrl;
use crate::events::{CheckTally, Fault};
use crate::store::Place;
use crate::verbs::verify::VerifyReport;

/// `msm_os/verify/1`.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct VerifyDocument {
    format: &'static str,
    /// `sound`, `faults`, or `not_compared` if the files could not be compared and nothing else is wrong.
    outcome: &'static str,
    objects: u64,
    bytes: u64,
    faults: u64,
    stores: Vec<VerifiedStore>,
    differing: Vec<FaultView>,
    not_compared: Option<String>,
}

/// A store that was looked at.
#[derive(Debug, Serialize)]
struct VerifiedStore {
    #[serde(flatten)]
    store: StoreUrl,
    objects: u64,
    bytes: u64,
    faults: Vec<FaultView>,
    unsettled: u64,
}

/// What is not as it should be.
#[derive(Debug, Serialize)]
struct FaultView {
    key: String,
    what: String,
}

impl VerifyDocument {
    /// Of what was found at `place`.
    pub(in crate::cli) fn new(place: &Place, report: &VerifyReport) -> Self {
        let CheckTally {
            objects,
            bytes,
            faults,
        } = report.total();
        let stores = report.stores.iter().map(|of| VerifiedStore {
            store: StoreUrl::new(place, &of.store),
            objects: of.checked.objects,
            bytes: of.checked.bytes,
            faults: of.faults.iter().map(FaultView::from).collect(),
            unsettled: of.unsettled,
        });
        Self {
            format: "msm_os/verify/1",
            outcome: match (faults, &report.incomparable) {
                (0, None) => "sound",
                (0, Some(_)) => "not_compared",
                _ => "faults",
            },
            objects,
            bytes,
            faults,
            stores: stores.collect(),
            differing: report.differing.iter().map(FaultView::from).collect(),
            not_compared: report.incomparable.as_ref().map(ToString::to_string),
        }
    }
}

impl From<&Fault> for FaultView {
    fn from(fault: &Fault) -> Self {
        let Fault { key, what } = fault.clone();
        Self { key, what }
    }
}
