//! What a send or an update would do, as a value: the whole plan, as far as metadata tell.
//!
//! Key types: [`SendPlan`]; [`PlannedStore`] and [`PlannedArray`], what becomes of each; [`PlannedTransaction`] and
//! [`PlannedPart`], in which order; [`RankWork`], who does it.

use msm_plan::SourceReads;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::plan_warning::PlanWarning;
use crate::events::{PlanSize, PlannedFiles};

/// What would be done. With `--json`, these are members of the document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SendPlan {
    /// Is there nothing to do?
    pub nothing_to_do: bool,
    /// Ranks that it is planned for.
    pub ranks: usize,
    /// Bytes of data that each of them may hold.
    pub memory_limit: u64,
    /// The stores, those too that are left alone.
    pub stores: Vec<PlannedStore>,
    /// The transactions that have something to do, in order; of a shared archive, as one job alone would make them.
    pub transactions: Vec<PlannedTransaction>,
    /// The parts that jobs take, if they share in sending the archive.
    pub parts: Vec<PlannedPart>,
    /// Objects that are written, at most: those that are all fill are not stored. If other jobs have parts of the archive, those that this
    /// one would put; so are the bytes, reads, work, memory and requests.
    pub objects: u64,
    /// Bytes of their values, decoded.
    pub bytes: u64,
    /// What is read of the files.
    pub reads: SourceReads,
    /// What each rank does.
    pub work: Vec<RankWork>,
    /// The most memory that a rank needs, in bytes, beside what the program itself takes.
    pub peak_memory: u64,
    /// Requests to the store, about; `None` where it is a directory.
    pub requests: Option<RequestCounts>,
    /// What is worth a thought before it is sent.
    pub warnings: Vec<PlanWarning>,
}

/// What becomes of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreAction {
    /// It is new.
    Create,
    /// It gets steps, or arrays.
    Extend,
    /// Values or attributes that it has change, and nothing else.
    Change,
    /// It stays as it is: it has all that the files have.
    Leave,
}

/// What would become of a store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedStore {
    /// Its key.
    pub store: String,
    /// What is done with it.
    pub action: StoreAction,
    /// Its steps before.
    pub steps_before: u64,
    /// Its steps afterwards.
    pub steps_after: u64,
    /// What becomes of the files' steps.
    pub steps: StepCounts,
    /// Its arrays that are written, data variables first.
    pub arrays: Vec<PlannedArray>,
}

/// What becomes of the files' steps in a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepCounts {
    /// Put behind its end.
    pub appended: u64,
    /// Put before steps that it has.
    pub inserted: u64,
    /// Written over steps that it has.
    pub replaced: u64,
    /// Written where arrays of it lack them, at steps that it has.
    pub filled: u64,
    /// Left alone, for it has them.
    pub skipped: u64,
}

/// What would become of an array.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedArray {
    /// Its name, with those of the groups that it lies in.
    pub name: String,
    /// Zarr's name of its type.
    pub dtype: String,
    /// The names of its dimensions.
    pub dimensions: Vec<String>,
    /// Its shape before; `None` if it is new.
    pub shape_before: Option<Vec<u64>>,
    /// Its shape afterwards.
    pub shape: Vec<u64>,
    /// Its chunk shape.
    pub chunks: Vec<u64>,
    /// Its shard shape, if it is sharded.
    pub shards: Option<Vec<u64>>,
    /// Its codecs as in its document; texts of JSON, one each.
    pub codecs: Vec<String>,
    /// Objects of it that are written.
    pub objects: u64,
    /// Bytes of their values, decoded.
    pub bytes: u64,
    /// Bytes of the values of one object.
    pub object_bytes: u64,
}

impl PlannedArray {
    /// Its codecs as JSON.
    #[must_use]
    pub fn codec_documents(&self) -> Vec<Value> {
        let texts = self.codecs.iter();
        texts
            .filter_map(|text| serde_json::from_str(text).ok())
            .collect()
    }
}

/// What a transaction would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedTransaction {
    /// Its number, from 1, of those that the files are sent in.
    pub number: usize,
    /// What it is of.
    pub files: PlannedFiles,
    /// What it comes to.
    pub size: PlanSize,
}

/// A part of an archive that many jobs send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedPart {
    /// Its number, from 1.
    pub number: usize,
    /// What it is of.
    pub files: PlannedFiles,
    /// Steps of it.
    pub steps: u64,
    /// Do readers see it already?
    pub is_committed: bool,
    /// Is it put already, and waits out of readers' sight for those before it?
    pub is_waiting: bool,
    /// Would this job take it, if no other has?
    pub is_own: bool,
}

impl PlannedPart {
    /// Would this job put it?
    #[must_use]
    pub fn is_to_be_put(&self) -> bool {
        self.is_own && !self.is_committed && !self.is_waiting
    }
}

/// What a rank would do, over all transactions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankWork {
    /// Which.
    pub rank: usize,
    /// Objects that it writes.
    pub objects: u64,
    /// Bytes of their values, decoded.
    pub bytes: u64,
    /// Bytes that it holds at its peak.
    pub memory: u64,
}

/// Requests to the store. Those of objects are counted, at most; those of documents, ledgers and leases are about so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestCounts {
    /// Of objects, documents and ledgers.
    pub put: u64,
    /// For what is verified, compared, and written over; and of documents and ledgers.
    pub get: u64,
    /// Of what is overwritten, into the ledger, inside the server.
    pub copy: u64,
    /// To look for what is there.
    pub head: u64,
    /// Of folders.
    pub list: u64,
    /// Of leases and journals that have served.
    pub delete: u64,
}

impl RequestCounts {
    /// These and `others`.
    pub(in crate::verbs) fn and(self, others: Self) -> Self {
        Self {
            put: self.put + others.put,
            get: self.get + others.get,
            copy: self.copy + others.copy,
            head: self.head + others.head,
            list: self.list + others.list,
            delete: self.delete + others.delete,
        }
    }

    /// So many times these.
    pub(in crate::verbs) fn times(self, count: u64) -> Self {
        Self {
            put: self.put * count,
            get: self.get * count,
            copy: self.copy * count,
            head: self.head * count,
            list: self.list * count,
            delete: self.delete * count,
        }
    }

    /// Each kind, by its name in documents, with how many there are.
    #[must_use]
    pub fn by_kind(&self) -> [(&'static str, u64); 6] {
        [
            ("put", self.put),
            ("get", self.get),
            ("copy", self.copy),
            ("head", self.head),
            ("list", self.list),
            ("delete", self.delete),
        ]
    }
}
