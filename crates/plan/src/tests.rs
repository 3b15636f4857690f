//! Properties of any plan: one owner an object, exactly the region to write, memory within the budget.

use std::collections::BTreeMap;
use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::json;

use super::attributes::attributes_of;
use super::*;
use msm_model::{
    Archive, Attribute, Axis, BorrowedCoordinates, Catalogue, DType, Hyperslab, Number, Problems,
    SourceFile, Step, Variable, VariableType,
};
use msm_zarr::{Codec, StoreSnapshot, StoredArray, Version, document};

/// A variable `v` of shape `[time, …others]`, in files of so many steps, to append to a store that has `old` steps.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) others: Vec<u64>,
    pub(super) stored: Option<Vec<u64>>,
    pub(super) chunk: Vec<u64>,
    pub(super) old: u64,
    pub(super) files: Vec<u64>,
    /// Which of the store's steps are overwritten, from the first file.
    pub(super) replaced: Vec<bool>,
    pub(super) ranks: usize,
}

impl Case {
    pub(super) fn replaced(&self) -> impl Iterator<Item = u64> + '_ {
        (0..self.old)
            .filter(|&step| self.replaced.get(usize::try_from(step).unwrap()) == Some(&true))
    }
}

pub(super) fn cases() -> impl Strategy<Value = Case> {
    (1..4usize).prop_flat_map(|dims| {
        let sizes = proptest::collection::vec(1..9u64, dims);
        let stored = proptest::option::of(proptest::collection::vec(1..9u64, dims + 1));
        let chunk = proptest::collection::vec(1..6u64, dims + 1);
        let files = proptest::collection::vec(1..5u64, 1..4);
        let replaced = proptest::collection::vec(any::<bool>(), 8);
        (sizes, stored, chunk, 0..8u64, files, replaced, 1..6usize).prop_map(
            |(others, stored, chunk, old, files, replaced, ranks)| Case {
                others,
                stored,
                chunk,
                old,
                files,
                replaced,
                ranks,
            },
        )
    })
}

fn dimensions(case: &Case) -> Vec<String> {
    let others = (0..case.others.len()).map(|d| format!("d{d}"));
    std::iter::once("time".to_owned()).chain(others).collect()
}

pub(super) fn archive(case: &Case) -> Archive {
    let mut first = case.old;
    let mut files = Vec::new();
    for (i, &new) in case.files.iter().enumerate() {
        let mut values: Vec<u64> = (first..first + new).collect();
        if i == 0 {
            values.splice(..0, case.replaced());
        }
        let steps = values.len() as u64;
        let variable = |name: &str, dimensions: Vec<String>, shape: Vec<u64>| Variable {
            name: name.to_owned(),
            kind: VariableType::Number(DType::F32),
            stored_chunks: case.stored.clone().filter(|s| s.len() == shape.len()),
            dimensions,
            shape,
            attributes: vec![("units".to_owned(), Attribute::Text("m".to_owned()))],
        };
        let shape = [&[steps][..], &case.others].concat();
        files.push(SourceFile {
            catalogue: Catalogue {
                path: PathBuf::from(format!("{i}.nc")),
                dimensions: dimensions(case).into_iter().zip(shape.clone()).collect(),
                variables: vec![
                    variable("v", dimensions(case), shape),
                    variable("time", vec!["time".to_owned()], vec![steps]),
                    variable("e", dimensions(case)[1..].to_vec(), case.others.clone()),
                ],
                ..Catalogue::default()
            },
            axis: Axis {
                variable: "time".to_owned(),
                steps: values
                    .into_iter()
                    .map(|v| Step::Number(Number::UInt(v)))
                    .collect(),
                ..Axis::default()
            },
            others: Vec::new(),
        });
        first += new;
    }
    Archive {
        catalogue: files[0].catalogue.clone(),
        files,
        append_dimension: "time".to_owned(),
        axis: "time".to_owned(),
        borrowed: BorrowedCoordinates::default(),
    }
}

