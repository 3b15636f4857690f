//! What `rechunk --json` prints.

use msm_plan::{ArrayChange, ArrayCut};
use serde::Serialize;
use serde_json::Value;

use super::{Outcome, url};
use crate::cli::plan::warning_told;
use crate::store::Place;
use crate::verbs::rechunk::{RechunkForecast, RechunkReport, RechunkedStore};
use crate::verbs::send::RequestCounts;

/// `msm_os/rechunk/1`.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct RechunkDocument {
    format: &'static str,
    dry_run: bool,
    outcome: Outcome,
    stores: Vec<RechunkedStoreView>,
    objects: u64,
    decoded_bytes: u64,
    #[serde(flatten)]
    extent: RechunkExtent,
}

/// What it was, or is expected to be.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum RechunkExtent {
    Done {
        empty_objects: u64,
        stored_bytes: u64,
        elapsed_seconds: f64,
    },
    Foreseen {
        memory_bytes: u64,
        reads: ReadsView,
        reads_per_stored_object: f64,
        requests: Option<RequestCounts>,
        warnings: Vec<Value>,
    },
}

/// What would be read of the stores.
#[derive(Debug, Serialize)]
struct ReadsView {
    objects: u64,
    requests: u64,
    decoded_bytes: u64,
}

/// A store, and the one that is made of it.
#[derive(Debug, Serialize)]
struct RechunkedStoreView {
    from: String,
    from_url: String,
    to: String,
    to_url: String,
    was_there: bool,
    left_out: u64,
    arrays: Vec<ArrayView>,
}

/// An array, as it was cut and will be.
#[derive(Debug, Serialize)]
struct ArrayView {
    name: String,
    shape: Vec<u64>,
    before: CutView,
    after: CutView,
}

#[derive(Debug, Serialize)]
struct CutView {
    chunk: Vec<u64>,
    shard: Option<Vec<u64>>,
    codec: String,
}

impl RechunkDocument {
    /// Of what was made at `place`.
    pub(in crate::cli) fn done(place: &Place, report: &RechunkReport) -> Self {
        Self {
            format: FORMAT,
            dry_run: false,
            outcome: Outcome::of(report.is_nothing()),
            stores: stores(place, &report.stores),
            objects: report.objects,
            decoded_bytes: report.decoded,
            extent: RechunkExtent::Done {
                empty_objects: report.empty,
                stored_bytes: report.bytes,
                elapsed_seconds: report.elapsed.as_secs_f64(),
            },
        }
    }

    /// Of what would be.
    pub(in crate::cli) fn foreseen(place: &Place, forecast: &RechunkForecast) -> Self {
        Self {
            format: FORMAT,
            dry_run: true,
            outcome: Outcome::of(forecast.is_nothing()),
            stores: stores(place, &forecast.stores),
            objects: forecast.size.objects,
            decoded_bytes: forecast.size.bytes,
            extent: RechunkExtent::Foreseen {
                memory_bytes: forecast.size.memory,
                reads: ReadsView {
                    objects: forecast.reads.objects,
                    requests: forecast.reads.requests,
                    decoded_bytes: forecast.reads.bytes,
                },
                reads_per_stored_object: forecast.reads.times(),
                requests: forecast.requests,
                warnings: forecast.warnings.iter().map(warning_told).collect(),
            },
        }
    }
}

const FORMAT: &str = "msm_os/rechunk/1";

fn stores(place: &Place, stores: &[RechunkedStore]) -> Vec<RechunkedStoreView> {
    let view = |store: &RechunkedStore| {
        let RechunkedStore {
            from,
            to,
            arrays,
            was_there,
            left_out,
        } = store;
        RechunkedStoreView {
            from: from.clone(),
            from_url: url(place, from),
            to: to.clone(),
            to_url: url(place, to),
            was_there: *was_there,
            left_out: *left_out,
            arrays: arrays.iter().map(ArrayView::from).collect(),
        }
    };
    stores.iter().map(view).collect()
}

impl From<&ArrayChange> for ArrayView {
    fn from(change: &ArrayChange) -> Self {
        Self {
            name: change.name.clone(),
            shape: change.shape.clone(),
            before: (&change.before).into(),
            after: (&change.after).into(),
        }
    }
}

impl From<&ArrayCut> for CutView {
    fn from(cut: &ArrayCut) -> Self {
        let ArrayCut {
            chunk,
            shard,
            codec,
        } = cut.clone();
        Self {
            chunk,
            shard,
            codec,
        }
    }
}
