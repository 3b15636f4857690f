//! How many requests a delete of whole stores makes, about.

use super::{DeleteSurvey, PlannedDelete};
use crate::verbs::send::RequestCounts;

/// Objects that are listed or deleted by one request.
const BATCH: u64 = 1_000;

impl PlannedDelete<'_> {
    /// The requests that deleting all of this takes, about, where the server deletes many objects with one; `None` if it is a directory, or
    /// not foreseen, for stores stay of which something goes.
    #[must_use]
    pub fn requests(&self, survey: &DeleteSurvey) -> Option<RequestCounts> {
        self.session.bucket.endpoint()?;
        let DeleteSurvey::Stores {
            stores,
            ledgers,
            others,
            ..
        } = survey
        else {
            return None;
        };
        let ranks = self.session.ranks.size() as u64;
        let (count, ledgers) = (stores.len() as u64, ledgers.objects);
        let objects = survey.total().objects - ledgers;
        // Root documents go first, one by one.
        let bulk = (objects - others.objects).saturating_sub(count) + others.objects;
        let pages = survey.total().objects.div_ceil(BATCH).max(1);
        Some(RequestCounts {
            put: COMMAND_PUTS + count * STORE_PUTS,
            get: COMMAND_GETS + count * STORE_GETS,
            copy: 0,
            head: COMMAND_HEADS,
            // They are listed to be counted, and again to go.
            list: COMMAND_LISTS + count * STORE_LISTS + 2 * (pages - 1),
            delete: COMMAND_DELETES
                + count * STORE_DELETES
                + batches(bulk, ranks)
                + batches(ledgers, ranks),
        })
    }
}

/// Requests by which so many ranks delete their shares of the objects.
fn batches(objects: u64, ranks: u64) -> u64 {
    objects.div_ceil(BATCH).max(objects.min(ranks))
}

// What the log of a server shows beside (tests/whole/plan_requests.rs compares). For each store: its lease, that it is being deleted, its
// root document.
const STORE_PUTS: u64 = 3;
const STORE_GETS: u64 = 5;
const STORE_LISTS: u64 = 4;
const STORE_DELETES: u64 = 3;
// Once: what the server guarantees, and what lies there.
const COMMAND_PUTS: u64 = 5;
const COMMAND_GETS: u64 = 7;
const COMMAND_HEADS: u64 = 12;
const COMMAND_LISTS: u64 = 23;
const COMMAND_DELETES: u64 = 1;
