//! What `open --json` prints.
//!
//! Key function: [`document`].

use serde_json::{Value, json};

use super::keys::KeysFrom;
use super::lines::lines;
use crate::verbs::open::OpenReport;

/// The document: how the bucket is reached, the stores, and the program that opens them.
pub(in crate::cli) fn document(report: &OpenReport, keys: &KeysFrom) -> Value {
    json!({
        "format": "msm_os/open/1",
        "reach": report.reach,
        "stores": report.stores,
        "left_out": report.left_out,
        "python": lines(report, keys),
    })
}
