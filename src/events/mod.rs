//! What happens while a verb runs, told as values to whoever called it. Sentences are the front end's, but for those of errors,
//! of faults that `verify` finds, and of what `doctor` finds or is odd in files.
//!
//! Key types: [`Event`]; [`Reporter`], who is told; [`Notice`], what is worth knowing before anything is written.

mod fault;
mod limited;
mod measure;
mod notice;
mod replaced;
mod stage;
mod traffic;
mod work_span;

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use msm_model::SourceFile;
use msm_plan::MoveCost;
use serde::{Deserialize, Serialize};

pub use fault::{Fault, Finding, FindingState};
pub(crate) use limited::LimitedTime;
pub use measure::{Measure, RequestKind};
pub use notice::{NamesInStores, Notice, ReprojectionObstacle};
pub use replaced::ReplacedStore;
pub(crate) use stage::StageClock;
pub use stage::{PhaseWork, Stage, StageTime, StageTimes, WorkPhase};
pub use traffic::{Retrying, Traffic, TrafficState};
pub(crate) use work_span::WorkSpan;

/// Who is told what happens. It is called from the threads that do the work, so it should not take long.
pub trait Reporter: Send + Sync {
    /// Is told of `event`.
    fn tell(&self, event: &Event);

    /// Where this rank's requests are counted while they are in flight. Nobody looks at it, unless a reporter keeps one of its own.
    fn traffic(&self) -> Traffic {
        Traffic::default()
    }
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct SilentReporter;

impl Reporter for SilentReporter {
    fn tell(&self, _: &Event) {}
}

/// What happens. Rank 0 tells of the whole job, every rank of its own objects and requests.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// Something of the files or stores is otherwise than the user may think.
    Notice(Notice),
    /// A transaction is planned.
    Planned {
        /// Its number, from 1.
        number: usize,
        /// How many there are.
        of: usize,
        /// What it is of.
        files: PlannedFiles,
        /// What it comes to.
        size: PlanSize,
    },
    /// A transaction is open in the journals of these stores.
    TransactionBegun {
        /// Their keys.
        stores: Vec<String>,
    },
    /// A transaction goes on that a dead job left open.
    Resumed {
        /// Objects that are there already.
        objects: usize,
        /// Those among them that have data.
        with_data: usize,
        /// Those that were read again.
        read_again: usize,
        /// Were these as they were put? If not, the transaction begins anew.
        sound: bool,
    },
    /// Work begins whose progress is told.
    WorkBegun {
        /// What it does.
        work: WorkKind,
        /// Objects to do, if that is known.
        objects: Option<u64>,
        /// Bytes to do; 0 if that is not known.
        bytes: u64,
    },
    /// So much of it is done.
    Progress {
        /// Bytes.
        bytes: u64,
        /// Objects.
        objects: u64,
        /// Objects in flight, on all ranks.
        in_flight: u64,
        /// Which ranks are still at it.
        ranks: RanksAtWork,
    },
    /// It has ended, one way or the other.
    WorkEnded,
    /// This rank has put an object.
    ObjectWritten {
        /// Its key.
        key: String,
        /// Its length.
        bytes: u64,
        /// How long it took to put and to verify it.
        took: Duration,
    },
    /// Some work of this rank is over that was measured.
    #[serde(skip)] // thousands of them: reports have their sums
    Measured(Measure),
    /// A request of this rank got no answer, or one that may pass, and is made again.
    Retried {
        /// Its method.
        method: String,
        /// The path of its URL.
        path: String,
        /// What the server answered, if it did.
        status: Option<u16>,
    },
    /// A transaction is committed.
    Committed {
        /// The keys of its stores.
        stores: Vec<String>,
        /// The MD5 of what its manifest says of each object.
        digest: String,
    },
    /// What readers see of a store along the append dimension: as it was found, or after a transaction.
    Holds {
        /// The store's key.
        store: String,
        /// Its steps.
        steps: HeldSteps,
    },
    /// A transaction is committed, but its ledger not tidy; the next command goes on with it.
    Untidy {
        /// What could not be done.
        problem: String,
    },
    /// A part of an archive that many jobs send is this job's.
    PartTaken {
        /// Its number, from 0.
        number: usize,
        /// How many there are.
        of: usize,
        /// What it is of; its period is that of all of these.
        files: PlannedFiles,
        /// The keys of the archive's stores.
        stores: Vec<String>,
        /// What it comes to.
        size: PlanSize,
    },
    /// It is put and verified, out of readers' sight.
    PartPut {
        /// Its number, from 0.
        number: usize,
        /// How many there are.
        of: usize,
        /// Objects that are stored.
        objects: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// It cannot be put, for its files are in the way; the job goes on with others.
    PartFailed {
        /// Its number, from 0.
        number: usize,
        /// How many there are.
        of: usize,
        /// Why.
        why: String,
    },
    /// Parts that are put are being committed, for none before them is missing.
    Growing {
        /// Their numbers, from 0.
        parts: Range<usize>,
        /// How many there are.
        of: usize,
        /// What they are of.
        files: PlannedFiles,
        /// What the transaction comes to.
        size: PlanSize,
    },
    /// An archive that many jobs sent is not shared out any more.
    Abandoned {
        /// The keys of its stores.
        stores: Vec<String>,
    },
    /// A transaction that failed is undone: its stores are as they were.
    RolledBack,
    /// Another job holds a store that is waited for.
    Waiting {
        /// Its key.
        store: String,
        /// The job.
        holder: String,
        /// For so many seconds until now: it is told of again while it lasts.
        waited_seconds: u64,
        /// At most for so many.
        at_most_seconds: u64,
    },
    /// A lease could not be given up; it expires.
    LeaseLeftBehind {
        /// Why.
        problem: String,
    },
    /// What a dead job left is being brought to its end.
    Healing {
        /// The store's key.
        store: String,
        /// The job's transaction.
        transaction: TransactionIdentity,
    },
    /// What a dead job left has been brought to its end.
    Healed {
        /// The store's key.
        store: String,
        /// The job's transaction.
        transaction: TransactionIdentity,
        /// How it ended.
        outcome: Outcome,
    },
    /// A store's consolidated metadata has been made.
    Consolidated {
        /// Its key.
        store: String,
    },
    /// The weights of a reprojection are in a file now.
    WeightsWritten {
        /// The file.
        file: PathBuf,
    },
    /// A store's last transaction is undone.
    Undone {
        /// The store's key.
        store: String,
        /// The transaction.
        id: String,
        /// Its command; `None` if it had created the store, which is gone then.
        command: Option<String>,
    },
    /// An object that no transaction owns is about to be removed.
    Removing {
        /// Its key.
        key: String,
    },
    /// A store's arrays have been cut to one length.
    Truncated(Truncation),
    /// `verify` found something wrong.
    Fault(Fault),
    /// `verify` came upon a transaction that a live job is at.
    UnderWay {
        /// The first object of its journal.
        key: String,
    },
    /// What a job is changing could not be held against the manifests.
    Unsettled {
        /// The store or group.
        store: String,
        /// How many objects and documents.
        objects: u64,
    },
    /// `verify` came upon the manifest of a transaction that was not committed.
    Uncommitted {
        /// Its key.
        manifest: String,
    },
    /// Attributes of a store name arrays that it does not have.
    Dangling {
        /// The store's key.
        store: String,
        /// Each array, with the attributes that name it and the arrays they are of.
        missing: Vec<(String, Vec<(&'static str, String)>)>,
    },
    /// Objects of a store that no manifest knows have only been decoded.
    Unrecorded {
        /// The store or group.
        store: String,
        /// How many.
        objects: u64,
    },
    /// A store has been verified.
    Verified {
        /// The store or group.
        store: String,
        /// What was looked at.
        checked: CheckTally,
    },
    /// `doctor` tries in this folder.
    Examining {
        /// Its key.
        folder: String,
    },
    /// `doctor` has tried something.
    Finding(Finding),
    /// `doctor` has removed all that it put.
    Removed,
}

/// What work does whose progress is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkKind {
    /// Takes the leases of stores.
    Leasing,
    /// Reads what the files hold.
    Reading,
    /// Computes the weights of reprojections.
    Weighing,
    /// Compares what stores have with the files.
    Comparing,
    /// Keeps what is about to be overwritten.
    Keeping,
    /// Puts and verifies the objects of a transaction.
    Sending,
    /// Puts the small arrays and the documents.
    Committing,
    /// Puts back what a transaction that failed has touched.
    PuttingBack,
    /// Checks the objects of a store.
    Checking,
    /// Deletes objects.
    Deleting,
    /// Copies objects.
    Copying,
}

/// Which ranks are still at a work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RanksAtWork {
    /// How many ranks there are; 0 if it is not known which are still at it.
    pub all: u64,
    /// How many have done their share.
    pub done: u64,
    /// The one that all others wait for.
    pub last: Option<u64>,
    /// Was one of them sent a signal?
    pub is_stopping: bool,
    /// How many wait most of the time for the limits that the user gave.
    pub limited: u64,
}

/// What a transaction comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanSize {
    /// Stores that are written.
    pub stores: usize,
    /// Arrays that are written.
    pub arrays: usize,
    /// Objects that are written.
    pub objects: u64,
    /// Bytes of their values, decoded.
    pub bytes: u64,
    /// The most memory that a rank needs, in bytes.
    pub memory: u64,
    /// What it takes to make room for steps that are inserted.
    pub moves: MoveCost,
}

