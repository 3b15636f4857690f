//! What `quicklook` says that it has drawn.

use msm_chart::harmless;

use super::counted;
use crate::cli::quicklook::PictureFile;
use crate::verbs::quicklook::QuicklookReport;

/// Each chart in words, then what was left out, and where the picture is.
pub(in crate::cli) fn pictured(file: &PictureFile, report: &QuicklookReport) -> Vec<String> {
    let charts = report.picture.charts.iter();
    let mut lines: Vec<String> = charts.map(msm_chart::Chart::in_words).collect();
    let left_out = report.left_out.iter();
    lines.extend(left_out.map(|(store, variable, why)| {
        harmless(&format!("{store}: '{variable}' is not drawn: {why}"))
    }));
    let unknown = report.picture.not_in_font();
    if file.has_own_font() && !unknown.is_empty() {
        let unknown: Vec<String> = unknown.iter().map(char::to_string).collect();
        lines.push(format!(
            "a PNG has no letters for {}, so \u{fffd} stands for them; .svg and .html have them",
            harmless(&unknown.join(" "))
        ));
    }
    lines.push(format!(
        "wrote {}: {}, of {}",
        file.path().display(),
        counted(report.charts.len(), "charts"),
        counted(report.objects, "objects"),
    ));
    lines
}
