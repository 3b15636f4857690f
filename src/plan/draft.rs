//! Drawing up the plan: target arrays from variables and stores, units from arrays, owners from units.
//!
//! Key types: [`Request`], one store to create or extend; [`Settings`].

use std::collections::BTreeSet;

use super::assign::assign;
use super::chunking::{ChunkStrategy, choose};
use super::conform::{attributes_of, conforms};
use super::error::PlanError;
use super::target::{Append, Budget, Phase, Plan, Stored, StoredArray, TargetArray, TargetStore};
use super::units::units;
use crate::exit::Failure;
use crate::source::{Archive, Attribute, DType, Number, SourceError, Variable, list};
use crate::store::{Codec, document};

/// Steps in one object of a small array along the append dimension: almost two years of hourly output, so that
/// readers fetch a time axis in one request.
const SMALL_ARRAY_STEPS: u64 = 16_384;
/// Bytes a step of a coordinate may have for it to count as small.
const SMALL_STEP_BYTES: u64 = 1024;
/// Decoded bytes a unit may grow to, for the sake of reading each stored chunk once.
const UNIT_BYTES: u64 = 256 << 20;

/// A store to create, or to extend with all steps of the archive.
pub struct Request {
    /// Its key in the bucket.
    pub key: String,
    /// Its data variable first, then the coordinates.
    pub members: Vec<String>,
    /// The store as it is; `None` to create it.
    pub stored: Option<Stored>,
}

/// What the user chose.
pub struct Settings {
    /// Chunk sizes asked for.
    pub strategy: ChunkStrategy,
    /// The compressor of new arrays.
    pub codec: Codec,
    /// Ranks that share the work.
    pub ranks: usize,
    /// What each of them may use.
    pub budget: Budget,
}

/// The plan that puts the archive's steps into the requested stores.
///
/// # Errors
/// If a variable cannot be sent, does not fit its store, or the work does not fit the memory.
pub fn plan(archive: &Archive, requests: &[Request], settings: &Settings) -> Result<Plan, Failure> {
    check_strategy(archive, requests, &settings.strategy)?;
    let mut first = 0;
    let mut files = Vec::new();
    for file in &archive.files {
        files.push((file.catalogue.path.clone(), first, file.steps.len() as u64));
        first += file.steps.len() as u64;
    }
    let mut drafts = Vec::new();
    let mut plan = Plan {
        files,
        stores: Vec::new(),
        arrays: Vec::new(),
        units: Vec::new(),
        in_flight: 0,
        peak_memory: 0,
    };
    for (index, request) in requests.iter().enumerate() {
        let store = draft_store(archive, request, settings, index, &mut drafts)?;
        plan.stores.push(store);
    }
    let scratch = scratch(&drafts, settings.budget.threads);
    plan.in_flight = settings.budget.memory.saturating_sub(scratch);
    let cap = UNIT_BYTES.min(plan.in_flight / 6);
    for (index, draft) in drafts.into_iter().enumerate() {
        let of_array = units(&draft.array, index, draft.stored_chunks.as_deref(), cap);
        if draft.array.phase == Phase::Compare {
            // Against a store, every file; against the first file, the others.
            let from = usize::from(draft.array.stores.is_empty());
            for file in from..plan.files.len() {
                plan.units.extend(of_array.iter().cloned().map(|mut unit| {
                    unit.file = file;
                    unit
                }));
            }
        } else {
            plan.units.extend(of_array);
        }
        plan.arrays.push(draft.array);
    }
    assign(&mut plan, settings.ranks);
    check_memory(&mut plan, scratch, settings.ranks)?;
    Ok(plan)
}

/// An array with the stored chunks of its source.
struct Draft {
    array: TargetArray,
    stored_chunks: Option<Vec<u64>>,
}

