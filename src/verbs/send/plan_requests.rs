//! How many requests a send makes, about.
//!
//! Key type: [`RequestRules`].

mod moved;
mod shared;

use msm_plan::{Phase, Plan};

use super::plan_sum::held_objects;
use super::send_plan::RequestCounts;
use crate::transfer::Verification;

/// Counts requests.
pub(in crate::verbs) struct RequestRules {
    verify: Verification,
    /// Ranks, each of which puts what it knows of its objects.
    ranks: u64,
    /// Is there anything to do?
    is_needed: bool,
    /// Transactions so far.
    transactions: u64,
    counts: RequestCounts,
}

/// The stores that a command is about.
pub(in crate::verbs) struct StoresAsked {
    pub all: u64,
    /// Those of them that are not there.
    pub new: u64,
    /// Is the first of them? Then nothing is known of the server.
    pub begins: bool,
    /// Are they looked for among others, to be overwritten?
    pub rewrites: bool,
}

impl RequestRules {
    /// Nothing yet, but for what a command of so many ranks on `stores` takes.
    pub(in crate::verbs) fn new(verify: Verification, stores: &StoresAsked, ranks: u64) -> Self {
        let StoresAsked { all, new, .. } = *stores;
        let (probed, looks) = (u64::from(stores.begins), 1 + u64::from(stores.rewrites));
        let counts = RequestCounts {
            put: PROBE_PUTS * probed + TRIED_PUTS * (1 - probed) + all,
            get: PLACE_GETS + 1 + PROBE_GETS * probed + TRIED_GETS * (1 - probed) + all + (all - new) * LOOK_GETS * looks
                // Without a root, of either version; and what may be about to replace it.
                + new * 5
                + u64::from(new > 0),
            head: PLACE_HEADS,
            // Leases are looked at before the server is known, and again where it had to be probed.
            list: PLACE_LISTS + 1 + probed + all * (3 + probed) + new + u64::from(new > 0),
            delete: PROBE_DELETES * probed + TRIED_DELETES * (1 - probed) + all,
            ..RequestCounts::default()
        };
        Self {
            verify,
            ranks,
            is_needed: false,
            transactions: 0,
            counts,
        }
    }

    /// Adds what is compared with the stores.
    pub(super) fn compare(&mut self, plan: &Plan) {
        let objects = plan.objects(Phase::Compare);
        self.counts.get += objects;
        self.is_needed |= objects > 0;
    }

    /// Adds a transaction.
    pub(in crate::verbs) fn add(&mut self, plan: &Plan) {
        let counts = &mut self.counts;
        let objects = plan.objects(Phase::Transfer) + plan.objects(Phase::Commit);
        counts.put += objects;
        if self.verify == Verification::Full {
            counts.get += objects;
        }
        for unit in &plan.units {
            let array = &plan.arrays[unit.array];
            let of_unit = held_objects(&unit, array) * array.stores.len() as u64;
            match array.phase {
                Phase::Compare => continue,
                // A small object that is overwritten in part is read, copied into the ledger, and read there.
                Phase::Commit => counts.get += 2 * of_unit,
                // Another is looked at, copied, and looked at there.
                Phase::Keep | Phase::Transfer => counts.head += 2 * of_unit,
            }
            counts.copy += of_unit;
        }
        for store in &plan.stores {
            let documents = store.documents.len() as u64 + 1;
            counts.put += LEDGER_PUTS + self.ranks;
            counts.get += 1 + LEDGER_GETS + self.ranks;
            if store.old_root.as_ref() != Some(&store.new_root) {
                counts.put += documents;
                if self.verify != Verification::None {
                    counts.get += documents;
                }
            }
            counts.delete += LEDGER_DELETES;
            counts.list += LEDGER_LISTS;
            if store.old_root.is_some() {
                // What the documents were, and the transaction before.
                counts.get += documents;
                if self.transactions > 0 {
                    counts.get += LOOK_GETS;
                }
            }
        }
        self.transactions += 1;
        self.is_needed = true;
    }

    /// All of them; none if nothing is sent.
    pub(in crate::verbs) fn counts(&self) -> RequestCounts {
        if self.is_needed {
            self.counts
        } else {
            RequestCounts::default()
        }
    }
}

// What the log of a server shows beside objects and documents (tests/whole/plan.rs compares). For each store of a transaction: journal, the
// two records, what is kept to undo it, and its lease, which is renewed twice.
const LEDGER_PUTS: u64 = 7;
const LEDGER_GETS: u64 = 5;
const LEDGER_LISTS: u64 = 6;
const LEDGER_DELETES: u64 = 2;
// Each look at a store that is there: its root, its record, its axis with bounds.
const LOOK_GETS: u64 = 4;
// Once: what lies at the place, in the bucket and in the prefix.
const PLACE_GETS: u64 = 2;
const PLACE_HEADS: u64 = 6;
const PLACE_LISTS: u64 = 8;
// Where the ledger keeps what the server guarantees: whether it still does.
const TRIED_PUTS: u64 = 4;
const TRIED_GETS: u64 = 1;
const TRIED_DELETES: u64 = 1;
// Where it does not: what the server guarantees.
const PROBE_PUTS: u64 = 6;
const PROBE_GETS: u64 = 3;
const PROBE_DELETES: u64 = 3;
