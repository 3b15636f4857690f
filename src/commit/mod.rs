//! Transactions: the journal, the manifest, commit, rollback, and healing what a dead job left. The only room, with
//! `store`, that names keys.
//!
//! Key types: [`Transaction`], of all stores of a plan; [`Entry`], what the journal says of one store; [`Unfinished`],
//! found in a journal; [`Manifest`], the records of all ranks, complete; [`KeptRecord`], a record in the ledger;
//! [`LastTransaction`], what the ledger says of a store; [`Kept`], what the manifests of all its
//! transactions say. Before all of that: [`Leases`], which keep other jobs away.

mod array_removal;
mod back;
mod clear;
mod consolidation;
mod cut;
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
mod many;
mod orphans;
mod parts;
mod put;
mod put_back;
mod relative;
mod removal;
mod removing;
mod transaction;
mod written;

pub use array_removal::ArrayRemoval;
pub use back::{clear_ledger, roll_back};
pub use consolidation::consolidate;
pub use cut::Cut;
pub use group_removal::remove_group;
pub use heal::{begin_delete, begin_rollback, end_delete, heal, sweep_journal};
pub use journal::{
    Entry, Journal, ROLLBACK, State, Unfinished, Writer, is_id, new_id, number_of, read_journal,
    token,
};
pub use kept::KeptRecord;
pub use lease::{
    Crew, Holder, LeaseSettings, LeaseTimes, Leases, LiveLease, Rank, WriterGuarantee, live_lease,
    probe_and_sweep, sweep, sweep_staged,
};
pub use ledger::LastTransaction;
pub use manifest::{Manifest, ManifestError};
pub use manifests::{Kept, read_kept};
pub use orphans::orphans;
pub use parts::{holds, put_manifest, put_progress, read_progress};
pub use removal::Removal;
pub use transaction::{Opening, Transaction};
