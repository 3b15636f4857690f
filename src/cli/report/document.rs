//! The document that `--report` writes, as it is in the file: `docs/schemas/report-1.json` describes it.
//!
//! Key type: [`RunReport`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cli::json::Verified;
use crate::events::{RequestKind, Stage, WorkPhase};
use crate::measurements::{TransactionKind, TransactionOutcome};

/// What its member `format` says.
pub(in crate::cli) const FORMAT: &str = "msm_os/report/1";

/// What one run did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct RunReport {
    pub format: String,
    pub command: String,
    pub outcome: RunOutcome,
    pub exit_code: i32,
    pub error: Option<String>,
    pub begun: String,
    pub ended: String,
    pub elapsed_seconds: f64,
    pub program: ProgramVersions,
    pub arguments: Vec<String>,
    /// The settings that make up what was to be done: a run of the same can make up for this one.
    pub asked: Vec<String>,
    pub job: JobPlace,
    pub endpoint: Option<String>,
    pub place: Option<String>,
    pub plan: PlanRecord,
    pub result: Option<RunResult>,
    /// What `verify` found, if it came to that.
    #[serde(default)]
    pub verified: Option<Verified>,
    /// With `--share`, unless it could not be found out.
    pub shared: Option<SharedRecord>,
    pub written: Written,
    pub stages: BTreeMap<Stage, StageRecord>,
    pub requests: BTreeMap<RequestKind, RequestRecord>,
    pub retries: BTreeMap<String, u64>,
    /// By the smallest size of a bucket, a power of two, how many objects were put that are as large, but not twice as large.
    #[serde(default)]
    pub object_sizes: BTreeMap<u64, u64>,
    pub slowest_objects: Vec<SlowRecord>,
    pub commit: CommitRecord,
    pub guarantee: Option<GuaranteeRecord>,
    pub stores: Vec<StoreStanding>,
    pub problems: Vec<String>,
    /// What was said of files and stores before anything was written.
    #[serde(default)]
    pub notices: Vec<String>,
    /// Can trying again help? Of a run that failed.
    #[serde(default)]
    pub advice: Option<String>,
    pub ranks: Vec<RankRecord>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::cli) enum RunOutcome {
    Done,
    NothingToDo,
    Failed,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct ProgramVersions {
    pub version: String,
    /// By name: netcdf, hdf5, mpi.
    pub libraries: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct JobPlace {
    pub launcher: Option<String>,
    pub ranks: usize,
    /// Each once.
    pub hosts: Vec<String>,
    pub slurm: Option<SlurmJob>,
    /// `K/N`, from 0, if the run had but these parts of a shared archive.
    pub task: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct SlurmJob {
    pub job: String,
    pub array_job: Option<String>,
    pub array_task: Option<String>,
    pub restarts: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct PlanRecord {
    /// As many as the whole command comes to; of those that follow are the ones that were begun.
    pub of: usize,
    pub objects: u64,
    pub bytes: u64,
    pub memory_bytes: u64,
    pub transactions: Vec<TransactionEntry>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct TransactionEntry {
    pub number: usize,
    pub kind: TransactionKind,
    pub outcome: TransactionOutcome,
    pub files: Vec<String>,
    pub first_step: Option<String>,
    pub last_step: Option<String>,
    pub stores: usize,
    pub arrays: usize,
    pub objects: u64,
    pub bytes: u64,
    pub memory_bytes: u64,
    pub moved_steps: u64,
    pub planned: String,
    pub ended: Option<String>,
    pub commit_seconds: Option<f64>,
    pub manifest_md5: Option<String>,
    pub store_keys: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct RunResult {
    pub transactions: u64,
    pub stores_created: Vec<String>,
    pub stores_extended: Vec<String>,
    pub steps_appended: u64,
    pub steps_replaced: u64,
    pub objects: u64,
    pub bytes: u64,
    pub empty_objects: u64,
    pub decoded_bytes: u64,
    pub verified_by_reading: u64,
    pub verified_by_etag: u64,
    /// What came before has none.
    #[serde(default)]
    pub verified_by_server: u64,
    pub unverified: u64,
}

/// How far a shared archive was when the run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct SharedRecord {
    pub parts: usize,
    pub put_by_this_job: usize,
    pub committed: usize,
    /// Parts that are put and wait for others before them.
    pub waiting: usize,
    /// The last step that readers see.
    pub last_step: Option<String>,
    /// Did the run end because its time was over?
    pub out_of_time: bool,
}

/// What was put, verified or not yet, whatever became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cli) struct Written {
    pub objects: u64,
    pub bytes: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct StageRecord {
    pub seconds: f64,
    pub bytes: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct RequestRecord {
    pub count: u64,
    pub unanswered: u64,
    pub sent_bytes: u64,
    pub received_bytes: u64,
    pub latency: Option<LatencyRecord>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct LatencyRecord {
    pub min_seconds: f64,
    pub p50_seconds: f64,
    pub p90_seconds: f64,
    pub p99_seconds: f64,
    pub max_seconds: f64,
    /// By a bucket's shortest time, in microseconds, how many are in it; left out of single ranks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub histogram: BTreeMap<u64, u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct SlowRecord {
    pub key: String,
    pub bytes: u64,
    pub seconds: f64,
    pub rank: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct CommitRecord {
    pub count: u64,
    pub seconds: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct GuaranteeRecord {
    pub conditional_writes: String,
    pub lag_seconds: f64,
    pub lock_dir: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct StoreStanding {
    pub key: String,
    pub url: String,
    pub state: StoreState,
    /// What readers see of it, if it has steps and that is known.
    #[serde(default)]
    pub holds: Option<HoldsRecord>,
    /// Transactions of this run that are committed in it.
    pub committed: u64,
    /// The first step of the files of the first of them.
    #[serde(default)]
    pub first_step: Option<String>,
    /// The last step of the files of the last of them; of a shared archive, the last that readers see.
    pub last_step: Option<String>,
    /// Of a shared archive, as far as it is known.
    pub shared: Option<SharedStanding>,
}

/// The steps of a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cli) struct HoldsRecord {
    pub steps: u64,
    pub first_step: String,
    pub last_step: String,
    /// When that was so.
    pub seen: String,
}

/// Parts of a shared archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cli) struct SharedStanding {
    pub parts: usize,
    /// Those that readers see.
    pub committed: usize,
    /// Those that are put and wait for others before them; `None` if that could not be found out.
    pub waiting: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::cli) enum StoreState {
    /// All that this run began is in it.
    Committed,
    /// It is as it was before.
    Unchanged,
    /// Something is open in its journal.
    Open,
    /// Readers see some parts, or none yet, of a shared archive.
    Growing,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct RankRecord {
    pub rank: usize,
    pub host: String,
    pub written: Written,
    pub stages: BTreeMap<Stage, StageRecord>,
    pub requests: BTreeMap<RequestKind, RequestRecord>,
    pub retries: BTreeMap<String, u64>,
    pub phases: Vec<PhaseEntry>,
    /// What came before has none.
    #[serde(default)]
    pub samples: Option<SamplesRecord>,
}

/// What went on over time: a number for each bucket, from the first, as far as there is something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct SamplesRecord {
    pub begun: String,
    pub bucket_seconds: f64,
    /// Of objects that were put and verified.
    pub written_bytes: Vec<u64>,
    pub sent_bytes: Vec<u64>,
    pub received_bytes: Vec<u64>,
    /// Those that ended.
    pub requests: Vec<u64>,
    pub retries: Vec<u64>,
    /// The mean.
    pub requests_in_flight: Vec<f64>,
    /// Seconds of each; none of those that there was nothing of.
    pub stages: BTreeMap<Stage, Vec<f64>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct PhaseEntry {
    pub phase: WorkPhase,
    /// The place of its transaction among those of the plan, from 0; none before the first.
    pub transaction: Option<usize>,
    pub begun: String,
    pub ended: String,
    /// So long before the end, the rank had done its part, and waited for others.
    #[serde(default)]
    pub wait_seconds: f64,
}
