//! What `copy --json` and `move --json` print.

use serde::Serialize;

use super::{Amount, Outcome, url};
use crate::store::Place;
use crate::verbs::copy::{CopiedStore, CopyReport};
use crate::verbs::send::RequestCounts;

/// `msm_os/copy/1` or `msm_os/move/1`.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct CopyDocument {
    format: &'static str,
    dry_run: bool,
    outcome: Outcome,
    copied: Amount,
    compared: Amount,
    stores: Vec<CopiedStoreView>,
    /// Those that it would make, if that is foreseen.
    requests: Option<RequestCounts>,
}

/// A store that was copied.
#[derive(Debug, Serialize)]
struct CopiedStoreView {
    from: String,
    from_url: String,
    to: String,
    to_url: String,
    objects: u64,
    bytes: u64,
    was_there: bool,
    unlike_manifest: u64,
    left_out: u64,
}

impl CopyDocument {
    /// Of what was copied, or would be, or moved, from `place`: into the bucket `other`, if one was named.
    pub(in crate::cli) fn new(
        place: &Place,
        other: Option<&Place>,
        moves: bool,
        dry_run: bool,
        report: &CopyReport,
    ) -> Self {
        let stores = report.stores.iter().map(|store| {
            let CopiedStore {
                from,
                to,
                tally,
                unrecorded: _,
                was_there,
                unlike,
                left_out,
            } = store.clone();
            // In another bucket, it begins with that one's name.
            let below = |other: &Place| {
                let key = to.strip_prefix(&format!("{other}/"))?;
                Some(url(other, key))
            };
            let to_url = other.and_then(below).unwrap_or_else(|| url(place, &to));
            CopiedStoreView {
                from_url: url(place, &from),
                from,
                to_url,
                to,
                objects: tally.objects,
                bytes: tally.bytes,
                was_there,
                unlike_manifest: unlike,
                left_out,
            }
        });
        let [copied, compared] = report.totals().map(Amount::from);
        Self {
            copied,
            compared,
            format: if moves {
                "msm_os/move/1"
            } else {
                "msm_os/copy/1"
            },
            dry_run,
            // What is there already is compared first.
            outcome: Outcome::of(!moves && !dry_run && report.is_nothing()),
            stores: stores.collect(),
            requests: None,
        }
    }

    /// The same, with the requests that it would make.
    pub(in crate::cli) fn with_requests(self, requests: Option<RequestCounts>) -> Self {
        Self { requests, ..self }
    }
}
