//! What `page --json` prints.

use std::path::Path;

use serde::Serialize;

use super::quicklook::{ChartView, LeftOutView};
use crate::cli::page::PageFiles;
use crate::verbs::page::PageReport;
use crate::verbs::quicklook::UnstoredCoordinate;

/// `msm_os/page/1`.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct PageDocument<'a> {
    format: &'static str,
    page: String,
    stores: usize,
    maps: Vec<MapView<'a>>,
    left_out: Vec<LeftOutView<'a>>,
    without_maps: Vec<WithoutMapsView<'a>>,
    unstored_coordinates: Vec<&'a UnstoredCoordinate>,
    objects_read: u64,
}

#[derive(Debug, Serialize)]
struct MapView<'a> {
    file: String,
    #[serde(flatten)]
    shown: ChartView<'a>,
}

#[derive(Debug, Serialize)]
struct WithoutMapsView<'a> {
    store: &'a str,
    why: &'a str,
}

impl<'a> PageDocument<'a> {
    /// Of the page at `index`, which is one of `files`.
    pub(in crate::cli) fn new(index: &Path, report: &'a PageReport, files: &PageFiles) -> Self {
        let mut document = Self {
            format: "msm_os/page/1",
            page: index.display().to_string(),
            stores: report.opened.stores.len(),
            maps: Vec::new(),
            left_out: Vec::new(),
            without_maps: Vec::new(),
            unstored_coordinates: Vec::new(),
            objects_read: report.objects,
        };
        let stores = report.opened.stores.iter().zip(&report.details);
        for (place, (store, details)) in stores.enumerate() {
            let store = store.info.store.as_str();
            let maps = details.maps.iter().enumerate();
            document.maps.extend(maps.map(|(number, map)| MapView {
                file: files.map(place, number),
                shown: ChartView::from(&map.shown),
            }));
            let left_out = details.left_out.iter();
            document
                .left_out
                .extend(left_out.map(|(variable, why)| LeftOutView {
                    store,
                    variable,
                    why: why.clone(),
                }));
            document.unstored_coordinates.extend(&details.unstored);
            let why = details.problem.iter();
            document
                .without_maps
                .extend(why.map(|why| WithoutMapsView { store, why }));
        }
        document
    }
}
