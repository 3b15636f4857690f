//! The plan that makes stores anew of what others hold: in other chunks, shards, codecs, or of the other version of Zarr.
//!
//! Key types: [`StoreRechunk`], a store that is read; [`Rechunking`], what is asked for; [`RechunkPlan`]; [`StoredReads`], what it reads.

use std::collections::{BTreeMap, BTreeSet};

use msm_model::{ArrayRecipe, Problems, choices};
use msm_zarr::document::{self, AttributeEdits, Documents};
use msm_zarr::{Codec, StoreSnapshot, StoredArray, Version, layout};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::arrays::ArrayDraft;
use super::chunking::{ChunkStrategy, SHARDS_FLAG, STRATEGY_FLAG};
use super::draft::{PlanBasis, of_basis};
use super::error::PlanError;
use super::new_variable::is_small_step;
use super::recut::{ArrayChange, Recut};
use super::settings::Resources;
use super::target::{Derivation, Origin, Phase, Plan, StoredOrigin, TargetArray, TargetStore};

/// Objects of stored arrays that a rank reads at a time, at most.
const READS: u64 = 16;
/// Of the memory, those may take one part of so many.
const SHARE_OF_READS: u64 = 4;

/// A store that is made of another.
pub struct StoreRechunk {
    /// The key of the one that is read.
    pub from: String,
    /// The key of the one that is made.
    pub to: String,
    /// The one that is read.
    pub stored: StoreSnapshot,
    /// By array, the recipe that it was made by, if it was.
    pub recipes: BTreeMap<String, ArrayRecipe>,
    /// Does nobody know what others were made by?
    pub has_untold_arrays: bool,
}

/// What is asked for; what is not, stays as a store has it.
#[derive(Clone, Debug)]
pub struct Rechunking {
    /// Chunk sizes by dimension.
    pub chunks: ChunkStrategy,
    /// Shard sizes by dimension; no shards if it is empty.
    pub shards: Option<ChunkStrategy>,
    /// The version of the Zarr format.
    pub version: Option<Version>,
    /// The compressor.
    pub codec: Option<Codec>,
    /// The dimension along which the stores grow.
    pub append_dimension: String,
    /// What there is to do it with.
    pub resources: Resources,
}

/// The plan, and what becomes of the arrays.
#[derive(Clone, Debug)]
pub struct RechunkPlan {
    /// What each rank does.
    pub plan: Plan,
    /// Of each of the plan's arrays, how it was cut and how it will be.
    pub changes: Vec<ArrayChange>,
}

/// What is read of the stores that are rechunked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredReads {
    /// Objects, at most: those that are all fill are not there.
    pub objects: u64,
    /// How often one is asked for: an object that lies in several units is read for each of them.
    pub requests: u64,
    /// Bytes of their values, decoded, each once.
    pub bytes: u64,
}

impl StoredReads {
    /// How often each object is read, on average.
    #[must_use]
    pub fn times(&self) -> f64 {
        self.requests as f64 / self.objects.max(1) as f64
    }
}

/// The plan that makes each of `stores` anew, as `asked`.
///
/// # Errors
/// If what is asked for does not fit the arrays, or the work does not fit the memory.
pub fn rechunked(
    stores: &[StoreRechunk],
    asked: &Rechunking,
) -> Result<RechunkPlan, Problems<PlanError>> {
    let (mut targets, mut drafts, mut changes) = (Vec::new(), Vec::new(), Vec::new());
    let mut problems = Vec::new();
    for (index, store) in stores.iter().enumerate() {
        match target(store, asked, index, &mut drafts, &mut changes) {
            Ok(target) => targets.push(target),
            Err(of_store) => problems.extend(of_store),
        }
    }
    Problems::together(problems)?;
    let largest = drafts.iter().map(source_bytes).max().unwrap_or(0);
    // Each with its encoded bytes beside its values.
    let of_read = 2 * largest.max(1);
    // What one object of a unit takes comes first.
    let memory = asked.resources.memory;
    let unit = drafts
        .iter()
        .map(|draft| 3 * draft.array.memory_of_object());
    let free = memory.saturating_sub(unit.max().unwrap_or(0));
    let reads = (free.min(memory / SHARE_OF_READS) / of_read).clamp(1, READS);
    let basis = PlanBasis {
        reads: usize::try_from(reads).unwrap_or(usize::MAX),
        scratch: reads * of_read,
        ..PlanBasis::default()
    };
    let plan = of_basis(basis, asked.resources, targets, drafts)?;
    Ok(RechunkPlan { plan, changes })
}

