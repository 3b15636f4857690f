//! Transactions: the journal, the manifest, commit, rollback, and healing what a dead job left. The only room, with
//! `store`, that names keys.
//!
//! Key types: [`OpenTransaction`] and the states that follow it; [`JournalEntry`], what the journal says of one store; [`UnfinishedWork`],
//! found in a journal; [`Manifest`], the records of all ranks, complete; [`ObjectRecord`], a record in the ledger;
//! [`LastTransaction`], what the ledger says of a store; [`ManifestRecords`], what the manifests of all its
//! transactions say. Before all of that: [`Leases`], which keep other jobs away.

mod aborted;
mod array_removal;
mod back;
mod cleanup;
mod clear;
mod consolidation;
mod deletion;
mod edits;
mod expected;
mod forward;
mod group_removal;
mod heal;
mod journal;
mod lease;
mod ledger;
mod manifest;
mod manifests;
mod object_record;
mod orphans;
mod parts;
mod planned;
mod put;
mod put_back;
mod relative;
mod removal;
mod removal_error;
mod rollback;
mod transaction;
mod transaction_id;
mod truncation;
mod unfinished;
mod written_boxes;

pub use aborted::{Abort, AbortedTransaction, TransactionError};
pub use array_removal::ArrayRemoval;
pub use back::clear_ledger;
pub use cleanup::CleanupError;
pub use consolidation::consolidate;
pub use deletion::Deletion;
pub use group_removal::remove_group;
pub use heal::{heal, sweep_journal};
pub use journal::{JournalEntry, Stage, Writer};
pub use lease::{
    Crew, Holder, LeaseError, LeaseSettings, LeaseTimes, Leases, LiveLease, Rank, ReleaseError,
    WriterGuarantee, live_lease, probe_and_sweep, sweep, sweep_staged,
};
pub use ledger::LastTransaction;
pub use manifest::{Manifest, ManifestError};
pub use manifests::{ManifestRecords, read_manifests};
pub use object_record::ObjectRecord;
pub use orphans::orphans;
pub use parts::{holds, put_manifest, put_progress, read_progress};
pub use planned::{PlannedTransaction, TransactionTerms};
pub use removal::Removal;
pub use removal_error::{Need, RemovalError};
pub use rollback::StoreRollback;
pub use transaction::{CommittedTransaction, OpenTransaction};
pub use transaction_id::{is_id, number_of};
pub use truncation::StoreTruncation;
pub use unfinished::{Journal, UnfinishedTransaction, UnfinishedWork, read_journal};
