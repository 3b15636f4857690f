//! Transactions: the journal, the manifest, commit, rollback, and healing what a dead job left. Keys are made by
//! [`msm_zarr::layout`]; this room adds names within a ledger, and `store` looks for documents by name.
//!
//! Key types: [`OpenTransaction`] and the states that follow it; [`JournalEntry`], what the journal says of one store; [`UnfinishedWork`],
//! found in a journal; [`Manifest`], the records of all ranks, complete; [`ObjectRecord`], a record in the ledger;
//! [`LastTransaction`], what the ledger says of a store; [`ManifestRecords`], what the manifests of all its
//! transactions say. Before all of that: [`Leases`], which keep other jobs away.

mod aborted;
mod array_removal;
mod back;
mod back_outlook;
mod cleanup;
mod clear;
mod command_run;
mod committed;
mod consolidation;
mod copy_fault;
mod damaged_copies;
mod deletion;
mod edits;
mod expected;
mod forward;
mod group_removal;
mod heal;
mod journal;
mod known_before;
mod lease;
mod ledger;
mod manifest;
mod manifests;
mod merge;
mod merged;
mod object_record;
mod orphans;
mod parts;
mod planned;
mod put;
mod put_back;
mod relative;
mod remade_copies;
mod removal;
mod removal_error;
mod rollback;
mod share;
mod transaction;
mod transaction_id;
mod truncation;
mod undo_copies;
mod unfinished;
mod unmerge;
mod written_boxes;

pub use aborted::TransactionError;
pub(crate) use aborted::{Abort, AbortedTransaction};
pub(crate) use array_removal::ArrayRemoval;
pub(crate) use back::clear_ledger;
pub(crate) use back_outlook::foresee_back;
pub use cleanup::CleanupError;
pub(crate) use cleanup::removals;
pub(crate) use command_run::CommandRun;
pub use command_run::FileSpan;
pub(crate) use committed::{CommittedTransactions, unmoved};
pub(crate) use consolidation::consolidate;
pub use copy_fault::{CopyFault, DamagedCopies, DamagedCopy};
pub(crate) use damaged_copies::damaged_copies;
pub(crate) use deletion::{Deletion, NotBegun};
pub(crate) use forward::pruned_by_next;
pub(crate) use group_removal::remove_group;
pub(crate) use heal::{Healed, heal, sweep_journal};
pub(crate) use journal::{JournalEntry, Stage, Writer};
pub(crate) use lease::{
    Crew, LeaseSettings, LeaseTimes, Leases, LiveLease, live_lease, overwrite, probe_and_sweep,
    probe_sweep_and_remove, sweep, sweep_staged, told_lease,
};
pub use lease::{Holder, LeaseError, RankProcess, ReleaseError, WriterGuarantee};
pub(crate) use ledger::{LastTransaction, StoreRecipes};
pub use manifest::ManifestError;
pub(crate) use manifest::{Manifest, ManifestDraft};
pub(crate) use manifests::{ManifestRecords, read_manifests};
pub(crate) use merge::{is_due, merge_ledger};
pub(crate) use orphans::orphans;
pub(crate) use parts::{ToldManifest, holds, put_progress, read_progress, tell_manifest};
pub(crate) use planned::{PlannedTransaction, TransactionTerms};
pub(crate) use remade_copies::{Remaking, remake_copies};
pub(crate) use removal::Removal;
pub use removal_error::{Need, RemovalError};
pub(crate) use rollback::{StoreRollback, UndoSize};
pub(crate) use share::{
    PartResult, ShareState, SharedArchive, SharedFile, end_part, last_taker, part_records,
    take_part, taken_before,
};
pub(crate) use transaction::{CommittedTransaction, OpenTransaction};
pub(crate) use transaction_id::number_of;
pub(crate) use truncation::StoreTruncation;
pub(crate) use unfinished::{Journal, UnfinishedTransaction, UnfinishedWork, read_journal};
pub(crate) use unmerge::unmerge;
pub(crate) use written_boxes::WrittenBoxes;