impl RechunkPlan {
    /// What is read of the stores.
    #[must_use]
    pub fn reads(&self) -> StoredReads {
        let (mut touched, mut objects, mut bytes) = (0u64, 0u64, 0u64);
        let mut seen = BTreeSet::new();
        for unit in &self.plan.units {
            let array = &self.plan.arrays[unit.array];
            let Derivation::Stored(source) = &array.origin.form else {
                continue;
            };
            let part = unit.parts(array).into_iter().map(|part| part.in_array);
            for slab in part {
                let along = |d: usize| {
                    let first = slab.start[d] / source.object[d];
                    (slab.start[d] + slab.count[d]).div_ceil(source.object[d]) - first
                };
                touched += (0..slab.start.len()).map(along).product::<u64>();
            }
            if seen.insert(unit.array) {
                let lengths = array.shape.iter().zip(&source.object);
                objects += lengths.map(|(n, size)| n.div_ceil(*size)).product::<u64>();
                bytes += array.shape.iter().product::<u64>() * array.dtype.size() as u64;
            }
        }
        StoredReads {
            objects,
            requests: touched,
            bytes,
        }
    }
}

/// Bytes of a decoded object of what is read.
fn source_bytes(draft: &ArrayDraft) -> u64 {
    let values: u64 = draft.stored_chunks.iter().flatten().product();
    values * draft.array.dtype.size() as u64
}

/// Checks that sizes are asked for of dimensions that arrays of `stores` are cut along.
///
/// # Errors
/// The first dimension that none of them has; or if one grows along another dimension than was said.
pub fn check_cut<'a>(
    stores: impl Iterator<Item = &'a StoreSnapshot>,
    asked: &Rechunking,
) -> Result<(), PlanError> {
    let grows = &asked.append_dimension;
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for stored in stores {
        let has = |dimension: &String| {
            stored
                .arrays
                .iter()
                .any(|a| a.dimensions.contains(dimension))
        };
        let times = stored.arrays.iter().find(|array| {
            let units = array.attributes.get("units").and_then(Value::as_str);
            array.dimensions == [array.name.clone()]
                && units.is_some_and(|units| units.contains(" since "))
        });
        if let (false, Some(times)) = (has(grows), times) {
            return Err(PlanError::OtherAppendDimension {
                dimension: grows.clone(),
                found: times.name.clone(),
            });
        }
        let mains = data_variables(stored);
        let arrays = stored.arrays.iter();
        // A send takes a size that a data variable has no use for, too.
        let cut =
            arrays.filter(|array| mains.contains(&array.name) || is_cut(array, &mains, grows));
        known.extend(cut.flat_map(|array| array.dimensions.iter().map(String::as_str)));
    }
    let shards = asked.shards.as_ref().map(|sizes| (SHARDS_FLAG, sizes));
    for (flag, sizes) in [(STRATEGY_FLAG, &asked.chunks)].into_iter().chain(shards) {
        if let Some(dimension) = sizes.0.keys().find(|d| !known.contains(d.as_str())) {
            return Err(PlanError::UnknownStrategyDimension {
                flag: flag.to_owned(),
                dimension: dimension.clone(),
                found: choices(dimension, known.into_iter()),
            });
        }
    }
    Ok(())
}

/// The names of the arrays that are neither coordinates nor bounds.
fn data_variables(stored: &StoreSnapshot) -> BTreeSet<String> {
    let mut mains: BTreeSet<String> = stored.catalogue().data_variables().into_iter().collect();
    for array in &stored.arrays {
        for dimension in &array.dimensions {
            mains.remove(dimension);
        }
    }
    mains
}

/// Is an array cut as is asked for? As in a send: data variables, and what grows with them, but for what is small.
fn is_cut(array: &StoredArray, mains: &BTreeSet<String>, append_dimension: &str) -> bool {
    let main = mains.contains(&array.name);
    let axis = array.dimensions.iter().position(|d| d == append_dimension);
    match (axis, &array.dtype) {
        (Some(axis), Ok(dtype)) => !is_small_step(&array.shape, *dtype, axis, main),
        (Some(_), Err(_)) => true,
        (None, _) => main,
    }
}

