//! Properties of an archive in parts: they cover it, no object is in two of them, and what a commit makes visible is what they have put.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::tests::{Case, archive, cases, request, settings, stored};
use super::*;

/// The objects of the array `v` that `plan` writes.
fn objects(plan: &Plan) -> Vec<Vec<u64>> {
    let units = plan.units.iter();
    let units = units.filter(|unit| plan.arrays[unit.array].name == "v");
    let objects = units.flat_map(|unit| unit.objects(&plan.arrays[unit.array]));
    objects.map(|object| object.chunk).collect()
}

/// One that overwrites nothing.
fn appending(case: Case) -> Case {
    Case {
        replaced: Vec::new(),
        ..case
    }
}

proptest! {
    #[test]
    fn parts_are_the_archive_and_share_no_object(case in cases().prop_map(appending)) {
        let archive = archive(&case);
        let strategy = ChunkStrategy([("time".to_owned(), case.chunk[0])].into_iter().collect());
        let strategy = if case.old == 0 { strategy } else { ChunkStrategy::default() };
        let settings = settings(&case, strategy, 1 << 30);
        let whole = request("p/v.zarr", stored(&case, &archive), &archive);
        let found = parts(&archive, std::slice::from_ref(&whole), &settings).unwrap();
        prop_assert!(found.are_sound());
        prop_assert_eq!((found.first, found.steps), (0, case.files.iter().sum::<u64>()));
        let scoped = |scope: Scope| StoreRequest { scope, ..whole.clone() };
        let planned = plan(&archive, &[scoped(Scope::All)], &settings).unwrap();
        let all: BTreeSet<Vec<u64>> = objects(&planned).into_iter().collect();
        let length = planned.arrays.iter().find(|array| array.name == "v").unwrap().chunk[0];
        // What lies in chunks that the store holds steps of, the first commit writes.
        let behind = |chunk: &Vec<u64>| chunk[0] >= case.old.div_ceil(length);
        let mut put: BTreeSet<Vec<u64>> = all.iter().filter(|chunk| !behind(chunk)).cloned().collect();
        for number in 0..found.len() {
            let steps = found.steps_of(number);
            // Each ends with a file, or a chunk.
            let ends = case.files.iter().scan(0, |end, length| { *end += length; Some(*end) });
            let is_end = ends.into_iter().any(|end| end == steps.end);
            prop_assert!(is_end || (case.old + steps.end).is_multiple_of(length));
            let of_part = part_plan(&archive, &[scoped(found.scope("p/v.zarr", &steps))], &settings).unwrap();
            let only_growing = of_part.arrays.iter().all(|array| array.append.is_some());
            prop_assert!(only_growing);
            for chunk in objects(&of_part) {
                prop_assert!(put.insert(chunk), "an object of two parts");
            }
            let end = found.store("p/v.zarr").unwrap().place(steps.end);
            let commit = plan(&archive, &[scoped(Scope::Before(end))], &settings).unwrap();
            let seen: BTreeSet<Vec<u64>> = objects(&commit).into_iter().collect();
            prop_assert_eq!(&seen, &put);
            let array = commit.arrays.iter().find(|array| array.name == "v").unwrap();
            prop_assert_eq!(array.shape[0], end);
        }
        prop_assert_eq!(put, all);
    }
}
