//! What `quicklook --json` prints.

use std::path::Path;

use serde::Serialize;

use crate::verbs::quicklook::{DrawnChart, QuicklookReport, UnstoredCoordinate};

/// `msm_os/quicklook/1`.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct QuicklookDocument<'a> {
    format: &'static str,
    file: String,
    charts: Vec<ChartView<'a>>,
    left_out: Vec<LeftOutView<'a>>,
    failed: Vec<FailedView<'a>>,
    unstored_coordinates: &'a [UnstoredCoordinate],
    objects_read: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct ChartView<'a> {
    store: &'a str,
    variable: &'a str,
    array: &'a str,
    units: &'a str,
    times: Option<&'a [String; 2]>,
    level: Option<&'a str>,
    bbox: [f64; 4],
    least: Option<f64>,
    greatest: Option<f64>,
    mean: Option<f64>,
    infinite: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct LeftOutView<'a> {
    pub(super) store: &'a str,
    pub(super) variable: &'a str,
    pub(super) why: String,
}

#[derive(Debug, Serialize)]
struct FailedView<'a> {
    store: &'a str,
    variable: Option<&'a str>,
    why: String,
}

impl<'a> QuicklookDocument<'a> {
    /// Of the picture in `file`.
    pub(in crate::cli) fn new(file: &Path, report: &'a QuicklookReport) -> Self {
        let left_out = report
            .left_out
            .iter()
            .map(|(store, variable, why)| LeftOutView {
                store,
                variable,
                why: why.to_string(),
            });
        Self {
            format: "msm_os/quicklook/1",
            file: file.display().to_string(),
            charts: report.charts.iter().map(ChartView::from).collect(),
            left_out: left_out.collect(),
            failed: { report.undrawn.iter() }
                .map(|part| FailedView {
                    store: &part.store,
                    variable: part.variable.as_deref(),
                    why: part.cause.to_string(),
                })
                .collect(),
            unstored_coordinates: &report.unstored,
            objects_read: report.objects,
        }
    }
}

impl<'a> From<&'a DrawnChart> for ChartView<'a> {
    fn from(chart: &'a DrawnChart) -> Self {
        let number = |pick: fn(&msm_chart::Statistics) -> f64| {
            let value = chart.statistics.as_ref().map(pick);
            value.filter(|value| value.is_finite())
        };
        Self {
            store: &chart.store,
            variable: &chart.variable,
            array: &chart.array,
            units: &chart.units,
            times: chart.times.as_ref(),
            level: chart.level.as_deref(),
            bbox: chart.bbox,
            least: number(|all| all.least),
            greatest: number(|all| all.greatest),
            mean: number(|all| all.mean),
            infinite: chart.infinite,
        }
    }
}
