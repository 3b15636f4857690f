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
pub(super) struct RequestRules {
    verify: Verification,
    /// Stores that the command is about.
    stores: u64,
    /// Ranks, each of which puts what it knows of its objects.
    ranks: u64,
    counts: RequestCounts,
}

impl RequestRules {
    /// Nothing yet, but for what a command of so many ranks on so many stores takes.
    pub(super) fn new(verify: Verification, stores: u64, ranks: u64) -> Self {
        Self {
            verify,
            stores,
            ranks,
            counts: RequestCounts::default(),
        }
    }

    /// Adds what is compared with the stores.
    pub(super) fn compare(&mut self, plan: &Plan) {
        self.counts.get += plan.objects(Phase::Compare);
    }

    /// Adds a transaction.
    pub(super) fn add(&mut self, plan: &Plan) {
        let counts = &mut self.counts;
        let objects = plan.objects(Phase::Transfer) + plan.objects(Phase::Commit);
        counts.put += objects;
        if self.verify == Verification::Full {
            counts.get += objects;
        }
        // What is overwritten is looked at, copied into the ledger, looked at there, and read from it.
        let units = plan.units.iter();
        let held = units.map(|unit| {
            let array = &plan.arrays[unit.array];
            let of_phase = array.phase != Phase::Compare;
            u64::from(of_phase) * held_objects(&unit, array) * array.stores.len() as u64
        });
        let held: u64 = held.sum();
        counts.copy += held;
        counts.head += 2 * held;
        counts.get += held;
        for store in &plan.stores {
            let documents = store.documents.len() as u64 + 1;
            counts.put += documents + LEDGER_PUTS + self.ranks;
            counts.get += documents + LEDGER_GETS + self.ranks;
            counts.delete += LEDGER_DELETES;
            counts.list += LEDGER_LISTS;
        }
    }

    /// All of them.
    pub(super) fn counts(&self) -> RequestCounts {
        let counts = self.counts;
        if counts == RequestCounts::default() {
            return counts;
        }
        RequestCounts {
            put: counts.put + COMMAND_PUTS + self.stores * STORE_PUTS,
            get: counts.get + COMMAND_GETS + self.stores * STORE_GETS,
            head: counts.head + COMMAND_HEADS,
            list: counts.list + COMMAND_LISTS + self.stores * STORE_LISTS,
            delete: counts.delete + COMMAND_DELETES + self.stores * STORE_DELETES,
            ..counts
        }
    }
}

// What the log of a server shows beside objects and documents (tests/whole/plan.rs compares). For each store of a transaction: journal,
// records, manifests, and its lease, which is renewed.
const LEDGER_PUTS: u64 = 8;
const LEDGER_GETS: u64 = 9;
const LEDGER_LISTS: u64 = 8;
const LEDGER_DELETES: u64 = 4;
// For each store of a command: its lease, its documents, its axis.
const STORE_PUTS: u64 = 2;
const STORE_GETS: u64 = 20;
const STORE_LISTS: u64 = 3;
const STORE_DELETES: u64 = 1;
// Once: what the server guarantees, and what lies there.
const COMMAND_PUTS: u64 = 5;
const COMMAND_GETS: u64 = 8;
const COMMAND_HEADS: u64 = 6;
const COMMAND_LISTS: u64 = 8;
const COMMAND_DELETES: u64 = 1;
