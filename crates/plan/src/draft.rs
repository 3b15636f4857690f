//! Drawing up the plan: arrays of each store, units from arrays, owners from units, and what it takes.
//!
//! Key type: [`StoreRequest`], one store to create or extend.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::arrays::{ArrayDraft, draft_arrays};
use super::assign::assign;
use super::chunking::{SHARDS_FLAG, STRATEGY_FLAG};
use super::coordinates::grid_dimensions;
use super::error::PlanError;
use super::follow::{HORIZONTAL, following, lead_of, pair};
use super::insertion::{Move, moves};
use super::lacking_steps::LackingSteps;
use super::projected::DerivedVariable;
use super::projection::Projection;
use super::settings::{PlanSettings, Resources, Task};
use super::steps::{Scope, StepPlacement};
use super::target::{Derivation, Phase, Plan, TargetStore};
use super::units::{objects_of, units};
use super::work_units::{UnitLattice, WorkUnits};
use msm_model::{Archive, Problems, Step, choices};
use msm_zarr::StoreSnapshot;

/// Decoded bytes a unit may grow to, for the sake of reading each stored chunk once.
const UNIT_BYTES: u64 = 1 << 30;
/// The same of one that is only compared, which gains nothing by more.
const COMPARED_UNIT_BYTES: u64 = 32 << 20;

/// The most objects of one transaction: each costs rank 0 some fifty bytes.
const MAX_OBJECTS: u64 = 1 << 24;

/// A store to create, to extend or to overwrite steps of.
#[derive(Clone)]
pub struct StoreRequest {
    /// Its key in the bucket.
    pub key: String,
    /// Its data variables.
    pub mains: Vec<String>,
    /// Its data variables, then the coordinates; without those that the store, which is there, goes on without.
    pub members: Vec<String>,
    /// What it goes on without.
    pub without: Vec<String>,
    /// Are attributes written that some of its arrays have not?
    pub repairs: bool,
    /// The arrays that no file has.
    pub added: Vec<DerivedVariable>,
    /// The store as it is; `None` to create it.
    pub stored: Option<StoreSnapshot>,
    /// What its arrays never got.
    pub lacking: LackingSteps,
    /// Where each step of the archive goes.
    pub placed: Vec<StepPlacement>,
    /// Which of them are meant.
    pub scope: Scope,
}

impl StoreRequest {
    /// Steps of the store after the transaction.
    #[must_use]
    pub fn length(&self) -> u64 {
        let stored = self.stored.as_ref().map_or(0, |s| s.steps.len() as u64);
        let meant = self.placed.iter().filter(|p| self.scope.has(p));
        let end = meant.map(|p| p.at + 1).max();
        let moves = self.moves();
        let moved = moves.last().map(|moved| moved.at + moved.count);
        stored.max(end.unwrap_or(0)).max(moved.unwrap_or(0))
    }

    /// How many steps the store has after the transaction, which is of this `archive`, with the first of them and the last; `None` if it
    /// has none.
    #[must_use]
    pub fn steps_after(&self, archive: &Archive) -> Option<(u64, [Step; 2])> {
        let stored = self.stored.iter().flat_map(|stored| &stored.steps);
        let steps = archive.steps();
        let meant = steps.iter().zip(&self.placed);
        let meant = meant.filter(|(_, place)| self.scope.has(place));
        let all = || stored.clone().chain(meant.clone().map(|(step, _)| step));
        let first = all().reduce(|a, b| if a.is_after(*b) { b } else { a });
        let last = all().reduce(|a, b| if b.is_after(*a) { b } else { a });
        let ends = first.zip(last);
        ends.map(|(first, last)| (self.length(), [*first, *last]))
    }

    /// How the store's steps make room for new ones.
    #[must_use]
    pub fn moves(&self) -> Vec<Move> {
        match &self.stored {
            Some(stored) if self.scope == Scope::All => {
                moves(stored.steps.len() as u64, &self.placed)
            }
            _ => Vec::new(),
        }
    }

    /// Where in the store the array `name` is: below its group, in a hierarchy.
    pub(super) fn path_of(&self, name: &str) -> String {
        let stored = self.stored.as_ref();
        stored.map_or_else(|| name.to_owned(), |stored| stored.path_of(name))
    }

