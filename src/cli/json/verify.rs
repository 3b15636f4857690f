//! What `verify --json` prints.

use serde::{Deserialize, Serialize};

use super::StoreUrl;
use crate::events::{CheckTally, Fault, PlannedFiles, ReplacedStore};
use crate::store::Place;
use crate::verbs::verify::VerifyReport;

/// `msm_os/verify/1`.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct VerifyDocument {
    format: &'static str,
    /// `sound`, `faults`, `not_compared` if the files could not be compared and nothing else is wrong, or `being_replaced` if stores are, and
    /// all others are sound.
    outcome: &'static str,
    #[serde(flatten)]
    verified: Verified,
}

/// What was looked at, and what is wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Verified {
    pub objects: u64,
    pub bytes: u64,
    pub faults: u64,
    pub stores: Vec<VerifiedStore>,
    /// The files that were named with `--against`; what came before does not tell.
    #[serde(default)]
    pub against: Option<FilesView>,
    /// Objects whose values are not those of the files.
    pub differing: Vec<FaultView>,
    pub not_compared: Option<String>,
    /// Stores that were not looked at, for they are being replaced; none in documents of older versions.
    #[serde(default)]
    pub replaced: Vec<ReplacedStore>,
}

/// A store that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct VerifiedStore {
    #[serde(flatten)]
    pub store: StoreUrl,
    pub objects: u64,
    pub bytes: u64,
    pub faults: Vec<FaultView>,
    pub unsettled: u64,
}

/// Files whose values were held against those of stores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct FilesView {
    pub files: Vec<String>,
    pub first_step: Option<String>,
    pub last_step: Option<String>,
}

/// What is not as it should be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct FaultView {
    pub key: String,
    pub what: String,
}

impl VerifyDocument {
    /// Of what was found.
    pub(in crate::cli) fn new(verified: Verified) -> Self {
        Self {
            format: "msm_os/verify/1",
            outcome: match (verified.faults, &verified.not_compared) {
                (0, None) if verified.replaced.is_empty() => "sound",
                (0, None) => "being_replaced",
                (0, Some(_)) => "not_compared",
                _ => "faults",
            },
            verified,
        }
    }
}

impl Verified {
    /// What was found at `place`.
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
            objects,
            bytes,
            faults,
            stores: stores.collect(),
            against: report.against.clone().map(|PlannedFiles { names, steps }| {
                let (first_step, last_step) = steps.unzip();
                FilesView {
                    files: names,
                    first_step,
                    last_step,
                }
            }),
            differing: report.differing.iter().map(FaultView::from).collect(),
            not_compared: report.incomparable.as_ref().map(ToString::to_string),
            replaced: report.replaced.clone(),
        }
    }
}

impl From<&Fault> for FaultView {
    fn from(fault: &Fault) -> Self {
        let Fault { key, what } = fault.clone();
        Self { key, what }
    }
}
