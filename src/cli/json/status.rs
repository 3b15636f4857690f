//! What `status --json` prints.

use serde::Serialize;

use crate::events::ReplacedStore;
use crate::verbs::status::{ArchiveStatus, StatusReport, StoreStatus};

/// `msm_os/status/1`.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct StatusDocument<'a> {
    format: &'static str,
    archives: &'a [ArchiveStatus],
    stores: &'a [StoreStatus],
    replaced: &'a [ReplacedStore],
    looked_at: usize,
    problems: Vec<String>,
}

impl<'a> From<&'a StatusReport> for StatusDocument<'a> {
    fn from(report: &'a StatusReport) -> Self {
        Self {
            format: "msm_os/status/1",
            archives: &report.archives,
            stores: &report.stores,
            replaced: &report.replaced,
            looked_at: report.looked_at,
            problems: report.problems.iter().map(ToString::to_string).collect(),
        }
    }
}