    /// The names of all its arrays.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        let added = self.added.iter().map(|added| &added.variable.name);
        self.members.iter().chain(added)
    }

    /// Is there nothing to write, since the store has all arrays and steps? Then what can be compared still is: that it is
    /// the same data. Attributes to add may be there already, too: the plan tells.
    #[must_use]
    pub fn only_compares(&self, task: &Task) -> bool {
        !task.goal.rewrites()
            && task.attributes.is_empty()
            && !self.repairs
            && self.stored.is_some()
            && !self.adds()
            && !self.placed.iter().any(|place| self.writes(place, task))
    }

    /// Is anything written at this step: is it new, or overwritten, or was it never sent to one of the arrays that the store
    /// has? Arrays that are added are written at all steps.
    #[must_use]
    pub fn writes(&self, place: &StepPlacement, task: &Task) -> bool {
        self.scope.has(place)
            && (!place.stored
                || task.goal.replaces()
                || !self.lacking.is_empty()
                    && self.names().any(|name| self.lacking.has(name, place.at)))
    }

    /// Is there an array that the store, which is there, does not have?
    #[must_use]
    pub fn adds(&self) -> bool {
        let Some(stored) = &self.stored else {
            return false;
        };
        self.replaces_projected() || !self.names().all(|name| stored.holds(name))
    }

    /// Are arrays of another tool replaced by reprojected ones of this program?
    #[must_use]
    pub(crate) fn replaces_projected(&self) -> bool {
        self.added.iter().any(|added| added.replaces)
    }
}

/// The plan that puts the archive's steps into the requested stores. Static arrays are not compared: that is a plan of its
/// own, see [`comparison`].
///
/// # Errors
/// If a variable cannot be sent, does not fit its store, or the work does not fit the memory.
pub fn plan(
    archive: &Archive,
    requests: &[StoreRequest],
    settings: &PlanSettings,
) -> Result<Plan, Problems<PlanError>> {
    of_drafts(archive, requests, settings, |phase| phase != Phase::Compare)
}

/// The plan of what is put out of readers' sight for a [`Scope::Part`]: the objects of which the stores hold nothing, without what
/// comes with the commit.
///
/// # Errors
/// As [`plan`].
pub fn part_plan(
    archive: &Archive,
    requests: &[StoreRequest],
    settings: &PlanSettings,
) -> Result<Plan, Problems<PlanError>> {
    let (stores, mut drafts) = draft(archive, requests, settings)?;
    drafts.retain_mut(|draft| {
        let array = &mut draft.array;
        let chunks = array.chunk.clone();
        array.phase == Phase::Transfer
            && array.append.as_mut().is_some_and(|append| {
                append.leave_held(chunks[append.axis]);
                !append.runs.is_empty()
            })
    });
    of_stores(archive, settings, stores, drafts)
}

/// The plan that compares the static arrays of all the archive's files with each other and the stores; it writes nothing.
///
/// # Errors
/// As [`plan`].
pub fn comparison(
    archive: &Archive,
    requests: &[StoreRequest],
    settings: &PlanSettings,
) -> Result<Plan, Problems<PlanError>> {
    of_drafts(archive, requests, settings, |phase| phase == Phase::Compare)
}

fn of_drafts(
    archive: &Archive,
    requests: &[StoreRequest],
    settings: &PlanSettings,
    wanted: impl Fn(Phase) -> bool,
) -> Result<Plan, Problems<PlanError>> {
    let (stores, mut drafts) = draft(archive, requests, settings)?;
    drafts.retain(|draft| wanted(draft.array.phase));
    of_stores(archive, settings, stores, drafts)
}

/// The plan that compares all that the archive's files hold with stores that have it; it writes nothing.
///
/// # Errors
/// As [`plan`].
pub fn against(
    archive: &Archive,
    requests: &[StoreRequest],
    settings: &PlanSettings,
) -> Result<Plan, Problems<PlanError>> {
    let (stores, mut drafts) = draft(archive, requests, settings)?;
    // Each file with the stores, not with the first one.
    drafts.retain(|draft| !draft.array.stores.is_empty());
    for draft in &mut drafts {
        draft.array.phase = Phase::Compare;
    }
    of_stores(archive, settings, stores, drafts)
}

fn of_stores(
    archive: &Archive,
    settings: &PlanSettings,
    stores: Vec<TargetStore>,
    drafts: Vec<ArrayDraft>,
) -> Result<Plan, Problems<PlanError>> {
    let basis = PlanBasis {
        archive: Some(archive),
        files: archive.paths(),
        own_files: archive.files.len(),
        projections: settings.projections.all.clone(),
        scratch: scratch(&drafts, settings),
        reads: 0,
    };
    of_basis(basis, settings.resources, stores, drafts)
}

