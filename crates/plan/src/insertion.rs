//! Steps of a store that make room for others which are put between them, and of what its objects are made then.
//!
//! Key types: [`Move`]; [`MovedPiece`], what one object gets of another; [`MoveCost`].

use serde::{Deserialize, Serialize};

use super::draft::StoreRequest;
use super::error::PlanError;
use super::projected::foreign_projection;
use super::settings::Task;
use super::steps::StepPlacement;
use super::target::{Append, Plan, TargetArray};
use super::units::WorkUnit;
use msm_model::{Archive, list};
use msm_zarr::StoreSnapshot;

/// Neighbouring steps of a store that stay neighbours, but come to lie further back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The first of them, where it is before the transaction.
    pub from: u64,
    /// How many.
    pub count: u64,
    /// The first of them, where it is afterwards.
    pub at: u64,
}

/// Steps that an object gets of one which the store held before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MovedPiece {
    /// The place along the append dimension of the object that has them.
    pub chunk: u64,
    /// The first of them in that object.
    pub first: u64,
    /// How many.
    pub count: u64,
    /// The first of them in the object that gets them.
    pub at: u64,
}

/// What it takes to make room in stores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveCost {
    /// Steps that come to lie elsewhere, in the store where most do.
    pub steps: u64,
    /// Objects of the stores that are overwritten: each is copied into the ledger before.
    pub overwritten: u64,
    /// Objects that become what another one was, as a whole: copied inside the server.
    pub copied: u64,
    /// Objects that are encoded anew.
    pub encoded: u64,
}

/// How the steps of a store that has so many come to lie when those of the archive are `placed`, all of which are meant.
pub(super) fn moves(steps: u64, placed: &[StepPlacement]) -> Vec<Move> {
    let new = placed.iter().filter(|place| !place.stored);
    let mut new: Vec<u64> = new.map(|place| place.at).collect();
    new.sort_unstable();
    let mut moves = Vec::new();
    let mut from = 0;
    let ends = (0..).zip(&new).map(|(shift, at)| (shift, *at - shift));
    for (shift, end) in ends.chain([(new.len() as u64, steps)]) {
        let end = end.min(steps);
        if shift > 0 && from < end {
            moves.push(Move {
                from,
                count: end - from,
                at: from + shift,
            });
        }
        from = from.max(end);
    }
    moves
}

/// Checks that all that lies along the append dimension in `stored` is moved alike.
///
/// # Errors
/// If some of it has no values at some steps, or none to come.
pub(super) fn check_movable(
    request: &StoreRequest,
    stored: &StoreSnapshot,
    task: &Task,
    archive: &Archive,
) -> Result<(), PlanError> {
    if request.moves().is_empty() {
        return Ok(());
    }
    let refused = |why: String| {
        Err(PlanError::NotMovable {
            store: request.key.clone(),
            why,
        })
    };
    if task.goal.replaces() && request.placed.iter().any(|place| place.stored) {
        return refused(
            "the files have steps that it has, too, which --on-overlap replace would overwrite: use update for these"
                .to_owned(),
        );
    }
    if request.adds() {
        return refused(
            "it would get new arrays, too: add them with a send of their own, of steps that it has"
                .to_owned(),
        );
    }
    if !request.lacking.is_empty() {
        return refused(
            "some of its arrays have steps that were never sent to them: send those first"
                .to_owned(),
        );
    }
    let foreign = stored.arrays.iter().filter(|array| {
        array.dimensions.contains(&archive.append_dimension)
            && foreign_projection(array).is_some()
            && !request.names().any(|name| *name == array.name)
    });
    let foreign: Vec<&str> = foreign.map(|array| &array.name[..]).collect();
    if !foreign.is_empty() {
        return refused(format!(
            "another tool has reprojected its {}; remove them with delete --array, or replace them with -r first",
            list(foreign.into_iter())
        ));
    }
    Ok(())
}

impl Append {
    /// Are steps of the store moved?
    #[must_use]
    pub fn moves_steps(&self) -> bool {
        !self.moves.is_empty()
    }