/// The store that `old` steps of the same variables have made, with the chunks of the case.
pub(super) fn stored(case: &Case, archive: &Archive) -> Option<StoreSnapshot> {
    (case.old > 0).then(|| StoreSnapshot {
        version: Version::V3,
        root: "{}".to_owned(),
        nested: None,
        arrays: archive
            .catalogue
            .variables
            .iter()
            .map(|variable| {
                let mut shape = variable.shape.clone();
                let chunk = if variable.name == "v" {
                    case.chunk.clone()
                } else {
                    vec![4; shape.len()]
                };
                if variable.dimensions[0] == "time" {
                    shape[0] = case.old;
                }
                let array = document::NewArray {
                    variable,
                    dtype: DType::F32,
                    shape: &shape,
                    chunk: &chunk,
                    inner: None,
                    fill: &[0; 4],
                };
                let attributes = attributes_of(variable, DType::F32);
                StoredArray {
                    name: variable.name.clone(),
                    document: document::new_array(Version::V3, &array, &attributes, &Codec::None),
                    dtype: Ok(DType::F32),
                    fill: vec![0; 4],
                    shape,
                    chunk,
                    inner: None,
                    dimensions: variable.dimensions.clone(),
                    attributes,
                }
            })
            .collect(),
        bounds: Vec::new(),
        steps: (0..case.old)
            .map(|v| Step::Number(Number::UInt(v)))
            .collect(),
    })
}

fn planned(case: &Case, memory: u64) -> Result<Plan, Problems<PlanError>> {
    planned_by(plan, case, memory)
}

type Planner = fn(&Archive, &[StoreRequest], &PlanSettings) -> Result<Plan, Problems<PlanError>>;

fn planned_by(plan: Planner, case: &Case, memory: u64) -> Result<Plan, Problems<PlanError>> {
    let archive = archive(case);
    let strategy = if case.old == 0 {
        ChunkStrategy(
            dimensions(case)
                .into_iter()
                .zip(case.chunk.clone())
                .collect(),
        )
    } else {
        ChunkStrategy::default()
    };
    let request = request("p/v.zarr", stored(case, &archive), &archive);
    plan(&archive, &[request], &settings(case, strategy, memory))
}

pub(super) fn request(key: &str, stored: Option<StoreSnapshot>, archive: &Archive) -> StoreRequest {
    let there = stored.as_ref().map_or(&[][..], |s| &s.steps);
    let members = ["v", "time", "e"].map(str::to_owned).to_vec();
    let placed = place(
        key,
        there,
        &FileSteps::all(archive, &members),
        Overlap::Replace,
        MissingSteps::Append,
    )
    .unwrap();
    StoreRequest {
        key: key.to_owned(),
        mains: vec!["v".to_owned()],
        members,
        without: Vec::new(),
        repairs: false,
        added: Vec::new(),
        lacking: LackingSteps::default(),
        stored,
        placed,
        scope: Scope::All,
    }
}

pub(super) fn settings(case: &Case, strategy: ChunkStrategy, memory: u64) -> PlanSettings {
    PlanSettings {
        task: Task {
            goal: SENDING,
            attributes: serde_json::Map::new(),
            repair_attributes: false,
            tolerance: 0.0,
        },
        arrays: NewArrays {
            chunks: strategy,
            codec: Some(Codec::None),
            ..NewArrays::default()
        },
        resources: Resources {
            ranks: case.ranks,
            memory,
            threads: 2,
        },
        projections: Projections::default(),
    }
}

/// Steps are overwritten, variables are not added.
const SENDING: Goal = Goal::Send {
    replace: true,
    add_variables: false,
};

/// What the unit writes, in the array's index space.
fn regions(unit: &WorkUnit, array: &TargetArray) -> Vec<Hyperslab> {
    unit.parts(array)
        .into_iter()
        .map(|part| part.in_array)
        .collect()
}

/// Every index of a box.
pub(super) fn indices(slab: &Hyperslab) -> Vec<Vec<u64>> {
    let mut all = vec![Vec::new()];
    for (&start, &count) in slab.start.iter().zip(&slab.count) {
        let extend =
            |prefix: Vec<u64>| (start..start + count).map(move |i| [&prefix[..], &[i]].concat());
        all = all.into_iter().flat_map(extend).collect();
    }
    all
}

