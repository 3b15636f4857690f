//! The verbs, a folder or a file each; each tells its story by calling the other rooms.

pub mod copy;
pub mod delete;
pub(crate) mod doctor;
pub mod du;
pub(crate) mod files;
pub mod history;
pub mod list;
pub mod open;
pub mod page;
pub mod quicklook;
pub mod rechunk;
pub mod recover;
pub(crate) mod reprojection;
pub mod rollback;
pub mod send;
pub(crate) mod shared;
pub mod status;
pub(crate) mod stores;
pub(crate) mod tally;
pub(crate) mod verify;

pub use files::selection::Selection;
pub use reprojection::corners::DomainFile;
pub use reprojection::error::{ReprojectionError, WeightsProblem};
pub use reprojection::request::{Edges, GridChoice, Longitudes, Reprojection};
pub use shared::error::{TransactionStep, WritingError};
pub use shared::hold::Leasing;
pub use stores::error::StoresError;