    /// What is written, in the order of the array: the first of neighbouring steps, and how many.
    pub(super) fn written(&self) -> Vec<(u64, u64)> {
        let runs = self.runs.iter().map(|run| (run.at, run.count));
        let moves = self.moves.iter().map(|moved| (moved.at, moved.count));
        let mut written: Vec<(u64, u64)> = runs.chain(moves).collect();
        written.sort_unstable();
        written
    }

    /// Of what the object at `chunk` along the dimension, of `length` steps, is made, as far as the store has it: these lie in at
    /// most two objects.
    #[must_use]
    pub fn pieces(&self, chunk: u64, length: u64) -> Vec<MovedPiece> {
        let (start, end) = (chunk * length, (chunk + 1) * length);
        let stays = self.moves.first().map_or(self.old, |moved| moved.from);
        let first = Move {
            from: 0,
            count: stays,
            at: 0,
        };
        let ends = |moved: &Move| moved.at + moved.count;
        let behind = self.moves.partition_point(|moved| ends(moved) <= start);
        let moves = self.moves[behind..].iter();
        let moves = moves.take_while(|moved| moved.at < end);
        let mut pieces = Vec::new();
        for moved in [first].iter().chain(moves) {
            let mut at = moved.at.max(start);
            let last = (moved.at + moved.count).min(end);
            while at < last {
                let from = at - moved.at + moved.from;
                let count = (last - at).min(length - from % length);
                pieces.push(MovedPiece {
                    chunk: from / length,
                    first: from % length,
                    count,
                    at: at - start,
                });
                at += count;
            }
        }
        pieces
    }

    /// The place of the object, of `length` steps, that the one at `chunk` becomes as a whole, if it is such a one; the array then has
    /// so many `steps`.
    #[must_use]
    pub fn moved_whole(&self, chunk: u64, length: u64, steps: u64) -> Option<u64> {
        let [piece] = self.pieces(chunk, length)[..] else {
            return None;
        };
        let end = steps.saturating_sub(chunk * length).min(length);
        // Behind the end of the store, the object holds nothing.
        let held = self.old.saturating_sub(piece.chunk * length).min(length);
        let is_whole = piece.first == 0 && piece.at == 0 && piece.count == end && held == end;
        (is_whole && piece.chunk != chunk).then_some(piece.chunk)
    }
}

impl TargetArray {
    /// Are steps of the store moved in it?
    #[must_use]
    pub fn moves_steps(&self) -> bool {
        self.append.as_ref().is_some_and(Append::moves_steps)
    }

    /// The place of the object that the one at `chunk` becomes as a whole, if it is such a one.
    #[must_use]
    pub fn moved_whole(&self, chunk: &[u64]) -> Option<Vec<u64>> {
        let append = self.append.as_ref().filter(|a| a.moves_steps())?;
        let (axis, mut from) = (append.axis, chunk.to_vec());
        from[axis] = append.moved_whole(chunk[axis], self.chunk[axis], self.shape[axis])?;
        Some(from)
    }
}

impl WorkUnit {
    /// Along each dimension of an array of which steps are moved, the first and the end of the chunks of what the unit overwrites, and of what that
    /// is made of.
    #[must_use]
    pub fn moved_from(&self, array: &TargetArray) -> Vec<(u64, u64)> {
        let chunks = self.chunks.start.iter().zip(&self.chunks.count);
        let mut spans: Vec<(u64, u64)> = chunks
            .map(|(start, count)| (*start, start + count))
            .collect();
        if let Some(append) = &array.append {
            let span = &mut spans[append.axis];
            for chunk in span.0..span.1 {
                for piece in append.pieces(chunk, array.chunk[append.axis]) {
                    *span = (span.0.min(piece.chunk), span.1.max(piece.chunk + 1));
                }
            }
        }
        spans
    }
}

impl Plan {
    /// Are steps of a store moved?
    #[must_use]
    pub fn moves_steps(&self) -> bool {
        self.arrays.iter().any(TargetArray::moves_steps)
    }