proptest! {
    #[test]
    fn every_object_has_one_owner_and_the_units_cover_the_region(case in cases()) {
        let plan = planned(&case, 1 << 30).unwrap();
        let steps: u64 = case.files.iter().sum();
        for (index, array) in plan.arrays.iter().enumerate().filter(|(_, a)| a.phase != Phase::Compare) {
            let mut owners = BTreeMap::new();
            let mut written: BTreeMap<Vec<u64>, u32> = BTreeMap::new();
            for unit in plan.units.iter().filter(|u| u.array == index) {
                prop_assert!(unit.owner < case.ranks);
                prop_assert!(array.phase != Phase::Commit || unit.owner == 0);
                for object in unit.objects(array) {
                    prop_assert!(owners.insert(object.chunk.clone(), unit.owner).is_none(), "two units own one object");
                    // Within the array, and with something new in it.
                    prop_assert!(regions(&unit, array).iter().any(|part| object.slab.intersect(part).is_some()));
                }
                for position in regions(&unit, array).iter().flat_map(indices) {
                    *written.entry(position).or_default() += 1;
                }
            }
            let whole = Hyperslab { start: vec![0; array.shape.len()], count: array.shape.clone() };
            let mut expected: BTreeMap<Vec<u64>, u32> = indices(&whole).into_iter().map(|p| (p, 1)).collect();
            if let Some(append) = &array.append {
                prop_assert_eq!(array.shape[append.axis], case.old + steps);
                let replaced: Vec<u64> = case.replaced().collect();
                expected.retain(|p, _| p[append.axis] >= case.old || replaced.contains(&p[append.axis]));
            }
            prop_assert_eq!(written, expected);
        }
    }

    #[test]
    fn static_arrays_are_compared_with_the_store_or_with_the_first_file(case in cases()) {
        let plan = planned_by(comparison, &case, 1 << 30).unwrap();
        let compared: BTreeMap<usize, u64> = plan.units.iter()
            .filter(|u| plan.arrays[u.array].phase == Phase::Compare)
            .fold(BTreeMap::new(), |mut files, unit| {
                *files.entry(unit.file).or_default() += regions(&unit, &plan.arrays[unit.array])[0].len();
                files
            });
        let values: u64 = case.others.iter().product();
        let first = usize::from(case.old == 0);
        let expected: BTreeMap<usize, u64> = (first..case.files.len()).map(|file| (file, values)).collect();
        prop_assert_eq!(compared, expected);
    }

    #[test]
    fn all_that_files_hold_is_compared_once(case in cases().prop_filter("a store", |case| case.old > 0)) {
        let plan = planned_by(against, &case, 1 << 30).unwrap();
        let steps = case.files.iter().sum::<u64>() + case.replaced().count() as u64;
        let values: u64 = case.others.iter().product();
        prop_assert_eq!(plan.arrays.len(), 3);
        for (index, array) in plan.arrays.iter().enumerate() {
            prop_assert_eq!(array.phase, Phase::Compare);
            let units = plan.units.iter().filter(|u| u.array == index);
            let parts: Vec<UnitPart> = units.flat_map(|unit| unit.parts(array)).collect();
            let mut compared: Vec<(usize, Vec<u64>)> = parts.iter()
                .flat_map(|part| indices(&part.in_array).into_iter().map(|position| (part.file, position)))
                .collect();
            let count = compared.len();
            compared.sort_unstable();
            compared.dedup();
            prop_assert_eq!(compared.len(), count);
            let expected = match array.name.as_str() {
                "v" => steps * values,
                "time" => steps,
                _ => values * case.files.len() as u64,
            };
            prop_assert_eq!(count as u64, expected);
        }
    }

    #[test]
    fn an_array_gets_the_steps_that_it_lacks_and_no_others_again(
        case in cases().prop_filter("a store", |case| case.old > 0),
        lacks in proptest::collection::vec(any::<bool>(), 8),
    ) {
        let archive = archive(&case);
        let mut stored = stored(&case, &archive).unwrap();
        let lacking: Vec<u64> = (0..case.old).filter(|&at| lacks[usize::try_from(at).unwrap()]).collect();
        let text = |steps: &[u64]| steps.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        if !lacking.is_empty() {
            let v = stored.arrays.iter_mut().find(|a| a.name == "v").unwrap();
            v.attributes.insert(LACKING.to_owned(), json!(text(&lacking)));
            v.document["attributes"][LACKING] = json!(text(&lacking));
        }
        let mut request = request("p/v.zarr", Some(stored), &archive);
        request.lacking = LackingSteps::of("p/v.zarr", request.stored.as_ref()).unwrap();
        let mut settings = settings(&case, ChunkStrategy::default(), 1 << 30);
        settings.task.goal = Goal::Send { replace: false, add_variables: false };
        let sent: Vec<u64> = request.placed.iter().map(|place| place.at).collect();
        let written: Vec<u64> = sent.iter().copied().filter(|at| *at >= case.old || lacking.contains(at)).collect();
        prop_assert!(!written.is_empty());
        prop_assert!(!request.only_compares(&settings.task));
        let plan = plan(&archive, &[request], &settings).unwrap();
        for array in plan.arrays.iter().filter(|array| array.append.is_some()) {
            let runs = &array.append.as_ref().unwrap().runs;
            let found: Vec<u64> = runs.iter().flat_map(|run| run.at..run.at + run.count).collect();
            let mut expected = written.clone();
            if array.name == "time" {
                expected.retain(|at| *at >= case.old);
            } else {
                let document: serde_json::Value = serde_json::from_str(&array.document).unwrap();
                let left = document["attributes"].get(LACKING).map_or("", |text| text.as_str().unwrap());
                let left: Vec<u64> = left.split(", ").filter(|word| !word.is_empty()).flat_map(|word| {
                    let (first, last) = word.split_once('-').unwrap_or((word, word));
                    first.parse::<u64>().unwrap()..=last.parse().unwrap()
                }).collect();
                let kept: Vec<u64> = lacking.iter().copied().filter(|at| !sent.contains(at)).collect();
                prop_assert_eq!(left, kept);
            }
            expected.sort_unstable();
            prop_assert_eq!(found, expected, "{}", array.name);
        }
    }

    #[test]
    fn the_memory_estimate_holds(case in cases(), memory in 200_000..3_000_000u64) {
        match planned(&case, memory) {
            Err(problems) => {
                let PlanError::Memory { least, .. } = problems.into_first() else {
                    panic!("another problem")
                };
                // What it says would be enough is enough.
                prop_assert!(planned(&case, least).is_ok(), "{least}");
            }
            Ok(plan) => {
                prop_assert!(plan.peak_memory <= memory);
                for unit in &plan.units {
                    let array = &plan.arrays[unit.array];
                    // An object decoded, encoded and read back; and what the engine admits at a time.
                    prop_assert!(unit.memory(&plan) >= 3 * unit.bytes(&plan));
                    prop_assert!(unit.memory(&plan) <= plan.in_flight);
                    prop_assert!(unit.bytes(&plan) >= regions(&unit, array).iter().map(Hyperslab::len).sum::<u64>() * 4);
                }
                let stored: u64 = case.stored.iter().map(|s| s.iter().product::<u64>() * 4).max().unwrap_or(0);
                prop_assert_eq!(plan.in_flight, memory - 2 * 2 * stored);
            }
        }
    }

    #[test]
    fn the_work_is_shared_out_evenly(case in cases()) {
        for (planner, phase) in [(plan as Planner, Phase::Transfer), (comparison, Phase::Compare)] {
            let plan = planned_by(planner, &case, 1 << 30).unwrap();
            let of_rank = |rank| -> u64 {
                plan.units_of(rank, phase).map(|u| plan.units.get(u).bytes(&plan)).sum()
            };
            let total: u64 = (0..case.ranks).map(of_rank).sum();
            let largest = plan.units.iter().map(|u| u.bytes(&plan)).max().unwrap_or(0);
            for rank in 0..case.ranks {
                prop_assert!(of_rank(rank) <= total / case.ranks as u64 + largest);
            }
        }
    }
}

