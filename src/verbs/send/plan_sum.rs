//! Summing up what transactions would do: by store, array and rank.
//!
//! Key type: [`PlanSum`].

use std::collections::{BTreeMap, BTreeSet};

use msm_model::Archive;
use msm_plan::{
    Phase, Plan, Projection, Resources, SourceReads, StoreRequest, TargetArray, Task, WorkUnit,
    source_reads,
};
use msm_zarr::{StoreSnapshot, StoredArray};

use super::intent::Intent;
use super::lead::size;
use super::plan_requests::{RequestRules, StoresAsked};
use super::plan_warning::{ArrayFacts, warnings};
use super::send_plan::{
    PlannedArray, PlannedStore, PlannedTransaction, RankWork, SendPlan, StepCounts, StoreAction,
};
use super::turns::PlannedWork;
use crate::events::PlannedFiles;
use crate::verbs::list::variable;
use crate::verbs::stores::shelf::coordinates;

/// The sum so far.
pub(super) struct PlanSum {
    task: Task,
    resources: Resources,
    rules: RequestRules,
    /// All stores, in the order in which they were asked for.
    stores: Vec<StoreSum>,
    transactions: Vec<PlannedTransaction>,
    /// What is read to compare what is static.
    compared: SourceReads,
    /// By rank.
    work: Vec<RankWork>,
    /// What weights take while they are computed.
    weights: u64,
}

struct StoreSum {
    request: StoreRequest,
    /// Is something done with it?
    is_written: bool,
    arrays: BTreeMap<String, ArraySum>,
}

struct ArraySum {
    planned: PlannedArray,
    is_coordinate: bool,
    facts: ArrayFacts,
}

impl PlanSum {
    /// Nothing yet, of what these `requests` ask for with all of the files.
    pub(super) fn new(requests: &[StoreRequest], intent: &Intent<'_>) -> Self {
        let ranks = intent.resources.ranks;
        let store = |request: &StoreRequest| StoreSum {
            request: request.clone(),
            is_written: false,
            arrays: BTreeMap::new(),
        };
        let rank = |rank| RankWork {
            rank,
            ..RankWork::default()
        };
        let new = requests.iter().filter(|request| request.stored.is_none());
        let asked = StoresAsked {
            all: requests.len() as u64,
            new: new.count() as u64,
            begins: requests.first().is_some_and(|first| first.stored.is_none()),
            rewrites: intent.task.goal.rewrites(),
        };
        Self {
            task: intent.task.clone(),
            resources: intent.resources,
            rules: RequestRules::new(intent.files.verify, &asked, ranks as u64),
            stores: requests.iter().map(store).collect(),
            transactions: Vec::new(),
            compared: SourceReads::default(),
            work: (0..ranks).map(rank).collect(),
            weights: 0,
        }
    }

    /// Adds what is compared before the first transaction.
    pub(super) fn compare(&mut self, plan: &Plan, archive: &Archive) {
        let reads = source_reads(plan, archive).into_iter();
        self.compared = reads.fold(self.compared, SourceReads::and);
        self.rules.compare(plan);
    }

    /// Adds a transaction of these files, those of `archive`: its `work`, and its stores as they are `after` it.
    pub(super) fn add(
        &mut self,
        number: usize,
        files: PlannedFiles,
        archive: &Archive,
        work: &PlannedWork,
        after: &[StoreSnapshot],
    ) {
        let plan = &work.plan;
        let reads = source_reads(plan, archive);
        for (store, (target, request)) in work.requests.iter().enumerate() {
            let sum = &mut self.stores[*target];
            sum.is_written = true;
            let mains = &request.mains;
            for (index, array) in plan.arrays.iter().enumerate() {
                if array.phase == Phase::Compare || !array.stores.contains(&store) {
                    continue;
                }
                // What several stores have alike is read for the first of them.
                let is_first = array.stores.first() == Some(&store);
                let reads = if is_first {
                    reads[index]
                } else {
                    SourceReads::default()
                };
                let objects = plan.units.objects_of(index);
                sum.add(array, objects, reads, &after[store], mains);
            }
        }
        let size = size(plan);
        let transaction = PlannedTransaction {
            number,
            files,
            size,
        };
        self.rules.add(plan);
        self.rules.add_moves(plan);
        self.put(transaction, plan);
    }

    /// How many stores there are.
    fn store_count(&self) -> u64 {
        self.stores.len() as u64
    }

