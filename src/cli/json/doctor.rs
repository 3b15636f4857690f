//! What `doctor --json` prints.

use serde::Serialize;

use crate::events::{Finding, FindingState};
use crate::store::{Endpoint, Place};
use crate::verbs::doctor::DoctorReport;

/// What its member `format` says.
pub(in crate::cli) const DOCTOR: &str = "msm_os/doctor/1";

/// `msm_os/doctor/1`.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct DoctorDocument {
    format: &'static str,
    /// Can this program work there, and has nothing been left behind?
    verdict: &'static str,
    version: &'static str,
    bucket: String,
    endpoint: Option<EndpointView>,
    findings: Vec<FindingView>,
    lacking: Vec<String>,
    left_behind: Option<String>,
    put: Option<PutView>,
}

/// What putting large objects came to.
#[derive(Debug, Serialize)]
struct PutView {
    bytes: u64,
    seconds: f64,
}

#[derive(Debug, Serialize)]
struct EndpointView {
    url: String,
    virtual_hosted: bool,
}

#[derive(Debug, Serialize)]
struct FindingView {
    what: String,
    state: &'static str,
    found: String,
}

impl DoctorDocument {
    /// Of what was found of the bucket `place` of a server, or of a directory.
    pub(in crate::cli) fn new(
        place: &Place,
        endpoint: Option<&Endpoint>,
        report: &DoctorReport,
    ) -> Self {
        let lacking = report.lacking.as_ref();
        Self {
            format: DOCTOR,
            verdict: match (&report.lacking, &report.left_behind) {
                (Some(_), _) => "lacking",
                (None, Some(_)) => "left_behind",
                (None, None) if report.is_stopped => "stopped",
                (None, None) => "fit",
            },
            version: env!("CARGO_PKG_VERSION"),
            bucket: place.to_string(),
            endpoint: endpoint.map(|endpoint| EndpointView {
                url: endpoint.url.to_string(),
                virtual_hosted: endpoint.virtual_hosted,
            }),
            findings: report.findings.iter().map(FindingView::from).collect(),
            lacking: lacking.map(|(names, _)| names.clone()).unwrap_or_default(),
            left_behind: report.left_behind.as_ref().map(ToString::to_string),
            put: report.put.map(|put| PutView {
                bytes: put.bytes,
                seconds: put.elapsed.as_secs_f64(),
            }),
        }
    }
}

impl From<&Finding> for FindingView {
    fn from(finding: &Finding) -> Self {
        let Finding { what, state, found } = finding.clone();
        Self {
            what,
            state: match state {
                FindingState::Good => "good",
                FindingState::Lesser => "lesser",
                FindingState::Bad => "bad",
                FindingState::Untried => "untried",
            },
            found,
        }
    }
}
