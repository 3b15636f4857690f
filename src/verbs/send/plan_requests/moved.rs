//! What it takes beside other requests to let steps of a store make room for inserted ones.

use msm_plan::{Append, Phase, Plan, TargetArray, WorkUnit};

use super::RequestRules;
use crate::transfer::Verification;

impl RequestRules {
    /// Adds what a transaction, which was added, asks for where it moves steps.
    pub(in crate::verbs::send) fn add_moves(&mut self, plan: &Plan) {
        for unit in &plan.units {
            let array = &plan.arrays[unit.array];
            if array.phase == Phase::Compare || !array.moves_steps() {
                continue;
            }
            let Some(append) = &array.append else {
                continue;
            };
            let Moved { read, whole } = moved(&unit, array, append);
            let counts = &mut self.counts;
            counts.get += read;
            // It is a copy of another object, and always read back.
            counts.put = counts.put.saturating_sub(whole);
            counts.copy += whole;
            counts.head += 2 * whole;
            if self.verify != Verification::Full {
                counts.get += whole;
            }
        }
    }
}

/// Objects that the steps of a unit come from.
struct Moved {
    /// Copies in the ledger that are read, to be put together.
    read: u64,
    /// Objects that become what another one was.
    whole: u64,
}

fn moved(unit: &WorkUnit, array: &TargetArray, append: &Append) -> Moved {
    let (axis, chunks) = (append.axis, &unit.chunks);
    let side_by_side = chunks.count.iter().enumerate();
    let side_by_side = side_by_side.filter(|(dimension, _)| *dimension != axis);
    let others = side_by_side.map(|(_, count)| *count).product::<u64>();
    let (length, steps) = (array.chunk[axis], array.shape[axis]);
    let mut moved = Moved { read: 0, whole: 0 };
    for chunk in chunks.start[axis]..chunks.start[axis] + chunks.count[axis] {
        let pieces = append.pieces(chunk, length);
        let mut from: Vec<u64> = pieces.iter().map(|piece| piece.chunk).collect();
        from.dedup();
        moved.read += from.len() as u64 * others;
        if append.moved_whole(chunk, length, steps).is_some() {
            moved.whole += others;
        }
    }
    moved
}
