//! Properties of plans that put steps between those of a store.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::tests::{Case, archive, cases, request, settings, stored};
use super::*;
use msm_model::{Number, Step};

/// The plan that puts the archive's steps of `case` before step `at` of the store, which has some behind it.
fn inserted(case: &Case, at: u64) -> Plan {
    let archive = archive(case);
    let mut stored = stored(case, &archive).unwrap();
    let step = |index: u64| if index < at { index } else { index + 1000 };
    stored.steps = (0..case.old)
        .map(|index| Step::Number(Number::UInt(step(index))))
        .collect();
    let mut request = request("p/v.zarr", None, &archive);
    let files = FileSteps::all(&archive, &request.members);
    let placed = place(
        &request.key,
        &stored.steps,
        &files,
        Overlap::AllOrNothing,
        MissingSteps::Insert,
    );
    request.placed = placed.unwrap();
    request.stored = Some(stored);
    let settings = settings(case, ChunkStrategy::default(), 1 << 30);
    plan(&archive, &[request], &settings).unwrap()
}

fn moving() -> impl Strategy<Value = (Case, u64)> {
    let moving = (cases(), 0..8u64).prop_map(|(case, at)| {
        let case = Case {
            replaced: Vec::new(),
            old: case.old.max(1),
            // What the store has lies before and behind.
            ..case
        };
        let at = at % case.old;
        (case, at)
    });
    moving.prop_filter("new steps come behind those before them", |(case, at)| {
        // The files' steps count on from what the store has.
        *at < case.old
    })
}

proptest! {
    #[test]
    fn all_that_lies_behind_is_written_once_and_units_move_whole_objects_or_none(
        (case, at) in moving(),
    ) {
        let plan = inserted(&case, at);
        let steps: u64 = case.files.iter().sum();
        prop_assert!(plan.moves_steps() && !plan.only_adds_to(0));
        for (index, array) in plan.arrays.iter().enumerate().filter(|(_, a)| a.append.is_some()) {
            let append = array.append.as_ref().unwrap();
            let (axis, length) = (append.axis, array.chunk[append.axis]);
            prop_assert_eq!(array.shape[axis], case.old + steps);
            let mut owners = BTreeMap::new();
            for unit in plan.units.iter().filter(|unit| unit.array == index) {
                let objects = unit.objects(array);
                let whole: Vec<bool> = objects.iter().map(|o| array.moved_whole(&o.chunk).is_some()).collect();
                prop_assert!(whole.iter().all(|one| *one == whole[0]));
                // Those that are moved as a whole hold nothing of the files.
                prop_assert!(!whole[0] || unit.parts(array).is_empty());
                prop_assert!(unit.memory(&plan) >= 3 * unit.bytes(&plan) + array.object_bytes());
                let from = unit.moved_from(array);
                for object in objects {
                    for piece in append.pieces(object.chunk[axis], length) {
                        prop_assert!((from[axis].0..from[axis].1).contains(&piece.chunk));
                    }
                    prop_assert!(owners.insert(object.chunk, unit.owner).is_none(), "two units own one object");
                }
            }
            let along: std::collections::BTreeSet<u64> = owners.keys().map(|chunk| chunk[axis]).collect();
            let expected: Vec<u64> = (at / length..(case.old + steps).div_ceil(length)).collect();
            prop_assert_eq!(along.into_iter().collect::<Vec<_>>(), expected);
        }
        let cost = plan.move_cost();
        prop_assert_eq!(cost.steps, case.old - at);
    }
}