    /// Adds what a job asks for once that shares in sending an archive, which it `begins` if no other job has.
    pub(super) fn share_in(&mut self, begins: bool) {
        let stores = self.store_count();
        self.rules.share(stores, begins);
    }

    /// Adds a commit of so many parts of a shared archive, as the transaction `like` it would commit; the data are put already. Is it the
    /// `last`?
    pub(super) fn commit_parts(&mut self, like: &Plan, parts: usize, last: bool) {
        let stores = self.store_count();
        self.rules.add_commit(like, stores, parts as u64);
        if last {
            self.rules.end_share(stores);
        }
    }

    /// Adds a part of a shared archive, of the files of `archive`: its data, which are put out of sight.
    pub(super) fn add_part(&mut self, archive: &Archive, plan: &Plan) {
        let reads = source_reads(plan, archive).into_iter();
        self.compared = reads.fold(self.compared, SourceReads::and);
        let stores = self.store_count();
        self.rules.add_part(plan, stores);
        self.put(
            PlannedTransaction {
                number: 0,
                files: PlannedFiles {
                    names: Vec::new(),
                    steps: None,
                },
                size: size(plan),
            },
            plan,
        );
    }

    /// Adds what ranks do.
    fn put(&mut self, transaction: PlannedTransaction, plan: &Plan) {
        self.share(plan);
        let peaks = Projection::peaks(&plan.projections, self.resources.threads);
        self.weights = peaks.map(|(_, peak)| peak).fold(self.weights, u64::max);
        self.transactions.push(transaction);
    }

    /// Adds what each rank does.
    fn share(&mut self, plan: &Plan) {
        let mut memory = vec![0; self.work.len()];
        for unit in &plan.units {
            let array = &plan.arrays[unit.array];
            memory[unit.owner] += unit.memory(plan);
            if array.phase != Phase::Compare {
                let times = array.stores.len() as u64;
                let work = &mut self.work[unit.owner];
                work.objects += unit.chunks.len() * times;
                work.bytes += unit.bytes(plan) * times;
            }
        }
        let scratch = self.resources.memory.saturating_sub(plan.in_flight);
        for (work, memory) in self.work.iter_mut().zip(memory) {
            work.memory = work.memory.max(scratch + memory.min(plan.in_flight));
        }
    }

    /// What it comes to, of the files of `archive`.
    pub(super) fn plan(self, archive: &Archive) -> SendPlan {
        let Self {
            task,
            resources,
            transactions,
            mut work,
            weights,
            ..
        } = self;
        let mut facts = Vec::new();
        let mut reads = self.compared;
        let mut stores = Vec::new();
        for sum in self.stores {
            for (name, array) in &sum.arrays {
                reads = reads.and(array.facts.reads);
                let name = format!("{}/{name}", sum.request.key);
                facts.push((name, array.facts));
            }
            stores.push(sum.planned(&task, archive));
        }
        for work in &mut work {
            work.memory = work.memory.max(weights);
        }
        let of_transactions = || transactions.iter().map(|one| one.size);
        SendPlan {
            nothing_to_do: transactions.is_empty(),
            ranks: resources.ranks,
            memory_limit: resources.memory,
            objects: of_transactions().map(|size| size.objects).sum(),
            bytes: of_transactions().map(|size| size.bytes).sum(),
            peak_memory: { of_transactions() }
                .map(|size| size.memory)
                .fold(weights, u64::max),
            requests: Some(self.rules.counts()),
            warnings: warnings(&facts),
            parts: Vec::new(),
            stores,
            transactions,
            reads,
            work,
        }
    }
}

