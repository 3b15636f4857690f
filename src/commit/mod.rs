//! Transactions: the journal, the manifest, commit, rollback, and healing what a dead job left. The only room, with
//! `store`, that names keys.
//!
//! Key types: [`Transaction`], of all stores of a plan; [`JournalEntry`], what the journal says of one store; [`Unfinished`],
//! found in a journal; [`Manifest`], the records of all ranks, complete; [`KeptRecord`], a record in the ledger;
//! [`LastTransaction`], what the ledger says of a store; [`Kept`], what the manifests of all its
//! transactions say. Before all of that: [`Leases`], which keep other jobs away.

mod array_removal;
mod back;
mod cleanup;
mod clear;
mod consolidation;
mod cut;
mod deletion;
mod edits;
mod expected;
mod forward;
mod group_removal;
mod heal;
mod journal;
mod kept;
mod lease;
mod ledger;
mod manifest;
mod manifests;
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
mod unfinished;
mod written;

pub use array_removal::ArrayRemoval;
pub use back::clear_ledger;
pub use cleanup::CleanupError;
pub use consolidation::consolidate;
pub use cut::Cut;
pub use deletion::Deletion;
pub use group_removal::remove_group;
pub use heal::{heal, sweep_journal};
pub use journal::{JournalEntry, Stage, Writer};
pub use kept::KeptRecord;
pub use lease::{
    Holder, LeaseError, LeaseSettings, LeaseTimes, Leases, LiveLease, Rank, ReleaseError,
    live_lease, probe_and_sweep, sweep, sweep_staged,
};
pub use ledger::LastTransaction;
pub use manifest::{Manifest, ManifestError};
pub use manifests::{Kept, read_kept};
pub use orphans::orphans;
pub use parts::{holds, put_manifest, put_progress, read_progress};
pub use planned::{Opening, PlannedTransaction};
pub use removal::Removal;
pub use removal_error::{Need, RemovalError};
pub use rollback::Rollback;
pub use transaction::{
    Abort, AbortedTransaction, CommitError, CommittedTransaction, OpenTransaction,
};
pub use transaction_id::{is_id, number_of};
pub use unfinished::{Journal, Unfinished, UnfinishedTransaction, read_journal};
