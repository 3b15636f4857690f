//! Which rank does which unit: runs of neighbouring units, of about equal bytes.

use super::target::{Phase, Plan};
use super::units::WorkUnit;

/// Gives each unit of the plan its owner. Neighbouring units share files and stored chunks, so each rank gets a run of
/// them, and units that follow another go with it; the units of the commit all go to rank 0.
pub(super) fn assign(plan: &mut Plan, ranks: usize) {
    for phase in [Phase::Compare, Phase::Transfer] {
        let members: Vec<(usize, u64)> = (0..plan.units.len())
            .filter(|&i| plan.arrays[plan.units[i].array].phase == phase && !plan.units[i].follows)
            .map(|i| {
                let bytes = |unit: &WorkUnit| {
                    // What is compared with the first file is in no store.
                    let times = plan.arrays[unit.array].stores.len().max(1);
                    unit.bytes(plan) * times as u64
                };
                let unit = &plan.units[i];
                let followers = unit.followers.iter().map(|&f| bytes(&plan.units[f]));
                (i, bytes(unit) + followers.sum::<u64>())
            })
            .collect();
        let total: u64 = members.iter().map(|m| m.1).sum::<u64>().max(1);
        let mut before = 0;
        for (unit, bytes) in members {
            // The rank in whose equal share the middle of this unit lies.
            let middle = u128::from(before) + u128::from(bytes / 2);
            let owner = middle * ranks as u128 / u128::from(total);
            let owner = usize::try_from(owner).unwrap_or(usize::MAX).min(ranks - 1);
            plan.units[unit].owner = owner;
            for follower in plan.units[unit].followers.clone() {
                plan.units[follower].owner = owner;
            }
            before += bytes;
        }
    }
}