    /// What that takes.
    #[must_use]
    pub fn move_cost(&self) -> MoveCost {
        let mut cost = MoveCost::default();
        for array in self.arrays.iter().filter(|array| array.moves_steps()) {
            let moves = array.append.iter().flat_map(|append| &append.moves);
            cost.steps = cost.steps.max(moves.map(|moved| moved.count).sum());
        }
        for unit in &self.units {
            let array = &self.arrays[unit.array];
            let (true, Some(append)) = (array.moves_steps(), &array.append) else {
                continue;
            };
            let (axis, length) = (append.axis, array.chunk[append.axis]);
            let first = unit.chunks.start[axis];
            let others = unit.chunks.len() / unit.chunks.count[axis].max(1);
            for chunk in first..first + unit.chunks.count[axis] {
                if chunk * length < append.old {
                    cost.overwritten += others;
                }
                match append.moved_whole(chunk, length, array.shape[axis]) {
                    Some(_) => cost.copied += others,
                    None => cost.encoded += others,
                }
            }
        }
        cost
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A store of so many steps, numbered from 0, into which others are put before these; what it is then.
    fn inserted(steps: u64, before: &[u64]) -> (Vec<Option<u64>>, Vec<StepPlacement>) {
        let (mut after, mut placed) = (Vec::new(), Vec::new());
        for step in 0..=steps {
            for _ in before.iter().filter(|at| **at == step) {
                placed.push(StepPlacement {
                    at: after.len() as u64,
                    stored: false,
                });
                after.push(None);
            }
            after.extend((step < steps).then_some(Some(step)));
        }
        (after, placed)
    }

    proptest! {
        #[test]
        fn each_step_comes_from_where_it_was(
            steps in 0..20u64, before in proptest::collection::vec(0..21u64, 0..8), length in 1..6u64,
        ) {
            let before: Vec<u64> = before.into_iter().map(|at| at.min(steps)).collect();
            let (after, placed) = inserted(steps, &before);
            let moves = moves(steps, &placed);
            let append = Append { axis: 0, old: steps, runs: Vec::new(), moves };
            let length_after = after.len() as u64;
            for chunk in 0..length_after.div_ceil(length) {
                let pieces = append.pieces(chunk, length);
                let mut objects: Vec<u64> = pieces.iter().map(|piece| piece.chunk).collect();
                objects.dedup();
                prop_assert!(objects.len() <= 2);
                let mut made = vec![None; usize::try_from(length).unwrap()];
                for piece in &pieces {
                    for i in 0..piece.count {
                        let at = usize::try_from(piece.at + i).unwrap();
                        prop_assert_eq!(made[at].replace(piece.chunk * length + piece.first + i), None);
                    }
                }
                let first = usize::try_from(chunk * length).unwrap();
                let end = after.len().min(first + made.len());
                prop_assert_eq!(&made[..end - first], &after[first..end]);
                if let Some(from) = append.moved_whole(chunk, length, length_after) {
                    // What lies beyond either end is fill.
                    let old = |i: u64| Some(from * length + i).filter(|step| *step < steps);
                    let whole: Vec<Option<u64>> = (0..length).map(old).collect();
                    prop_assert_eq!(made, whole);
                }
            }
        }
    }

    #[test]
    fn whole_objects_move_where_their_edges_meet() {
        let (_, placed) = inserted(6, &[2, 2]);
        let append = Append {
            axis: 0,
            old: 6,
            runs: Vec::new(),
            moves: moves(6, &placed),
        };
        assert_eq!(
            append.moves,
            [Move {
                from: 2,
                count: 4,
                at: 4
            }]
        );
        let of = |length: u64| -> Vec<Option<u64>> {
            let chunks = 0..8u64.div_ceil(length);
            chunks
                .map(|chunk| append.moved_whole(chunk, length, 8))
                .collect()
        };
        assert_eq!(of(1)[4..], [Some(2), Some(3), Some(4), Some(5)]);
        assert_eq!(of(2), [None, None, Some(1), Some(2)]);
        // The store's last one was not full, and the last one is not either.
        assert_eq!(of(3), [None, None, None]);
        assert_eq!(of(4), [None, None]);
    }
}
