//! What `quicklook` says that it has drawn.

use msm_chart::harmless;

use super::counted;
use crate::cli::quicklook::PictureFile;
use crate::verbs::quicklook::QuicklookReport;

/// Each chart in words, then what was left out or failed, and where the picture is.
pub(in crate::cli) fn pictured(file: &PictureFile, report: &QuicklookReport) -> Vec<String> {
    let charts = report.picture.charts.iter();
    let mut lines: Vec<String> = charts.map(msm_chart::Chart::in_words).collect();
    let left_out = report.left_out.iter();
    lines.extend(left_out.map(|(store, variable, why)| {
        harmless(&format!("{store}: '{variable}' is not drawn: {why}"))
    }));
    lines.extend(report.undrawn.iter().map(|part| {
        let variable = part.variable.as_ref();
        let variable = variable.map_or("nothing".to_owned(), |name| format!("'{name}'"));
        harmless(&format!(
            "{}: {variable} is not drawn: {}",
            part.store, part.cause
        ))
    }));
    let unstored = report.unstored.iter();
    lines.extend(unstored.map(|coordinate| harmless(&coordinate.to_string())));
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
