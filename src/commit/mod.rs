//! Making a transaction visible, or making it undone: the manifest's check, then array documents, then the root
//! documents last; and the record of it in the ledger.
//!
//! Key types: [`Manifest`], the records of all ranks, complete; [`Commit`], the documents that were put so far;
//! [`LastTransaction`], what the ledger says of it; [`Kept`], what the manifests of all transactions say of a store.

mod apply;
mod kept;
mod ledger;
mod manifest;
mod manifests;
mod orphans;

pub use apply::Commit;
pub use kept::KeptRecord;
pub use ledger::{LastTransaction, record};
pub use manifest::{Manifest, ManifestError};
pub use manifests::{Kept, read_kept, write_manifest};
pub use orphans::orphans;
