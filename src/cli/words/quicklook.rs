//! What `quicklook` says that it has drawn.

use std::path::Path;

use super::counted;
use crate::verbs::quicklook::QuicklookReport;

/// Each chart in words, then what was left out, and where the picture is.
pub(in crate::cli) fn pictured(file: &Path, report: &QuicklookReport) -> Vec<String> {
    let charts = report.picture.charts.iter();
    let mut lines: Vec<String> = charts.map(msm_chart::Chart::in_words).collect();
    let left_out = report.left_out.iter();
    lines.extend(
        left_out.map(|(store, variable, why)| format!("{store}: '{variable}' is not drawn: {why}")),
    );
    lines.push(format!(
        "wrote {}: {}, of {}",
        file.display(),
        counted(report.charts.len(), "charts"),
        counted(report.objects, "objects"),
    ));
    lines
}
