//! What every rank is told of a transaction.
//!
//! Key type: [`Orders`].

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use msm_plan::{Derivation, Phase, Plan, TargetStore, UnitPart};
use msm_zarr::layout;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::put::WriteConditions;
use super::record::{ChunkRecord, Content};

/// What every rank is told of a transaction.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Orders {
    /// What is done.
    #[serde(with = "shared")]
    pub plan: Arc<Plan>,
    /// The transaction's id in each of the plan's stores; none if nothing is written.
    pub ids: Vec<String>,
    /// What is put of an archive that many jobs send: out of sight, without a transaction.
    pub part: Option<PartOrders>,
    /// Does it go on with what another run began?
    pub resumed: bool,
    /// Of a transaction that is resumed: the objects that are there already, and verified.
    pub done: Vec<ChunkRecord>,
    /// What manifests say of the objects of stored arrays that are read: by the plan's array that is made of one, or whose steps are moved, and the
    /// place in its own chunk grid.
    pub source_records: Vec<SourceRecord>,
    /// The undo copies that are there already, by key, with their sizes.
    pub saved: BTreeMap<String, u64>,
    /// Which conditions on writes the server keeps to.
    pub conditions: WriteConditions,
    /// Are the files read through the NetCDF library, by which what this program has read itself is judged?
    pub second_opinion: bool,
}

/// What a manifest says of an object that is read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SourceRecord {
    /// Which of the plan's arrays is made of it.
    pub array: usize,
    /// Its place in the chunk grid of the array that is read.
    pub chunk: Vec<u64>,
    /// What it holds.
    pub content: Content,
}

/// A part of an archive, as one job puts it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PartOrders {
    /// Its number, from 0.
    pub number: usize,
    /// What the job's records of it are called.
    pub taker: String,
}

/// Records by array, store and chunk.
pub(super) type FinishedRecords = HashMap<(usize, usize, Vec<u64>), ChunkRecord>;

impl Orders {
    /// To begin a transaction with these ids.
    #[must_use]
    pub(crate) fn new(plan: Plan, ids: Vec<String>) -> Self {
        Self {
            plan: Arc::new(plan),
            ids,
            part: None,
            resumed: false,
            done: Vec::new(),
            source_records: Vec::new(),
            saved: BTreeMap::new(),
            conditions: WriteConditions::default(),
            second_opinion: false,
        }
    }

    /// Are the small arrays, which rank 0 writes, written beside the others? Not where steps move: what is copied and where it goes is told
    /// apart by then. A part of an archive has none.
    pub(crate) fn small_with_data(&self) -> bool {
        self.part.is_none() && !self.plan.moves_steps()
    }

    /// Where the ledger of each of the plan's stores has what was put so far; `None` if it has not.
    #[must_use]
    pub(crate) fn progress(&self) -> Vec<Option<String>> {
        self.folders(
            |key, part| layout::part_progress(key, part.number),
            layout::progress,
        )
    }

    /// Where they have the records of all of it.
    #[must_use]
    pub(crate) fn manifests(&self) -> Vec<Option<String>> {
        self.folders(
            |key, part| layout::part_records(key, part.number, &part.taker),
            layout::manifest,
        )
    }

    fn folders(
        &self,
        of_part: impl Fn(&str, &PartOrders) -> String,
        of_transaction: impl Fn(&str, &str) -> String,
    ) -> Vec<Option<String>> {
        let folder = |(index, store): (usize, &TargetStore)| match &self.part {
            Some(part) => Some(of_part(&store.key, part)),
            None => Some(of_transaction(&store.key, self.ids.get(index)?)),
        };
        self.plan.stores.iter().enumerate().map(folder).collect()
    }

    /// What manifests say of the objects that `rank` reads, and of those between them, by the plan's arrays.
    pub(super) fn recorded(&self, rank: usize) -> HashMap<usize, HashMap<Vec<u64>, Content>> {
        let mut spans: HashMap<usize, Vec<(u64, u64)>> = HashMap::new();
        if self.source_records.is_empty() {
            return HashMap::new();
        }
        let phases = [Phase::Compare, Phase::Transfer].into_iter();
        for index in phases.flat_map(|phase| self.plan.units_of(rank, phase)) {
            let unit = &self.plan.units.get(index);
            let array = &self.plan.arrays[unit.array];
            let Derivation::Stored(origin) = &array.origin.form else {
                continue;
            };
            for UnitPart { in_array, .. } in unit.parts(array) {
                let span = |(d, size): (usize, &u64)| {
                    let end = in_array.start[d] + in_array.count[d];
                    (in_array.start[d] / size, end.div_ceil(*size))
                };
                let touched: Vec<(u64, u64)> = origin.object.iter().enumerate().map(span).collect();
                let all = spans.entry(unit.array).or_insert_with(|| touched.clone());
                for (all, one) in all.iter_mut().zip(touched) {
                    *all = (all.0.min(one.0), all.1.max(one.1));
                }
            }
        }
        // What moves is overwritten, and read from where it was.
        for lead in self.plan.units_of(rank, Phase::Keep) {
            let followers = &self.plan.units.get(lead).followers;
            for index in [lead].into_iter().chain(followers.iter().copied()) {
                let unit = &self.plan.units.get(index);
                let touched = unit.moved_from(&self.plan.arrays[unit.array]);
                let all = spans.entry(unit.array).or_insert_with(|| touched.clone());
                for (all, one) in all.iter_mut().zip(touched) {
                    *all = (all.0.min(one.0), all.1.max(one.1));
                }
            }
        }
        let mut recorded: HashMap<usize, HashMap<Vec<u64>, Content>> = HashMap::new();
        for record in &self.source_records {
            let Some(spans) = spans.get(&record.array) else {
                continue;
            };
            let mut places = record.chunk.iter().zip(spans);
            if places.all(|(at, (first, end))| first <= at && at < end) {
                let of_array = recorded.entry(record.array).or_default();
                of_array.insert(record.chunk.clone(), record.content);
            }
        }
        recorded
    }

    pub(super) fn done(&self) -> FinishedRecords {
        let keyed = |record: &ChunkRecord| {
            let place = (record.array, record.store, record.chunk.clone());
            (place, record.clone())
        };
        self.done.iter().map(keyed).collect()
    }
}

/// A plan travels as itself.
mod shared {
    use super::{Arc, Deserialize, Deserializer, Plan, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        plan: &Arc<Plan>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        plan.as_ref().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<Plan>, D::Error> {
        Plan::deserialize(deserializer).map(Arc::new)
    }
}
