//! Making a transaction visible, or making it undone: the manifest's check, then array documents, then the root
//! documents last.
//!
//! Key types: [`Manifest`], the records of all ranks, complete; [`Commit`], the documents that were put so far.

mod apply;
mod manifest;

pub use apply::Commit;
pub use manifest::{Manifest, ManifestError};
