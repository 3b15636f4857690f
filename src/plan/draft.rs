//! Drawing up the plan: arrays of each store, units from arrays, owners from units, and what it takes.
//!
//! Key types: [`Request`], one store to create or extend; [`Settings`].

use std::collections::BTreeSet;

use super::arrays::{Draft, draft_arrays};
use super::assign::assign;
use super::chunking::{ChunkStrategy, SHARDS_FLAG, STRATEGY_FLAG};
use super::error::PlanError;
use super::target::{Budget, Phase, Plan};
use super::units::units;
use crate::exit::Failure;
use crate::source::{Archive, list};
use crate::store::{Codec, Stored, Version};

/// Decoded bytes a unit may grow to, for the sake of reading each stored chunk once.
const UNIT_BYTES: u64 = 1 << 30;

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
    /// Shard sizes asked for.
    pub shards: ChunkStrategy,
    /// The version of the Zarr format asked for.
    pub version: Option<Version>,
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
    check_strategy(archive, requests, &settings.strategy, STRATEGY_FLAG)?;
    check_strategy(archive, requests, &settings.shards, SHARDS_FLAG)?;
    let mut first = 0;
    let mut files = Vec::new();
    for file in &archive.files {
        let steps = file.steps.len() as u64;
        files.push((file.catalogue.path.clone(), first, steps));
        first += steps;
    }
    let mut drafts = Vec::new();
    let mut stores = Vec::new();
    for (index, request) in requests.iter().enumerate() {
        stores.push(draft_arrays(
            archive,
            request,
            settings,
            index,
            &mut drafts,
        )?);
    }
    let scratch = scratch(&drafts, settings.budget.threads);
    let mut plan = Plan {
        files,
        stores,
        arrays: Vec::new(),
        units: Vec::new(),
        in_flight: settings.budget.memory.saturating_sub(scratch),
        peak_memory: 0,
    };
    for draft in drafts {
        add_units(&mut plan, draft);
    }
    assign(&mut plan, settings.ranks);
    check_memory(&mut plan, scratch, settings.ranks)?;
    Ok(plan)
}

/// Adds an array and its units.
fn add_units(plan: &mut Plan, draft: Draft) {
    let cap = UNIT_BYTES.min(plan.in_flight / 6);
    let stored = draft.stored_chunks.as_deref();
    let units = units(&draft.array, plan.arrays.len(), stored, cap);
    if draft.array.phase == Phase::Compare {
        // Against a store, every file; against the first file, the others.
        let from = usize::from(draft.array.stores.is_empty());
        for file in from..plan.files.len() {
            plan.units.extend(units.iter().cloned().map(|mut unit| {
                unit.file = file;
                unit
            }));
        }
    } else {
        plan.units.extend(units);
    }
    plan.arrays.push(draft.array);
}

fn check_strategy(
    archive: &Archive,
    requests: &[Request],
    strategy: &ChunkStrategy,
    flag: &'static str,
) -> Result<(), PlanError> {
    let variables = requests
        .iter()
        .filter_map(|r| archive.catalogue().variable(&r.members[0]));
    let known: BTreeSet<&str> = variables
        .flat_map(|v| v.dimensions.iter().map(String::as_str))
        .collect();
    match strategy.0.keys().find(|d| !known.contains(d.as_str())) {
        Some(dimension) => Err(PlanError::UnknownStrategyDimension {
            flag,
            dimension: dimension.clone(),
            found: list(known.into_iter()),
        }),
        None => Ok(()),
    }
}

/// Bytes that the threads of a rank hold to decode stored chunks: two buffers each, filled in turn.
fn scratch(drafts: &[Draft], threads: u64) -> u64 {
    let chunk = |d: &Draft| {
        let values: Option<u64> = d.stored_chunks.as_ref().map(|chunk| chunk.iter().product());
        values.unwrap_or(0) * d.array.dtype.size() as u64
    };
    2 * threads * drafts.iter().map(chunk).max().unwrap_or(0)
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
    let mut of_rank = vec![0u64; ranks];
    for unit in &plan.units {
        of_rank[unit.owner] += unit.memory(plan);
    }
    let most = of_rank.into_iter().max().unwrap_or(0);
    plan.peak_memory = scratch + most.min(plan.in_flight);
    Ok(())
}
