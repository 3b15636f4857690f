//! The arrays of one store: new ones as the variables ask for, or the store's own, grown.
//!
//! Key type: [`Draft`], an array with the stored chunks of its source.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::chunking::{ChunkStrategy, choose};
use super::conform::{attributes_of, conforms};
use super::draft::{Request, Settings};
use super::error::PlanError;
use super::sharding::{check_chunks, shard_shape};
use super::target::{Append, Phase, TargetArray, TargetStore};
use crate::exit::Failure;
use crate::source::{Archive, Attribute, Catalogue, DType, Number, SourceError, Variable, list};
use crate::store::document::{self, Documents};
use crate::store::{Stored, Version, layout};

/// Steps in one object of a small array along the append dimension: almost two years of hourly output, so that
/// readers fetch a time axis in one request.
const SMALL_ARRAY_STEPS: u64 = 16_384;
/// Bytes a step of a coordinate may have for it to count as small.
const SMALL_STEP_BYTES: u64 = 1024;

/// An array with the stored chunks of its source.
pub(super) struct Draft {
    pub array: TargetArray,
    pub stored_chunks: Option<Vec<u64>>,
}

/// Adds the arrays of the store that `request`, the one of index `index`, asks for to `drafts`.
pub(super) fn draft_arrays(
    archive: &Archive,
    request: &Request,
    settings: &Settings,
    index: usize,
    drafts: &mut Vec<Draft>,
) -> Result<TargetStore, Failure> {
    let catalogue = archive.catalogue();
    if let Some(stored) = &request.stored {
        check_contents(request, stored)?;
    }
    let version = version_of(request, settings)?;
    let attributes = catalogue.attributes.iter();
    let attributes: Map<String, Value> = attributes
        .map(|(name, value)| (name.clone(), Attribute::to_json(value)))
        .collect();
    // What the root document tells of, and what of it changes.
    let mut told = Documents::new();
    if request.stored.is_none() {
        told = document::of_new_store(version, &attributes);
    }
    let mut changed = told.clone();
    let mut new_steps = 0;
    let variables = request
        .members
        .iter()
        .filter_map(|name| catalogue.variable(name));
    for variable in variables {
        let (array, documents) = draft_array(archive, request, settings, version, index, variable)?;
        if array.phase != Phase::Compare {
            changed.extend(documents.iter().cloned());
        }
        told.extend(documents);
        if let Some(append) = array.append {
            new_steps = array.shape[append.axis] - append.old;
        } else if array.phase == Phase::Transfer && archive.files.len() > 1 {
            // Written from the first file; the others must agree with it.
            let compared = TargetArray {
                stores: Vec::new(),
                phase: Phase::Compare,
                ..array.clone()
            };
            add(drafts, compared, variable);
        }
        add(drafts, array, variable);
    }
    let old_root = request.stored.as_ref().map(|s| s.root.clone());
    let changed = changed.into_iter();
    Ok(TargetStore {
        key: request.key.clone(),
        documents: changed
            .map(|(path, document)| (format!("{}/{path}", request.key), document.to_string()))
            .collect(),
        root_key: layout::root_document(&request.key, version),
        new_root: document::root(version, old_root.as_deref(), &attributes, &told),
        old_root,
        new_steps,
    })
}

/// The array of `variable`, and its document.
fn draft_array(
    archive: &Archive,
    request: &Request,
    settings: &Settings,
    version: Version,
    index: usize,
    variable: &Variable,
) -> Result<(TargetArray, Documents), Failure> {
    let path = &archive.catalogue().path;
    let dtype = variable.number_type(path)?;
    let main = variable.name == request.members[0];
    let arrays = request.stored.iter().flat_map(|s| &s.arrays);
    let stored = arrays.into_iter().find(|a| a.name == variable.name);
    if let Some(stored) = stored {
        conforms(
            &request.key,
            variable,
            dtype,
            stored,
            &archive.append_dimension,
        )?;
    }
    let axis = variable
        .dimensions
        .iter()
        .position(|d| *d == archive.append_dimension);
    if let (Some(axis), Some(stored), Some(store)) = (axis, stored, &request.stored)
        && stored.shape[axis] != store.steps.len() as u64
    {
        return Err(PlanError::Ragged {
            store: request.key.clone(),
            array: variable.name.clone(),
            length: stored.shape[axis],
            steps: store.steps.len(),
        }
        .into());
    }
    let append = axis.map(|axis| Append {
        axis,
        old: stored.map_or(0, |s| s.shape[axis]),
    });
    let mut shape = variable.shape.clone();
    if let Some(append) = append {
        shape[append.axis] = append.old
            + archive
                .files
                .iter()
                .map(|f| f.steps.len() as u64)
                .sum::<u64>();
    }
    let phase = match axis {
        Some(axis) if is_small(variable, dtype, axis, main) => Phase::Commit,
        None if stored.is_some() => Phase::Compare,
        _ => Phase::Transfer,
    };
    let attributes = attributes_of(variable, dtype);
    let (document, fill, chunk) = if let Some(stored) = stored {
        if phase == Phase::Transfer {
            check_chunks(
                request,
                variable,
                stored,
                settings,
                &archive.append_dimension,
            )?;
        }
        (
            document::grown_array(&stored.document, &shape),
            stored.fill.clone(),
            stored.chunk.clone(),
        )
    } else {
        let chunk = new_chunk(variable, dtype, axis, phase, main, &settings.strategy);
        let shard = if phase == Phase::Transfer && (main || append.is_some()) {
            shard_shape(variable, axis, &chunk, &settings.shards)?
        } else {
            None
        };
        let fill = fill_of(variable, dtype, archive.catalogue())?;
        let array = document::NewArray {
            variable,
            dtype,
            shape: &shape,
            chunk: shard.as_ref().unwrap_or(&chunk),
            inner: shard.as_ref().map(|_| &chunk[..]),
            fill: &fill,
        };
        (
            document::new_array(version, &array, &attributes, &settings.codec),
            fill,
            shard.unwrap_or(chunk),
        )
    };
    let array = TargetArray {
        name: variable.name.clone(),
        stores: vec![index],
        document: document.to_string(),
        dtype,
        fill,
        shape,
        chunk,
        append,
        phase,
    };
    let new = stored.is_none();
    let new = new.then_some((&attributes, &variable.dimensions[..]));
    let documents = document::of_array(version, &variable.name, document, new);
    Ok((array, documents))
}