/// What a plan is made of, beside its arrays.
#[derive(Default)]
pub(super) struct PlanBasis<'a> {
    /// What holds the files, if source files are read.
    pub archive: Option<&'a Archive>,
    /// The files that are read.
    pub files: Vec<PathBuf>,
    /// So many are of the archive; behind them comes the one that coordinates are borrowed from.
    pub own_files: usize,
    pub projections: Vec<Projection>,
    /// Bytes that a rank holds beside its units.
    pub scratch: u64,
    /// Objects of stored arrays that it reads at a time.
    pub reads: usize,
}

/// The plan of these stores and arrays.
///
/// # Errors
/// If the work does not fit the memory, or there are too many objects.
pub(super) fn of_basis(
    basis: PlanBasis<'_>,
    resources: Resources,
    stores: Vec<TargetStore>,
    drafts: Vec<ArrayDraft>,
) -> Result<Plan, Problems<PlanError>> {
    let objects = drafts.iter().map(|draft| objects_of(&draft.array));
    let found = objects.fold(0, u64::saturating_add);
    if found > MAX_OBJECTS {
        let most = MAX_OBJECTS;
        return Err(PlanError::Objects { found, most }.into());
    }
    let PlanBasis {
        archive,
        own_files,
        scratch,
        ..
    } = basis;
    let mut plan = Plan {
        files: basis.files,
        stores,
        arrays: Vec::new(),
        projections: basis.projections,
        units: WorkUnits::default(),
        reads: basis.reads,
        in_flight: resources.memory.saturating_sub(scratch),
        peak_memory: 0,
    };
    let leads: BTreeSet<usize> = drafts
        .iter()
        .filter_map(|draft| lead_of(&draft.array, drafts.iter().map(|d| &d.array)))
        .collect();
    let mut lattices = Vec::new();
    for (index, draft) in drafts.into_iter().enumerate() {
        let leads = leads.contains(&index);
        add_units(&mut plan, &mut lattices, draft, leads, own_files);
    }
    plan.units = WorkUnits::new(lattices);
    pair(&mut plan);
    assign(&mut plan, archive, resources.ranks);
    check_memory(&mut plan, scratch, resources.ranks)?;
    Ok(plan)
}