#[test]
fn units_meet_the_edges_of_stored_chunks() {
    // Stored chunks of 4 levels, objects of 6: 12 levels are the first common edge.
    let case = Case {
        others: vec![24, 8],
        stored: Some(vec![1, 4, 8]),
        chunk: vec![1, 6, 8],
        old: 0,
        files: vec![2],
        replaced: vec![],
        ranks: 1,
    };
    let plan = planned(&case, 1 << 30).unwrap();
    let array = plan.arrays.iter().position(|a| a.name == "v").unwrap();
    let counts: Vec<Vec<u64>> = plan
        .units
        .iter()
        .filter(|u| u.array == array)
        .map(|u| u.chunks.count)
        .collect();
    assert_eq!(counts, [[1, 2, 1]; 4]);
}

#[test]
fn a_stored_chunk_is_inflated_once_for_ever_so_many_objects() {
    // Five levels of an eORCA025 field, stored as one chunk, as 86,000 objects.
    let case = Case {
        others: vec![5, 1206, 1440],
        stored: Some(vec![1, 5, 1206, 1440]),
        chunk: vec![1, 1, 10, 10],
        old: 0,
        files: vec![1],
        replaced: vec![],
        ranks: 1,
    };
    let units_of = |memory: u64| {
        let plan = planned(&case, memory).unwrap();
        let units = plan.units.iter();
        units.filter(|u| plan.arrays[u.array].name == "v").count()
    };
    assert_eq!(units_of(1 << 30), 1);
    // In less memory as seldom as there is room for its objects, which with their bookkeeping take five times their bytes.
    let fewer = units_of(300 << 20);
    assert!((2..=10).contains(&fewer), "{fewer}");
}