fn draft_store(
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
    let steps: u64 = archive.files.iter().map(|f| f.steps.len() as u64).sum();
    let mut documents = Vec::new();
    let mut new_steps = 0;
    for name in &request.members {
        let Some(variable) = catalogue.variable(name) else {
            continue;
        };
        let dtype = variable.number_type(&catalogue.path)?;
        let stored = request
            .stored
            .as_ref()
            .and_then(|s| s.arrays.iter().find(|a| a.name == *name));
        let append = variable
            .dimensions
            .iter()
            .position(|d| *d == archive.append_dimension);
        let mut shape = variable.shape.clone();
        let append = append.map(|axis| {
            let old = stored.map_or(0, |s| s.shape[axis]);
            shape[axis] = old + steps;
            new_steps = steps;
            Append { axis, old }
        });
        let main = name == &request.members[0];
        let small = append.is_some_and(|a| is_small(variable, dtype, a.axis, main));
        let phase = match append {
            Some(_) if small => Phase::Commit,
            None if stored.is_some() => Phase::Compare,
            _ => Phase::Transfer,
        };
        let (document, fill, chunk) = if let Some(stored) = stored {
            conforms(
                &request.key,
                variable,
                dtype,
                stored,
                &archive.append_dimension,
            )?;
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
                stored.fill.clone(),
                stored.chunk.clone(),
            )
        } else {
            let chunk = new_chunk(
                variable,
                dtype,
                append.map(|a| a.axis),
                phase,
                main,
                &settings.strategy,
            );
            let fill = fill_of(variable, dtype, catalogue)?;
            let attributes = attributes_of(variable, dtype);
            let codecs = settings.codec.metadata(dtype.size());
            let array = document::NewArray {
                variable,
                dtype,
                shape: &shape,
                chunk: &chunk,
                fill: &fill,
            };
            (document::new_array(&array, attributes, codecs), fill, chunk)
        };
        documents.push((name.clone(), document.clone()));
        let array = TargetArray {
            name: name.clone(),
            stores: vec![index],
            document: document.to_string(),
            dtype,
            fill,
            shape,
            chunk,
            append,
            phase,
        };
        if phase == Phase::Transfer && append.is_none() && archive.files.len() > 1 {
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
    let attributes = catalogue
        .attributes
        .iter()
        .map(|(name, value)| (name.clone(), Attribute::to_json(value)));
    Ok(TargetStore {
        key: request.key.clone(),
        new_root: document::root(old_root.as_deref(), attributes.collect(), &documents),
        old_root,
        new_steps,
    })
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
    catalogue: &crate::source::Catalogue,
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

fn check_strategy(
    archive: &Archive,
    requests: &[Request],
    strategy: &ChunkStrategy,
) -> Result<(), PlanError> {
    let main = requests
        .iter()
        .filter_map(|r| archive.catalogue().variable(&r.members[0]));
    let known: BTreeSet<&str> = main
        .flat_map(|v| v.dimensions.iter().map(String::as_str))
        .collect();
    match strategy.0.keys().find(|d| !known.contains(d.as_str())) {
        Some(dimension) if !requests.is_empty() => Err(PlanError::UnknownStrategyDimension {
            dimension: dimension.clone(),
            found: list(known.into_iter()),
        }),
        _ => Ok(()),
    }
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

/// Bytes that the threads of a rank hold to decode stored chunks: as stored, inflated and unshuffled.
fn scratch(drafts: &[Draft], threads: u64) -> u64 {
    let chunk = |d: &Draft| {
        d.stored_chunks.as_ref().map_or(0, |c| {
            c.iter().product::<u64>() * d.array.dtype.size() as u64
        })
    };
    3 * threads * drafts.iter().map(chunk).max().unwrap_or(0)
}

fn check_memory(plan: &mut Plan, scratch: u64, ranks: usize) -> Result<(), PlanError> {
    if let Some(largest) = plan.units.iter().max_by_key(|u| u.memory(plan)) {
        let needed = largest.memory(plan);
        if needed > plan.in_flight {
            return Err(PlanError::Memory {
                array: plan.arrays[largest.array].name.clone(),
                needed,
                available: plan.in_flight,
                least: needed + scratch,
            });
        }
    }
    let of_rank = |rank| {
        plan.units
            .iter()
            .filter(|u| u.owner == rank)
            .map(|u| u.memory(plan))
            .sum::<u64>()
    };
    let most = (0..ranks).map(of_rank).max().unwrap_or(0);
    plan.peak_memory = scratch + most.min(plan.in_flight);
    Ok(())
}