/// The steps that a store holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldSteps {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub first: String,
    /// The last.
    pub last: String,
}

/// The files of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedFiles {
    /// Their names, without folders, in the order of their steps.
    pub names: Vec<String>,
    /// Their first step and their last; `None` if they have none.
    pub steps: Option<(String, String)>,
}

impl PlannedFiles {
    /// These `files`, which are in the order of their steps.
    pub(crate) fn of(files: &[SourceFile]) -> Self {
        let names = files.iter().map(|file| {
            let name = file.path().file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        });
        let steps = || files.iter().flat_map(SourceFile::steps);
        let ends = steps().next().zip(steps().next_back());
        Self {
            names: names.collect(),
            steps: ends.map(|(first, last)| (first.to_string(), last.to_string())),
        }
    }
}

/// A transaction that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("the {command} {id} ({holder})")]
pub struct TransactionIdentity {
    /// Its id.
    pub id: String,
    /// Its command.
    pub command: String,
    /// The job.
    pub holder: String,
}

/// How a transaction that had not ended was, or would be, brought to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It never was.
    RolledBack,
    /// It had changed nothing yet, and will not.
    NeverBegun,
    /// All of it is there.
    Finished,
    /// The store is gone.
    Deleted,
}

/// What was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckTally {
    /// Objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Things that are wrong.
    pub faults: u64,
}

/// What is cut of a store's arrays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truncation {
    /// The store's key.
    pub store: String,
    /// The dimension.
    pub dimension: String,
    /// Each array with its length before and after.
    pub arrays: Vec<(String, u64, u64)>,
    /// Attributes that need not be true of what is left, and go.
    pub attributes: Vec<String>,
    /// Objects that are removed or cut.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}