/// Each object is a unit, and three ranks share them. What an object costs while they are shared out is counted on the test's own thread.
#[test]
fn a_plan_of_more_objects_is_no_larger() {
    const OBJECTS: u64 = 20_000;
    let of = |objects: u64| {
        let case = Case {
            others: vec![objects],
            stored: None,
            chunk: vec![1, 1],
            old: 0,
            files: vec![1],
            replaced: vec![],
            ranks: 3,
        };
        let mut told = 0;
        let measured = allocation_counter::measure(|| {
            let plan = planned(&case, 1 << 30).unwrap();
            assert!(plan.units.len() as u64 >= objects);
            told = serde_json::to_string(&plan).unwrap().len();
        });
        (told, measured.bytes_max)
    };
    let (few, many) = (of(OBJECTS), of(2 * OBJECTS));
    // But for longer numbers in it.
    assert!(many.0 < few.0 + 100, "{few:?}, {many:?}");
    let of_object = (many.1 - few.1.min(many.1)) / OBJECTS;
    assert!(of_object <= 32, "{of_object} bytes an object");
}

#[test]
fn an_array_that_is_the_same_in_two_stores_is_one_array() {
    let case = Case {
        others: vec![3],
        stored: None,
        chunk: vec![1, 3],
        old: 0,
        files: vec![2],
        replaced: vec![],
        ranks: 2,
    };
    let archive = archive(&case);
    let requests = ["a.zarr", "b.zarr"].map(|key| request(key, None, &archive));
    let settings = settings(&case, ChunkStrategy::default(), 1 << 30);
    let plan = plan(&archive, &requests, &settings).unwrap();
    assert!(
        plan.arrays.iter().all(|a| a.stores == [0, 1]),
        "{:?}",
        plan.arrays
    );
    assert_eq!(plan.arrays.len(), 3);
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&plan.arrays[0].document).unwrap()["shape"],
        json!([2, 3])
    );
}

/// Files of single steps: as many as come to what a commit is worth go together, and no transaction ends within a chunk.
#[test]
fn small_files_are_committed_together_and_large_ones_alone() {
    let case = |side: u64, files: usize| Case {
        others: vec![side, side],
        stored: None,
        chunk: Vec::new(),
        old: 0,
        files: vec![1; files],
        replaced: Vec::new(),
        ranks: 1,
    };
    let groups = |case: &Case, steps: u64, by: Transactions| {
        let chunks = [
            ("time", steps),
            ("d0", case.others[0]),
            ("d1", case.others[1]),
        ];
        let archive = archive(case);
        let requests = [request("v.zarr", None, &archive)];
        let chunks = chunks.map(|(name, size)| (name.to_owned(), size));
        let chunks = ChunkStrategy(chunks.into());
        let settings = settings(case, chunks, 1 << 40);
        transactions(&archive, &requests, &settings, by).unwrap()
    };
    let small = case(4, 20);
    assert_eq!(groups(&small, 1, Transactions::Batch), [20]);
    assert_eq!(groups(&small, 1, Transactions::Chunk), [1; 20]);
    // 64 MiB and an object a step.
    let large = case(4096, 10);
    assert_eq!(groups(&large, 1, Transactions::Batch), [4, 4, 2]);
    assert_eq!(groups(&large, 3, Transactions::Batch), [6, 4]);
    assert_eq!(groups(&large, 3, Transactions::Chunk), [3, 3, 3, 1]);
    // However small, so many objects take their time.
    assert_eq!(
        groups(&case(1, 3000), 1, Transactions::Batch),
        [1024, 1024, 952]
    );
    let huge = case(16384, 3);
    assert_eq!(groups(&huge, 1, Transactions::Batch), [1, 1, 1]);
}
