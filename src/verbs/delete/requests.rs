//! How many requests a delete makes, about.

use super::{DeleteSurvey, PlannedDelete};
use crate::store::BATCH;
use crate::verbs::send::RequestCounts;
use crate::verbs::shared::requests::of_command;

impl PlannedDelete<'_> {
    /// The requests that deleting all of this takes, about, where the server deletes many objects with one; `None` if it is a directory, or
    /// not foreseen, for it is a group of a hierarchy.
    #[must_use]
    pub fn requests(&self, survey: &DeleteSurvey) -> Option<RequestCounts> {
        self.session.bucket.endpoint()?;
        match survey {
            DeleteSurvey::Stores {
                stores,
                ledgers,
                others,
                ..
            } => {
                let counts = [stores.len() as u64, ledgers.objects, others.objects];
                Some(self.of_stores(survey.total().objects, counts))
            }
            DeleteSurvey::Group { .. } => None,
            DeleteSurvey::Arrays { stores, .. } => {
                let all = stores.iter().map(|store| store.requests);
                Some(all.fold(of_command(), RequestCounts::and))
            }
            DeleteSurvey::Steps { stores } => {
                let all = stores.iter().map(|store| store.requests);
                Some(all.fold(of_command(), RequestCounts::and))
            }
        }
    }

    /// Of so many whole stores with `all` these objects, of which so many are of ledgers, and so many others' that go, too.
    fn of_stores(&self, all: u64, [count, ledgers, others]: [u64; 3]) -> RequestCounts {
        let ranks = self.session.ranks.size() as u64;
        let objects = all - ledgers;
        // Root documents go first, one by one.
        let bulk = (objects - others).saturating_sub(count) + others;
        let pages = all.div_ceil(PAGE).max(1);
        RequestCounts {
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
        }
    }
}

/// Objects that are listed by one request.
const PAGE: u64 = 1_000;

/// Requests by which so many ranks delete their shares of the objects.
fn batches(objects: u64, ranks: u64) -> u64 {
    objects.div_ceil(BATCH as u64).max(objects.min(ranks))
}

// What the log of a server shows beside (tests/whole/plan_requests.rs compares). For each store: its lease, that it is being deleted, its
// root document.
const STORE_PUTS: u64 = 3;
const STORE_GETS: u64 = 3;
const STORE_LISTS: u64 = 4;
const STORE_DELETES: u64 = 3;
// Once: what the server guarantees, and what lies there.
const COMMAND_PUTS: u64 = 5;
const COMMAND_GETS: u64 = 6;
const COMMAND_HEADS: u64 = 12;
const COMMAND_LISTS: u64 = 23;
const COMMAND_DELETES: u64 = 1;
