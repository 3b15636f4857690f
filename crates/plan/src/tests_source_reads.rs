//! Properties of what plans read of files: what is counted by ranges is what a count of each chunk finds.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::tests::{Case, archive, cases, indices, request, settings, stored};
use super::*;

proptest! {
    #[test]
    fn reads_are_those_of_a_count(case in cases()) {
        let archive = archive(&case);
        let names = ["time", "d0", "d1", "d2"].map(str::to_owned);
        let strategy = ChunkStrategy(names.into_iter().zip(case.chunk.clone()).collect());
        let strategy = if case.old == 0 { strategy } else { ChunkStrategy::default() };
        let wanted = request("p/v.zarr", stored(&case, &archive), &archive);
        let plan = plan(&archive, &[wanted], &settings(&case, strategy, 1 << 30)).unwrap();
        for (index, reads) in source_reads(&plan, &archive).into_iter().enumerate() {
            let array = &plan.arrays[index];
            let chunked = case.stored.clone().filter(|chunk| chunk.len() == array.shape.len());
            let chunk = chunked.clone().unwrap_or_else(|| vec![1; array.shape.len()]);
            let (mut values, mut inflated) = (0, 0);
            let mut chunks: BTreeMap<(usize, Vec<u64>), u64> = BTreeMap::new();
            for unit in plan.units.iter().filter(|unit| unit.array == index) {
                for part in unit.parts(array) {
                    let mut of_part = BTreeSet::new();
                    for place in indices(&part.in_file) {
                        values += 1;
                        let at: Vec<u64> = place.iter().zip(&chunk).map(|(at, length)| at / length).collect();
                        of_part.insert((part.file, at));
                    }
                    inflated += of_part.len() as u64;
                    for one in of_part {
                        *chunks.entry(one).or_default() += 1;
                    }
                }
            }
            let bytes = chunk.iter().product::<u64>() * 4;
            prop_assert_eq!(reads.wanted, values * 4);
            prop_assert_eq!(reads.inflated, inflated * bytes);
            prop_assert_eq!(reads.stored, chunks.len() as u64 * bytes);
            prop_assert!(reads.factor() >= 1.0);
        }
    }
}

/// Chunks of 3 across stored ones of 4: where there is no room for all of them at a time, each is read by itself.
#[test]
fn what_is_cut_across_is_inflated_again() {
    const MANY: u64 = 1 << 14;
    let case = Case {
        others: vec![12 * MANY],
        stored: Some(vec![1, 4 * MANY]),
        chunk: vec![1, 3 * MANY],
        old: 0,
        files: vec![2],
        replaced: Vec::new(),
        ranks: 1,
    };
    let archive = archive(&case);
    let factor = |memory| {
        let sizes = [("time".to_owned(), 1), ("d0".to_owned(), 3 * MANY)];
        let wanted = StoreRequest {
            members: ["v", "time"].map(str::to_owned).to_vec(),
            ..request("p/v.zarr", None, &archive)
        };
        let settings = settings(&case, ChunkStrategy(sizes.into()), memory);
        let plan = plan(&archive, &[wanted], &settings).unwrap();
        let index = plan.arrays.iter().position(|array| array.name == "v");
        source_reads(&plan, &archive)[index.unwrap()].factor()
    };
    assert!((factor(1 << 30) - 1.0).abs() < 1e-9);
    // What decodes, and one object.
    let least = 4 * (4 * MANY * 4) + 700_000;
    assert!((factor(least) - 2.0).abs() < 1e-9, "{}", factor(least));
}
