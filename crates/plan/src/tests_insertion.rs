//! Properties of plans that put steps between those of a store.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::tests::{Case, archive, cases, request, settings, stored};
use super::*;
use msm_model::{Archive, Number, Step};

/// What puts the archive's steps of `case` before step `at` of the store, which has some behind it.
fn insertion(case: &Case, at: u64) -> (StoreRequest, Archive) {
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
    (request, archive)
}

fn inserted(case: &Case, at: u64) -> Plan {
    let (request, archive) = insertion(case, at);
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

/// The steps that the store has and those that it gets, each once: how many, the first, and the last.
fn united(request: &StoreRequest, archive: &Archive) -> Option<(u64, [Step; 2])> {
    let stored = request.stored.iter().flat_map(|stored| &stored.steps);
    let mut all: Vec<Step> = stored.copied().chain(archive.steps()).collect();
    all.sort_by(|a, b| a.compare(*b).unwrap());
    all.dedup();
    Some((all.len() as u64, [*all.first()?, *all.last()?]))
}

proptest! {
    #[test]
    fn what_a_store_has_afterwards_is_known_before(case in cases(), (moving, at) in moving()) {
        let (inserted, of_these) = insertion(&moving, at);
        prop_assert_eq!(inserted.steps_after(&of_these), united(&inserted, &of_these));
        let archive = archive(&case);
        let mut appended = request("p/v.zarr", stored(&case, &archive), &archive);
        let all = united(&appended, &archive);
        prop_assert_eq!(appended.steps_after(&archive), all);
        // What is of a later part is not seen yet.
        appended.scope = Scope::Before(case.old + 1);
        let seen = appended.steps_after(&archive).unwrap();
        prop_assert_eq!(seen.0, case.old + 1);
        prop_assert_eq!(seen.1, [Step::Number(Number::UInt(0)), Step::Number(Number::UInt(case.old))]);
    }

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
