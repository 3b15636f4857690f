//! What it takes to share in sending an archive: parts are put out of sight, and what is put is committed.

use std::collections::BTreeSet;

use msm_plan::{Phase, Plan};

use super::RequestRules;
use crate::transfer::Verification;

impl RequestRules {
    /// Adds what a job on so many `stores` asks for once, which `begins` the sharing if no other job has.
    pub(in crate::verbs::send) fn share(&mut self, stores: u64, begins: bool) {
        let counts = &mut self.counts;
        counts.head += SHARE_HEADS;
        counts.list += SHARE_LISTS;
        if begins {
            // The files are read by one job, which has a lease for that, and then tells all others.
            counts.put += BEGIN_PUTS + 2 * stores;
            counts.get += BEGIN_GETS + BEGIN_STORE_GETS * stores;
            counts.list += BEGIN_LISTS + BEGIN_STORE_LISTS * stores;
            counts.delete += BEGIN_DELETES;
        }
    }

    /// Adds a part that is put on so many `stores`.
    pub(in crate::verbs::send) fn add_part(&mut self, plan: &Plan, stores: u64) {
        let counts = &mut self.counts;
        let objects = plan.objects(Phase::Transfer);
        // Each rank says in each store what it has put there.
        let units = plan.units.iter();
        let records = units.flat_map(|unit| {
            let stores = plan.arrays[unit.array].stores.iter();
            stores.map(move |store| (unit.owner, *store))
        });
        let records = records.collect::<BTreeSet<_>>().len() as u64;
        counts.put += objects + records + PART_PUTS;
        if self.verify == Verification::Full {
            counts.get += objects;
        }
        counts.get += PART_GETS + stores;
        counts.head += PART_HEADS;
        counts.list += PART_LISTS + 2 * stores;
        counts.delete += 1;
        self.is_needed = true;
    }

    /// Adds a commit of so many `parts` on so many `stores`, by the `plan` of a transaction whose data are put already.
    pub(in crate::verbs::send) fn add_commit(&mut self, plan: &Plan, stores: u64, parts: u64) {
        self.add(plan);
        let counts = &mut self.counts;
        counts.put += 2 * stores;
        counts.get += COMMIT_GETS + COMMIT_STORE_GETS * stores;
        counts.list += COMMIT_STORE_LISTS * stores;
        // The leases; and of each part, that it is done, who took it, and what was put.
        counts.delete += stores + parts * (2 + stores);
    }

    /// Adds what the job that commits the last part removes.
    pub(in crate::verbs::send) fn end_share(&mut self, stores: u64) {
        self.counts.delete += stores + 1;
    }
}

// What the log of a server shows, as in the file above.
const SHARE_HEADS: u64 = 2;
const SHARE_LISTS: u64 = 3;
// It is looked at what the server guarantees, once more.
const BEGIN_PUTS: u64 = 8;
const BEGIN_GETS: u64 = 7;
const BEGIN_STORE_GETS: u64 = 8;
const BEGIN_LISTS: u64 = 5;
const BEGIN_STORE_LISTS: u64 = 10;
const BEGIN_DELETES: u64 = 2;
// A lease, who takes it, and that it is done.
const PART_PUTS: u64 = 5;
const PART_GETS: u64 = 4;
const PART_HEADS: u64 = 5;
const PART_LISTS: u64 = 10;
const COMMIT_GETS: u64 = 3;
const COMMIT_STORE_GETS: u64 = 9;
const COMMIT_STORE_LISTS: u64 = 4;
