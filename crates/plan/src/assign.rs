//! Which rank does which unit: runs of neighbouring units that cost about the same, and a few that are moved to make it equal.

use std::collections::BTreeMap;
use std::ops::Range;

use msm_model::Archive;

use super::cost::UnitCosts;
use super::target::{Phase, Plan};

/// Shares that differ from the mean by less than one in so many are equal.
const EVEN: u64 = 50;

/// Gives each unit of the plan its owner. Neighbouring units share files and stored chunks, so each rank gets a run of
/// them, and units that follow another go with it; where runs are uneven, for units are few or large, single ones go from the rank with
/// the most to the one with the least. The units of the commit all go to rank 0. What is read is the `archive`, if that is source files.
pub(super) fn assign(plan: &mut Plan, archive: Option<&Archive>, ranks: usize) {
    if ranks < 2 {
        return;
    }
    let costs = UnitCosts { plan, archive };
    let shared = [Phase::Compare, Phase::Transfer];
    let shares = shared.map(|phase| {
        let is_member = |array: usize| plan.arrays[array].phase == phase;
        let members = plan
            .units
            .of_lattices(|units| !units.follows && is_member(units.array));
        let costs: Vec<u64> = members.map(|(_, unit)| costs.of(&unit)).collect();
        Shares::new(&costs, ranks)
    });
    let (mut owners, mut passed) = (Vec::new(), [0; 2]);
    for (number, array) in plan.units.leads() {
        let phase = shared
            .iter()
            .position(|phase| *phase == plan.arrays[array].phase);
        let owner = phase.map_or(0, |phase| {
            passed[phase] += 1;
            shares[phase].owner(passed[phase] - 1)
        });
        if owners.last().is_none_or(|(_, last)| *last != owner) {
            owners.push((number, owner));
        }
    }
    plan.units.set_owners(owners);
}

/// What each rank does of the units of one phase, by their places among these.
#[derive(Debug)]
struct Shares {
    /// By rank.
    runs: Vec<Range<usize>>,
    /// Units that are not of the rank in whose run they lie, but of this one.
    moved: BTreeMap<usize, usize>,
    /// By rank, what its units cost.
    costs: Vec<u64>,
}

impl Shares {
    /// Shares units of these `costs` out.
    fn new(costs: &[u64], ranks: usize) -> Self {
        let mut shares = Self {
            runs: vec![0..0; ranks],
            moved: BTreeMap::new(),
            costs: vec![0; ranks],
        };
        let total: u64 = costs.iter().sum::<u64>().max(1);
        let mut before = 0;
        for (unit, &cost) in costs.iter().enumerate() {
            // The rank in whose equal share the middle of this unit lies.
            let middle = u128::from(before) + u128::from(cost / 2);
            let owner = middle * ranks as u128 / u128::from(total);
            let owner = usize::try_from(owner).unwrap_or(usize::MAX).min(ranks - 1);
            let run = &mut shares.runs[owner];
            if run.end == 0 {
                run.start = unit;
            }
            run.end = unit + 1;
            shares.costs[owner] += cost;
            before += cost;
        }
        shares.even_out(costs);
        shares
    }

    /// Moves units from the rank with the most to the one with the least, as long as that makes the larger of both shares smaller.
    fn even_out(&mut self, costs: &[u64]) {
        let mean = self.costs.iter().sum::<u64>() / self.costs.len() as u64;
        for _ in costs {
            let by_cost = |&rank: &usize| (self.costs[rank], rank);
            let most = (0..self.costs.len()).max_by_key(by_cost);
            let least = (0..self.costs.len()).min_by_key(by_cost);
            let (Some(most), Some(least)) = (most, least) else {
                return;
            };
            let gap = self.costs[most] - self.costs[least];
            if self.costs[most] <= mean + mean / EVEN {
                return;
            }
            // The one that comes nearest to half of what lies between them.
            let movable = self
                .units(most)
                .filter(|&unit| (1..gap).contains(&costs[unit]));
            let Some(unit) = movable.min_by_key(|&unit| costs[unit].abs_diff(gap / 2)) else {
                return;
            };
            self.moved.insert(unit, least);
            self.costs[most] -= costs[unit];
            self.costs[least] += costs[unit];
        }
    }

    /// The units of `rank`.
    fn units(&self, rank: usize) -> impl Iterator<Item = usize> {
        let stay = self.runs[rank].clone();
        let stay = stay.filter(|unit| !self.moved.contains_key(unit));
        let moved = self.moved.iter().filter(move |(_, owner)| **owner == rank);
        stay.chain(moved.map(|(unit, _)| *unit))
    }

    /// The rank that does `unit`.
    fn owner(&self, unit: usize) -> usize {
        let of_run = || self.runs.iter().position(|run| run.contains(&unit));
        let moved = self.moved.get(&unit).copied();
        moved.or_else(of_run).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_unit_has_one_rank_and_no_share_is_far_above_the_mean(
            costs in proptest::collection::vec(0..1000u64, 0..200),
            ranks in 2..20usize,
        ) {
            let shares = Shares::new(&costs, ranks);
            let mut all: Vec<usize> = Vec::new();
            for rank in 0..ranks {
                let units: Vec<usize> = shares.units(rank).collect();
                prop_assert_eq!(shares.costs[rank], units.iter().map(|&unit| costs[unit]).sum::<u64>());
                prop_assert!(units.iter().all(|&unit| shares.owner(unit) == rank));
                all.extend(units);
            }
            all.sort_unstable();
            prop_assert_eq!(all, (0..costs.len()).collect::<Vec<_>>());
            let most = shares.costs.iter().copied().max().unwrap();
            let mean = costs.iter().sum::<u64>() / ranks as u64;
            let largest = costs.iter().copied().max().unwrap_or(0);
            prop_assert!(most <= mean + mean / EVEN + largest);
        }
    }

    #[test]
    fn sea_beside_land_is_shared_out_evenly() {
        // Three variables of which each deeper level has less sea.
        let costs = (0..3).flat_map(|_| (0..15).map(|level| 100 + 40 * (15 - level)));
        let costs: Vec<u64> = costs.collect();
        for ranks in [2, 4, 8] {
            let shares = Shares::new(&costs, ranks);
            let most = shares.costs.iter().copied().max().unwrap();
            let mean = costs.iter().sum::<u64>() / ranks as u64;
            assert!(10 * most <= 11 * mean, "{ranks} ranks: {most} of {mean}");
        }
    }
}
