//! Properties of plans that make stores of others: every object once, within the memory, and documents that say the same.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use msm_model::{Attribute, DType, Number, Problems, Variable, VariableType};
use msm_zarr::{Codec, StoreSnapshot, Version, document, layout, members};

/// A store of a variable `v` over `time` and `x`, its grid `g`, and the coordinate `time`.
fn store(
    version: Version,
    shape: [u64; 2],
    chunk: [u64; 2],
    shard: Option<[u64; 2]>,
) -> StoreRechunk {
    let fill = Attribute::Numbers(vec![Number::Float(f64::NAN)]);
    let variable = |name: &str, dimensions: &[&str], shape: &[u64], attributes| Variable {
        name: name.to_owned(),
        kind: VariableType::Number(DType::F32),
        dimensions: dimensions.iter().map(|d| (*d).to_owned()).collect(),
        shape: shape.to_vec(),
        attributes,
        stored_chunks: None,
    };
    let variables = [
        (
            variable(
                "v",
                &["time", "x"],
                &shape,
                vec![("_FillValue".to_owned(), fill)],
            ),
            chunk.to_vec(),
            shard,
        ),
        (
            variable("g", &["x"], &shape[1..], Vec::new()),
            vec![shape[1].max(1)],
            None,
        ),
        (
            variable("time", &["time"], &shape[..1], Vec::new()),
            vec![512],
            None,
        ),
    ];
    let mut told = Vec::new();
    for (variable, chunk, shard) in &variables {
        let object = shard.map_or(chunk.clone(), |shard| shard.to_vec());
        let mask = variable.fill_value();
        let array = document::NewArray {
            variable,
            dtype: DType::F32,
            shape: &variable.shape,
            chunk: &object,
            inner: shard.map(|_| &chunk[..]),
            fill: &mask.map_or(0.0, |_| f32::NAN).to_le_bytes(),
        };
        let mut attributes = Map::new();
        attributes.insert("long_name".to_owned(), json!(variable.name));
        if variable.name == "v" {
            attributes.insert("coordinates".to_owned(), json!("g"));
        }
        if let Some(mask) = mask {
            attributes.insert("_FillValue".to_owned(), document::mask(DType::F32, mask));
        }
        let formed = document::new_array(version, &array, &attributes, &Codec::default());
        let new = Some((&attributes, &variable.dimensions[..]));
        told.extend(document::of_array(version, &variable.name, formed, new));
    }
    let attributes = document::AttributeEdits {
        added: json!({"title": "t"}).as_object().unwrap().clone(),
        removed: Vec::new(),
    };
    let mut all = document::of_store(version, None, "", &attributes);
    all.extend(told);
    let root = document::root(version, None, "", &attributes, &all);
    snapshot(version, root)
}

fn snapshot(version: Version, root: String) -> StoreRechunk {
    let parsed: Value = serde_json::from_str(&root).unwrap();
    StoreRechunk {
        recipes: std::collections::BTreeMap::new(),
        has_untold_arrays: false,
        from: "a.zarr".to_owned(),
        to: "b.zarr".to_owned(),
        stored: StoreSnapshot {
            version,
            arrays: members("a.zarr", version, &parsed).unwrap(),
            root,
            nested: None,
            steps: Vec::new(),
            bounds: Vec::new(),
        },
    }
}

fn asked(memory: u64, ranks: usize) -> Rechunking {
    Rechunking {
        chunks: ChunkStrategy::default(),
        shards: None,
        version: None,
        codec: None,
        append_dimension: "time".to_owned(),
        resources: Resources {
            ranks,
            memory,
            threads: 2,
        },
    }
}

fn sizes(sizes: &[(&str, u64)]) -> ChunkStrategy {
    ChunkStrategy(sizes.iter().map(|(d, n)| ((*d).to_owned(), *n)).collect())
}

fn planned(store: StoreRechunk, asked: &Rechunking) -> Result<RechunkPlan, Problems<PlanError>> {
    check_cut(std::iter::once(&store.stored), asked)?;
    rechunked(&[store], asked)
}

proptest! {
    #[test]
    fn every_object_is_made_once_and_within_the_memory(
        shape in (0..40u64, 0..40u64), old in (1..9u64, 1..9u64), new in (1..9u64, 1..9u64), ranks in 1..5usize, tight in any::<bool>(),
    ) {
        let store = store(Version::V3, shape.into(), old.into(), None);
        let memory = if tight { 1_200_000 } else { 1 << 30 };
        let asked = Rechunking { chunks: sizes(&[("time", new.0), ("x", new.1)]), ..asked(memory, ranks) };
        let RechunkPlan { plan, changes } = planned(store, &asked).unwrap();
        prop_assert!(plan.peak_memory <= memory);
        let chunk = [new.0, new.1.min(shape.1.max(1))];
        prop_assert_eq!(&changes[0].after.chunk[..], &chunk[..]);
        prop_assert_eq!(&changes[1].after.chunk, &changes[1].before.chunk);
        prop_assert_eq!(&changes[2].after.chunk, &changes[2].before.chunk);
        for (index, array) in plan.arrays.iter().enumerate() {
            let mut made: Vec<Vec<u64>> = Vec::new();
            for unit in plan.units.iter().filter(|unit| unit.array == index) {
                prop_assert!(unit.owner < ranks);
                made.extend(unit.objects(array).into_iter().map(|object| object.chunk));
            }
            let count: u64 = array.shape.iter().zip(&array.chunk).map(|(n, c)| n.div_ceil(*c)).product();
            prop_assert_eq!(made.len() as u64, count);
            made.sort_unstable();
            made.dedup();
            prop_assert_eq!(made.len() as u64, count);
        }
        if shape.0 * shape.1 > 0 && !tight {
            let reads = RechunkPlan { plan, changes }.reads();
            prop_assert_eq!(reads.requests, reads.objects, "with room for all, each object is read once");
        }
    }
}