/// The version that is asked for, or the one that it has.
fn version_of(store: &StoreRechunk, asked: &Rechunking) -> Result<Version, PlanError> {
    let version = asked.version.unwrap_or(store.stored.version);
    let has_shards = { asked.shards.as_ref() }.is_some_and(|sizes| !sizes.0.is_empty());
    if version == Version::V2 && has_shards {
        let store = store.to.clone();
        return Err(PlanError::NoShards { store });
    }
    Ok(version)
}

/// The store that is made of `store`, the one of index `index`; its arrays are added to `drafts`.
fn target(
    store: &StoreRechunk,
    asked: &Rechunking,
    index: usize,
    drafts: &mut Vec<ArrayDraft>,
    changes: &mut Vec<ArrayChange>,
) -> Result<TargetStore, Problems<PlanError>> {
    let StoreRechunk {
        from, to, stored, ..
    } = store;
    let version = version_of(store, asked)?;
    let mains = data_variables(stored);
    let attributes = AttributeEdits {
        added: document::attributes(stored.version, &stored.root, ""),
        removed: Vec::new(),
    };
    // All that is put; and what the root document tells anew.
    let (mut documents, mut told) = (Documents::new(), Documents::new());
    if version != stored.version {
        told = document::of_store(version, None, "", &attributes);
    } else if version == Version::V2 {
        documents = group_documents(stored);
    }
    let mut problems = Vec::new();
    for array in &stored.arrays {
        let recut = Recut {
            from,
            stored: array,
            version: (stored.version, version),
            is_cut: is_cut(array, &mains, &asked.append_dimension),
            asked,
        };
        let (formed, change) = match recut.form(index) {
            Ok(formed) => formed,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        if version == stored.version {
            documents.extend(own_attributes(stored, &array.name));
        }
        let origin = Origin {
            variable: array.name.clone(),
            leading: 0,
            file: 0,
            form: Derivation::Stored(StoredOrigin {
                store: from.clone(),
                document: array.document.to_string(),
                object: array.chunk.clone(),
                fill: formed.dtype.padded(array.fill.clone()),
            }),
        };
        drafts.push(ArrayDraft {
            array: TargetArray {
                name: array.name.clone(),
                origin,
                conversions: Vec::new(),
                values: None,
                masking: None,
                stores: vec![index],
                document: formed.document.to_string(),
                dtype: formed.dtype,
                fill: formed.fill,
                shape: array.shape.clone(),
                chunk: formed.object,
                append: None,
                rewrites: false,
                phase: Phase::Transfer,
                tolerance: None,
            },
            stored_chunks: Some(array.chunk.clone()),
        });
        told.extend(formed.documents);
        changes.push(change);
    }
    Problems::together(problems)?;
    let new_root = if version == stored.version {
        document::root(
            version,
            Some(&stored.root),
            "",
            &AttributeEdits::default(),
            &told,
        )
    } else {
        document::root(version, None, "", &attributes, &told)
    };
    documents.extend(told);
    Ok(TargetStore {
        key: to.clone(),
        documents: documents
            .into_iter()
            .map(|(path, document)| (layout::below(to, &path), document.to_string()))
            .collect(),
        root_key: layout::root_document(to, version),
        old_root: None,
        new_root,
        new_steps: stored.length_along(&asked.append_dimension),
        replaced_steps: 0,
        recipes: store.recipes.clone(),
        has_untold_arrays: store.has_untold_arrays,
    })
}

/// Of a store of version 2, the documents of its group as they are.
fn group_documents(stored: &StoreSnapshot) -> Documents {
    let root: Value = serde_json::from_str(&stored.root).unwrap_or_default();
    let group = root["metadata"].get(".zgroup");
    let group = group.cloned().unwrap_or_else(|| json!({"zarr_format": 2}));
    let attributes = root["metadata"].get(".zattrs").cloned();
    let attributes = attributes.map(|attributes| (".zattrs".to_owned(), attributes));
    [(".zgroup".to_owned(), group)]
        .into_iter()
        .chain(attributes)
        .collect()
}

/// Of a store of version 2, the document with the attributes of the array `name` as it is.
fn own_attributes(stored: &StoreSnapshot, name: &str) -> Option<(String, Value)> {
    let path = format!("{name}/.zattrs");
    let root: Value = serde_json::from_str(&stored.root).unwrap_or_default();
    let attributes = root["metadata"].get(&path)?.clone();
    Some((path, attributes))
}
