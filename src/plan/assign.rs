//! Which rank does which unit: runs of neighbouring units, of about equal bytes.

use super::target::{Phase, Plan};

/// Gives each unit of the plan its owner. Neighbouring units share files and stored chunks, so each rank gets a run of
/// them; the units of the commit all go to rank 0.
pub(super) fn assign(plan: &mut Plan, ranks: usize) {
    for phase in [Phase::Compare, Phase::Transfer] {
        let members: Vec<(usize, u64)> = (0..plan.units.len())
            .filter(|&i| plan.arrays[plan.units[i].array].phase == phase)
            .map(|i| {
                // What is compared with the first file is in no store.
                let times = plan.arrays[plan.units[i].array].stores.len().max(1);
                (i, plan.units[i].bytes(plan) * times as u64)
            })
            .collect();
        let total: u64 = members.iter().map(|m| m.1).sum::<u64>().max(1);
        let mut before = 0;
        for (unit, bytes) in members {
            // The rank in whose equal share the middle of this unit lies.
            let middle = u128::from(before) + u128::from(bytes / 2);
            let owner = middle * ranks as u128 / u128::from(total);
            plan.units[unit].owner = usize::try_from(owner).unwrap_or(usize::MAX).min(ranks - 1);
            before += bytes;
        }
    }
}