impl StoreSum {
    /// Adds what a transaction does with an array: so many objects of it, and what is read for them. The store is this one `after` it, and
    /// has these data variables.
    fn add(
        &mut self,
        array: &TargetArray,
        objects: u64,
        reads: SourceReads,
        after: &StoreSnapshot,
        mains: &[String],
    ) {
        let mut held = after.arrays.iter();
        let Some(held) = held.find(|held| after.path_of(&held.name) == array.name) else {
            return;
        };
        let of_store = self.request.stored.iter().flat_map(|old| &old.arrays);
        let before = { of_store }.find(|old| old.name == held.name);
        let names = coordinates(&after.arrays, &self.request.key);
        let sum = self.arrays.entry(array.name.clone()).or_insert_with(|| {
            let planned = planned_array(array, held, before);
            let append = array.append.as_ref();
            ArraySum {
                is_coordinate: names.contains(&held.name) && !mains.contains(&held.name),
                facts: ArrayFacts {
                    is_bulk: array.phase == Phase::Transfer,
                    grows: append.is_some(),
                    object_bytes: planned.object_bytes,
                    chunk_steps: append.map_or(0, |append| array.chunk[append.axis]),
                    old_steps: append.map_or(0, |append| append.old),
                    ..ArrayFacts::default()
                },
                planned,
            }
        });
        sum.planned.shape.clone_from(&array.shape);
        sum.planned.objects += objects;
        sum.planned.bytes += objects * array.object_bytes();
        sum.facts.objects += objects;
        sum.facts.reads = sum.facts.reads.and(reads);
        if let Some(append) = &array.append {
            let new = array.shape[append.axis].saturating_sub(append.old);
            sum.facts.new_steps += new;
            if new > 0 && !append.old.is_multiple_of(array.chunk[append.axis]) {
                sum.facts.rewritten += across(array, append.axis);
            }
        }
    }

    /// What becomes of it with the files of `archive`, by this task.
    fn planned(self, task: &Task, archive: &Archive) -> PlannedStore {
        let request = &self.request;
        let before = request.stored.as_ref().map_or(0, |s| s.steps.len() as u64);
        let steps = step_counts(request, task);
        let adds = request.length() > before || request.adds();
        let action = match (&request.stored, self.is_written) {
            (_, false) => StoreAction::Leave,
            (None, true) => StoreAction::Create,
            (Some(_), true) if adds => StoreAction::Extend,
            (Some(_), true) => StoreAction::Change,
        };
        // A static archive has no steps.
        let has_steps = !archive.append_dimension.is_empty();
        let mut arrays: Vec<ArraySum> = self.arrays.into_values().collect();
        arrays.sort_by_key(|array| array.is_coordinate);
        PlannedStore {
            store: request.key.clone(),
            action,
            steps_before: before,
            steps_after: if has_steps { request.length() } else { 0 },
            steps,
            arrays: arrays.into_iter().map(|array| array.planned).collect(),
        }
    }
}

/// An array, of which nothing is written yet, as it is `held` afterwards, and was `before`.
fn planned_array(
    array: &TargetArray,
    held: &StoredArray,
    before: Option<&StoredArray>,
) -> PlannedArray {
    let described = variable(held, &BTreeSet::new());
    PlannedArray {
        name: array.name.clone(),
        dtype: described.dtype,
        dimensions: described.dimensions,
        shape_before: before.map(|before| before.shape.clone()),
        shape: array.shape.clone(),
        chunks: described.chunks,
        shards: described.shards,
        codecs: { described.codecs.iter() }
            .map(ToString::to_string)
            .collect(),
        objects: 0,
        bytes: 0,
        object_bytes: array.object_bytes(),
    }
}

/// What becomes of the files' steps.
fn step_counts(request: &StoreRequest, task: &Task) -> StepCounts {
    let before = request.stored.as_ref().map_or(0, |s| s.steps.len() as u64);
    let moves = request.moves();
    let last_moved = moves.last().map_or(0, |moved| moved.at + moved.count);
    let mut counts = StepCounts::default();
    for place in &request.placed {
        let count = if !place.stored {
            if before > 0 && place.at < last_moved {
                &mut counts.inserted
            } else {
                &mut counts.appended
            }
        } else if task.goal.replaces() {
            &mut counts.replaced
        } else if request.adds() || request.writes(place, task) {
            &mut counts.filled
        } else {
            &mut counts.skipped
        };
        *count += 1;
    }
    counts
}

/// Objects of the array side by side, at one place along the dimension `axis`.
fn across(array: &TargetArray, axis: usize) -> u64 {
    let sides = array.shape.iter().zip(&array.chunk).enumerate();
    let others = sides.filter(|(d, _)| *d != axis);
    others
        .map(|(_, (length, chunk))| length.div_ceil(*chunk))
        .product()
}

/// Objects of the unit that the store holds: they are copied before they are written over.
pub(super) fn held_objects(unit: &WorkUnit, array: &TargetArray) -> u64 {
    let Some(held) = array.held() else { return 0 };
    let sides = { unit.chunks.start.iter().zip(&unit.chunks.count) }
        .zip(held.count.iter().zip(&array.chunk));
    sides
        .map(|((&start, &count), (&length, &chunk))| {
            (start + count)
                .min(length.div_ceil(chunk))
                .saturating_sub(start)
        })
        .product()
}