/// The store's own version, or the one asked for.
fn version_of(request: &Request, settings: &Settings) -> Result<Version, PlanError> {
    let store = || request.key.clone();
    let version = match (&request.stored, settings.version) {
        (Some(stored), Some(asked)) if stored.version != asked => {
            return Err(PlanError::Version {
                store: store(),
                stored: stored.version,
                asked,
            });
        }
        (Some(stored), _) => stored.version,
        (None, asked) => asked.unwrap_or_default(),
    };
    if version == Version::V2 && !settings.shards.0.is_empty() {
        return Err(PlanError::NoShards { store: store() });
    }
    Ok(version)
}

/// Adds `array`, or its store to an array that is the same in another store: they are read and encoded once. Arrays
/// that grow stay apart, since what the stores already hold of them may differ.
fn add(drafts: &mut Vec<Draft>, array: TargetArray, variable: &Variable) {
    let alike = drafts.iter_mut().find(|d| {
        let other = &d.array;
        other.name == array.name
            && other.document == array.document
            && other.append == array.append
            && array.append.is_none_or(|a| a.old == 0)
            && other.phase == array.phase
            && other.stores.is_empty() == array.stores.is_empty()
    });
    match alike {
        Some(draft) => draft.array.stores.extend(array.stores),
        None => drafts.push(Draft {
            array,
            stored_chunks: variable.stored_chunks.clone(),
        }),
    }
}

/// Coordinates of few bytes a step, and series without any other dimension, go into one large object.
fn is_small(variable: &Variable, dtype: DType, axis: usize, main: bool) -> bool {
    let others = (0..variable.shape.len()).filter(|&d| d != axis);
    let step: u64 = others.map(|d| variable.shape[d]).product::<u64>() * dtype.size() as u64;
    variable.shape.len() == 1 || (!main && step <= SMALL_STEP_BYTES)
}

fn new_chunk(
    variable: &Variable,
    dtype: DType,
    append: Option<usize>,
    phase: Phase,
    main: bool,
    strategy: &ChunkStrategy,
) -> Vec<u64> {
    let fixed: Vec<Option<u64>> = variable
        .dimensions
        .iter()
        .enumerate()
        .map(|(d, name)| match phase {
            Phase::Commit if append == Some(d) => Some(SMALL_ARRAY_STEPS),
            Phase::Commit => Some(variable.shape[d]),
            _ if main || append.is_some() => strategy.0.get(name).copied(),
            _ => None,
        })
        .collect();
    choose(
        &variable.shape,
        append,
        variable.stored_chunks.as_deref(),
        &fixed,
        dtype.size() as u64,
    )
}

fn fill_of(
    variable: &Variable,
    dtype: DType,
    catalogue: &Catalogue,
) -> Result<Vec<u8>, SourceError> {
    let fill = variable.fill_value().unwrap_or(Number::Int(0));
    dtype
        .bytes_of(fill)
        .ok_or_else(|| SourceError::Unsupported {
            path: catalogue.path.clone(),
            variable: variable.name.clone(),
            problem: format!("has type {dtype}, which cannot hold its _FillValue {fill}"),
        })
}

fn check_contents(request: &Request, stored: &Stored) -> Result<(), PlanError> {
    let found: BTreeSet<&str> = request.members.iter().map(String::as_str).collect();
    let held: BTreeSet<&str> = stored.arrays.iter().map(|a| a.name.as_str()).collect();
    if found == held {
        return Ok(());
    }
    Err(PlanError::Contents {
        store: request.key.clone(),
        stored: list(held.into_iter()),
        found: list(found.into_iter()),
    })
}
