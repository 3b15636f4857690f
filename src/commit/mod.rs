//! Making a transaction visible, or making it undone: the manifest's check, then array documents, then the root
//! documents last; and the record of it in the ledger.
//!
//! Key types: [`Manifest`], the records of all ranks, complete; [`Commit`], the documents that were put so far;
//! [`LastTransaction`], what the ledger says of it. Before all of that: [`Leases`], which keep other jobs away.

mod apply;
mod kept;
mod lease;
mod ledger;
mod manifest;

pub use apply::Commit;
pub use kept::KeptRecord;
pub use lease::{Holder, LeaseSettings, LeaseTimes, Leases, live_holder};
pub use ledger::{LastTransaction, record};
pub use manifest::{Manifest, ManifestError};