/// The stores and arrays of a plan.
///
/// # Errors
/// Everything that does not fit, together.
pub(super) fn draft(
    archive: &Archive,
    requests: &[StoreRequest],
    settings: &PlanSettings,
) -> Result<(Vec<TargetStore>, Vec<ArrayDraft>), Problems<PlanError>> {
    let (mut stores, mut drafts, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    for (index, request) in requests.iter().enumerate() {
        match draft_arrays(archive, request, settings, index, &mut drafts) {
            Ok(store) => stores.push(store),
            Err(of_store) => problems.extend(of_store),
        }
    }
    Problems::together(problems)?;
    Ok((stores, drafts))
}

/// Bytes of what is compared at a time: no less than a stored chunk, which would be inflated for each part of it.
fn compared_unit(draft: &ArrayDraft) -> u64 {
    let stored = draft.stored_chunks.iter().flatten();
    let stored = stored.fold(draft.array.dtype.size() as u64, |bytes, length| {
        bytes.saturating_mul(*length)
    });
    COMPARED_UNIT_BYTES.max(stored)
}

/// Adds an array, which `leads` if others are reprojected from what it reads, and its units. The archive has so many
/// `files`; behind them comes the one that coordinates are borrowed from.
fn add_units(
    plan: &mut Plan,
    lattices: &mut Vec<UnitLattice>,
    draft: ArrayDraft,
    leads: bool,
    files: usize,
) {
    let (array, index) = (&draft.array, plan.arrays.len());
    if let Some(lead) = lead_of(array, &plan.arrays) {
        let units = following(lattices, lead, array, index);
        lattices.extend(units);
        plan.arrays.push(draft.array);
        return;
    }
    let cap = match draft.array.phase {
        Phase::Compare => compared_unit(&draft),
        _ => UNIT_BYTES,
    };
    let cap = cap.min(plan.in_flight / 6);
    // What is reprojected needs whole fields, and room for both.
    let (cap, whole) = if leads || matches!(array.origin.form, Derivation::Projected { .. }) {
        (cap / 2, HORIZONTAL)
    } else {
        (cap, 0)
    };
    // A stored chunk may be cut into ever so many objects.
    let cap = array.decoded_within(cap);
    let units = units(array, index, draft.stored_chunks.as_deref(), cap, whole);
    let made = matches!(array.origin.form, Derivation::Made(_));
    let of_each_file = array.append.is_none() && array.origin.file < files && !made;
    if draft.array.phase == Phase::Compare && of_each_file {
        // Against a store, every file; against the first file, the others.
        let from = usize::from(draft.array.stores.is_empty());
        for file in from..files {
            lattices.extend(units.iter().cloned().map(|mut units| {
                units.file = file;
                units
            }));
        }
    } else {
        lattices.extend(units);
    }
    plan.arrays.push(draft.array);
}

/// Checks that the chunk and shard sizes asked for are those of dimensions of `mains`: the data variables of all stores,
/// also of those where nothing is to be done.
///
/// # Errors
/// The first dimension that none of them has.
pub fn check_strategies<'a>(
    archive: &Archive,
    mains: impl Iterator<Item = &'a String>,
    settings: &PlanSettings,
) -> Result<(), PlanError> {
    let variables = mains.filter_map(|name| archive.catalogue.variable(name));
    let projected = settings.projections.all.iter();
    let projected: BTreeSet<String> = projected
        .flat_map(|projection| grid_dimensions(&projection.grid))
        .map(|(name, _)| name)
        .collect();
    let known: BTreeSet<&str> = variables
        .flat_map(|v| v.dimensions.iter().map(String::as_str))
        .chain(projected.iter().map(String::as_str))
        .collect();
    for (flag, sizes) in [
        (STRATEGY_FLAG, &settings.arrays.chunks),
        (SHARDS_FLAG, &settings.arrays.shards),
    ] {
        if let Some(dimension) = sizes.0.keys().find(|d| !known.contains(d.as_str())) {
            let mut recipes = archive.catalogue.recipes.values();
            let renamed = recipes.find_map(|recipe| recipe.dimensions.get(dimension));
            let renamed = renamed
                .map(|new| format!("; what the files call '{dimension}', the stores call '{new}'"));
            let found = choices(dimension, known.into_iter());
            return Err(PlanError::UnknownStrategyDimension {
                flag: flag.to_owned(),
                dimension: dimension.clone(),
                found: format!("{found}{}", renamed.unwrap_or_default()),
            });
        }
    }
    Ok(())
}

/// Bytes that a rank holds beside its units. For each thread two buffers to decode stored chunks, filled in turn, and a
/// field to reproject that lies in several objects; and the weights of reprojection.
fn scratch(drafts: &[ArrayDraft], settings: &PlanSettings) -> u64 {
    let threads = settings.resources.threads;
    let field = |d: &ArrayDraft| match &d.array.origin.form {
        Derivation::Projected { projection, .. } => {
            settings.projections.all[*projection].cells.len() * d.array.dtype.size() as u64
        }
        Derivation::AsRead | Derivation::Made(_) | Derivation::Stored(_) => 0,
    };
    let fields = threads * drafts.iter().map(field).max().unwrap_or(0);
    let chunk = |d: &ArrayDraft| {
        let values: Option<u64> = d.stored_chunks.as_ref().map(|chunk| chunk.iter().product());
        values.unwrap_or(0) * d.array.dtype.size() as u64
    };
    2 * threads * drafts.iter().map(chunk).max().unwrap_or(0)
        + fields
        + settings.projections.weights
}

fn check_memory(plan: &mut Plan, scratch: u64, ranks: usize) -> Result<(), PlanError> {
    let mut of_rank = vec![0u64; ranks];
    // Of those that need most, the last.
    let (mut needed, mut array) = (0, 0);
    for unit in &plan.units {
        let memory = unit.memory(plan);
        of_rank[unit.owner] += memory;
        if memory >= needed {
            (needed, array) = (memory, unit.array);
        }
    }
    if needed > plan.in_flight {
        return Err(PlanError::Memory {
            array: plan.arrays[array].name.clone(),
            needed,
            available: plan.in_flight,
            least: needed + scratch,
        });
    }
    let most = of_rank.into_iter().max().unwrap_or(0);
    plan.peak_memory = scratch + most.min(plan.in_flight);
    Ok(())
}
