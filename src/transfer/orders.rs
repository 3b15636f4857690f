//! What every rank is told of a transaction.
//!
//! Key type: [`Orders`].

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use msm_plan::{Plan, TargetStore};
use msm_zarr::layout;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::put::WriteConditions;
use super::record::ChunkRecord;

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
    /// And the undo copies that are there already, by key, with their sizes.
    pub saved: BTreeMap<String, u64>,
    /// Which conditions on writes the server keeps to.
    pub conditions: WriteConditions,
    /// Are the files read through the NetCDF library, by which what this program has read itself is judged?
    pub second_opinion: bool,
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
            saved: BTreeMap::new(),
            conditions: WriteConditions::default(),
            second_opinion: false,
        }
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
