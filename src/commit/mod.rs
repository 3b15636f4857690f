//! Making a transaction visible, or making it undone: the manifest's check, then array documents, then the root
//! documents last; and the record of it in the ledger.
//!
//! Key types: [`Manifest`], the records of all ranks, complete; [`Commit`], the documents that were put so far;
//! [`LastTransaction`], what the ledger says of it.

mod apply;
mod kept;
mod ledger;
mod manifest;

pub use apply::Commit;
pub use kept::KeptRecord;
pub use ledger::{LastTransaction, record};
pub use manifest::{Manifest, ManifestError};
