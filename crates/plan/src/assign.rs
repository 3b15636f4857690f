//! Which rank does which unit: runs of neighbouring units that cost about the same, and a few that are moved to make it equal.

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
    for phase in [Phase::Compare, Phase::Transfer] {
        let costs = UnitCosts { plan, archive };
        let members: Vec<(usize, u64)> = (0..plan.units.len())
            .filter(|&i| plan.arrays[plan.units[i].array].phase == phase && !plan.units[i].follows)
            .map(|i| (i, costs.of(&plan.units[i])))
            .collect();
        let mut shares = runs(&members, ranks);
        even_out(&mut shares);
        for (owner, share) in shares.into_iter().enumerate() {
            for (unit, _) in share.units {
                plan.units[unit].owner = owner;
                for follower in plan.units[unit].followers.clone() {
                    plan.units[follower].owner = owner;
                }
            }
        }
    }
}

/// What one rank does.
#[derive(Clone, Debug, Default)]
struct Share {
    /// Units with what they cost.
    units: Vec<(usize, u64)>,
    cost: u64,
}

/// Runs of the units, one a rank.
fn runs(members: &[(usize, u64)], ranks: usize) -> Vec<Share> {
    let total: u64 = members.iter().map(|m| m.1).sum::<u64>().max(1);
    let mut shares = vec![Share::default(); ranks];
    let mut before = 0;
    for &(unit, cost) in members {
        // The rank in whose equal share the middle of this unit lies.
        let middle = u128::from(before) + u128::from(cost / 2);
        let owner = middle * ranks as u128 / u128::from(total);
        let owner = usize::try_from(owner).unwrap_or(usize::MAX).min(ranks - 1);
        shares[owner].units.push((unit, cost));
        shares[owner].cost += cost;
        before += cost;
    }
    shares
}

/// Moves units from the rank with the most to the one with the least, as long as that makes the larger of both shares smaller.
fn even_out(shares: &mut [Share]) {
    let total: u64 = shares.iter().map(|share| share.cost).sum();
    let mean = total / shares.len() as u64;
    let units: usize = shares.iter().map(|share| share.units.len()).sum();
    for _ in 0..units {
        let by_cost = |&rank: &usize| (shares[rank].cost, rank);
        let most = (0..shares.len()).max_by_key(by_cost);
        let least = (0..shares.len()).min_by_key(by_cost);
        let (Some(most), Some(least)) = (most, least) else {
            return;
        };
        let gap = shares[most].cost - shares[least].cost;
        if shares[most].cost <= mean + mean / EVEN {
            return;
        }
        // The one that comes nearest to half of what lies between them.
        let movable = shares[most].units.iter().enumerate();
        let movable = movable.filter(|(_, (_, cost))| (1..gap).contains(cost));
        let Some((at, _)) = movable.min_by_key(|(_, (_, cost))| cost.abs_diff(gap / 2)) else {
            return;
        };
        let (unit, cost) = shares[most].units.remove(at);
        shares[most].cost -= cost;
        shares[least].units.push((unit, cost));
        shares[least].cost += cost;
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
            let members: Vec<(usize, u64)> = costs.iter().copied().enumerate().collect();
            let mut shares = runs(&members, ranks);
            even_out(&mut shares);
            let mut units: Vec<usize> = shares.iter().flat_map(|s| s.units.iter().map(|u| u.0)).collect();
            units.sort_unstable();
            prop_assert_eq!(units, (0..costs.len()).collect::<Vec<_>>());
            let most = shares.iter().map(|share| share.cost).max().unwrap();
            let mean = costs.iter().sum::<u64>() / ranks as u64;
            let largest = costs.iter().copied().max().unwrap_or(0);
            prop_assert!(most <= mean + mean / EVEN + largest);
            for share in &shares {
                prop_assert_eq!(share.cost, share.units.iter().map(|u| u.1).sum::<u64>());
            }
        }
    }

    #[test]
    fn sea_beside_land_is_shared_out_evenly() {
        // Three variables of which each deeper level has less sea.
        let costs = (0..3).flat_map(|_| (0..15).map(|level| 100 + 40 * (15 - level)));
        let members: Vec<(usize, u64)> = costs.enumerate().collect();
        for ranks in [2, 4, 8] {
            let mut shares = runs(&members, ranks);
            even_out(&mut shares);
            let most = shares.iter().map(|share| share.cost).max().unwrap();
            let mean = members.iter().map(|m| m.1).sum::<u64>() / ranks as u64;
            assert!(10 * most <= 11 * mean, "{ranks} ranks: {most} of {mean}");
        }
    }
}