/// Whoever gives as much memory as the refusal names is not refused again.
#[test]
fn the_least_memory_is_enough() {
    let of = |memory| {
        let store = store(Version::V3, [64, 4096], [1, 4096], Some([8, 4096]));
        let asked = Rechunking {
            chunks: sizes(&[("time", 64)]),
            shards: Some(ChunkStrategy::default()),
            ..asked(memory, 2)
        };
        planned(store, &asked)
    };
    let Err(refused) = of(1000) else {
        panic!("not refused")
    };
    let PlanError::Memory { least, .. } = *refused.first() else {
        panic!("{refused}")
    };
    assert!(of(least).is_ok());
    assert!(of(least - 1).is_err());
}

#[test]
fn what_is_not_asked_for_stays() {
    for version in [Version::V2, Version::V3] {
        let store = store(version, [12, 30], [1, 30], None);
        let root = store.stored.root.clone();
        let RechunkPlan { plan, .. } = planned(store, &asked(1 << 30, 1)).unwrap();
        let [target] = &plan.stores[..] else {
            panic!("one store")
        };
        let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(parsed(&target.new_root), parsed(&root));
        assert_eq!(target.new_steps, 12);
        assert_eq!(target.root_key, layout::root_document("b.zarr", version));
        if version == Version::V2 {
            // Each document is put as the root document tells of it.
            for (key, document) in &target.documents {
                let told = &parsed(&root)["metadata"][key.strip_prefix("b.zarr/").unwrap()];
                assert_eq!(&parsed(document), told, "{key}");
            }
            assert_eq!(target.documents.len(), 2 + 2 * 3);
        }
    }
}

#[test]
fn there_and_back_between_the_versions_all_is_as_it_was() {
    for (version, other) in [(Version::V2, Version::V3), (Version::V3, Version::V2)] {
        let first = store(version, [12, 30], [1, 30], None);
        let root = first.stored.root.clone();
        let turned = |store, version| {
            let asked = Rechunking {
                version: Some(version),
                ..asked(1 << 30, 1)
            };
            planned(store, &asked).unwrap().plan.stores[0]
                .new_root
                .clone()
        };
        let there = turned(first, other);
        assert!(
            there.contains("long_name") && there.contains("title"),
            "{there}"
        );
        let back = turned(snapshot(other, there), version);
        let [back, root] = [back, root].map(|root| serde_json::from_str::<Value>(&root).unwrap());
        assert_eq!(back, root);
    }
}

#[test]
fn shards_come_stay_and_go() {
    let shards = |asked_chunks: &[(&str, u64)], shards: Option<&[(&str, u64)]>, version| {
        let store = store(Version::V3, [12, 30], [1, 10], Some([4, 20]));
        let asked = Rechunking {
            chunks: sizes(asked_chunks),
            shards: shards.map(sizes),
            version,
            ..asked(1 << 30, 1)
        };
        planned(store, &asked).map(|planned| planned.changes[0].after.shard.clone())
    };
    assert_eq!(shards(&[], None, None), Ok(Some(vec![4, 20])));
    assert_eq!(shards(&[("x", 5)], None, None), Ok(Some(vec![4, 20])));
    assert_eq!(shards(&[], Some(&[]), None), Ok(None));
    assert_eq!(
        shards(&[], Some(&[("time", 12)]), None),
        Ok(Some(vec![12, 10]))
    );
    assert_eq!(shards(&[], None, Some(Version::V2)), Ok(None));
    let refused = |of: Result<_, Problems<PlanError>>| match of {
        Ok(_) => panic!("not refused"),
        Err(problems) => problems.first().clone(),
    };
    assert!(matches!(
        refused(shards(&[("x", 7)], None, None)),
        PlanError::KeptShards { .. }
    ));
    assert!(matches!(
        refused(shards(&[], Some(&[("x", 15)]), None)),
        PlanError::UnevenShards { .. }
    ));
    let version = Some(Version::V2);
    assert!(matches!(
        refused(shards(&[], Some(&[("x", 20)]), version)),
        PlanError::NoShards { .. }
    ));
    let unknown = refused(shards(&[("y", 7)], None, None));
    assert!(matches!(
        unknown,
        PlanError::UnknownStrategyDimension { .. }
    ));
}
