//! The arrays of one store: new ones as the variables ask for, or the store's own, grown.
//!
//! Key type: [`Draft`], an array with the stored chunks of its source.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::attributes::{attributes_of, check_attributes};
use super::chunking::{ChunkStrategy, choose};
use super::conform::conforms;
use super::draft::{Request, Settings};
use super::error::PlanError;
use super::target::{Append, Phase, TargetArray, TargetStore};
use crate::exit::Failure;
use crate::source::{Archive, Attribute, Catalogue, DType, Number, SourceError, Variable, list};
use crate::store::{Stored, StoredArray, document};

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
    let mut documents = Vec::new();
    let mut new_steps = 0;
    let variables = request
        .members
        .iter()
        .filter_map(|name| catalogue.variable(name));
    for variable in variables {
        let (array, document) = draft_array(archive, request, settings, index, variable)?;
        documents.push((variable.name.clone(), document));
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
    let attributes = catalogue.attributes.iter();
    let attributes: Map<String, Value> = attributes
        .map(|(name, value)| (name.clone(), Attribute::to_json(value)))
        .collect();
    Ok(TargetStore {
        key: request.key.clone(),
        new_root: document::root(old_root.as_deref(), &attributes, &documents),
        old_root,
        new_steps,
    })
}

/// The array of `variable`, and its document.
fn draft_array(
    archive: &Archive,
    request: &Request,
    settings: &Settings,
    index: usize,
    variable: &Variable,
) -> Result<(TargetArray, Value), Failure> {
    let path = &archive.catalogue().path;
    let mut dtype = variable.dtype(path)?;
    check_attributes(variable, dtype, path)?;
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
        // Texts travel as wide as both need.
        let held = stored.dtype.as_ref().ok();
        dtype = held.and_then(|held| held.widest(dtype)).unwrap_or(dtype);
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
    let (document, fill, chunk) = if let Some(stored) = stored {
        if phase == Phase::Transfer {
            check_chunks(
                request,
                variable,
                stored,
                &settings.strategy,
                &archive.append_dimension,
            )?;
        }
        (
            document::grown_array(&stored.document, &shape),
            dtype.padded(stored.fill.clone()),
            stored.chunk.clone(),
        )
    } else {
        let chunk = new_chunk(variable, dtype, axis, phase, main, &settings.strategy);
        let fill = fill_of(variable, dtype, archive.catalogue())?;
        let array = document::NewArray {
            variable,
            dtype,
            shape: &shape,
            chunk: &chunk,
            fill: &fill,
        };
        let codecs = settings.codec.metadata(dtype);
        (
            document::new_array(&array, &attributes_of(variable, dtype), &codecs),
            fill,
            chunk,
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
    Ok((array, document))
}

/// Adds `array`, or its store to an array that is the same in another store: they are read and encoded once. Arrays
/// that grow stay apart, since what the stores already hold of them may differ.
fn add(drafts: &mut Vec<Draft>, array: TargetArray, variable: &Variable) {
    let alike = drafts.iter_mut().find(|d| {
        let other = &d.array;
        other.name == array.name
            && other.document == array.document
            && other.dtype == array.dtype
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
    if dtype.is_text() {
        return Ok(dtype.padded(Vec::new()));
    }
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

fn check_chunks(
    request: &Request,
    variable: &Variable,
    stored: &StoredArray,
    strategy: &ChunkStrategy,
    append_dimension: &str,
) -> Result<(), PlanError> {
    let differs = |(d, name): (usize, &String)| {
        // A size beyond a dimension that does not grow was clipped when the store was made.
        let most = if name == append_dimension {
            u64::MAX
        } else {
            stored.shape[d].max(1)
        };
        strategy
            .0
            .get(name)
            .is_some_and(|&asked| asked.min(most) != stored.chunk[d])
    };
    if !variable.dimensions.iter().enumerate().any(differs) {
        return Ok(());
    }
    Err(PlanError::Chunks {
        store: request.key.clone(),
        array: variable.name.clone(),
        stored: format!("{:?}", stored.chunk),
        asked: format!("{:?}", strategy.0),
    })
}
