//! The command line: flags with the reference tool's spellings, credentials, progress, report.
//!
//! Key types: [`Parsed`], [`StoreArgs`], [`SendArgs`], [`ListArgs`], [`DeleteArgs`], [`LeaseArgs`], [`Meter`];
//! [`StoreInfo`], what `list` prints of a store.

mod access;
mod args;
mod delete;
mod files;
mod inventory;
mod lease;
mod list;
mod meter;
mod recover;
mod report;
mod send;
mod size;
mod store;

pub use args::{Command, Parsed, is_launched, parse};
pub use delete::DeleteArgs;
pub use files::FileArgs;
pub use inventory::{StoreInfo, StoreState, TimeRange, Transaction, VariableInfo};
pub use lease::LeaseArgs;
pub use list::ListArgs;
pub use meter::Meter;
pub use recover::{RecoverArgs, RollbackArgs};
pub use report::{Summary, bytes_shown};
pub use send::{OnOverlap, SendArgs, UpdateArgs};
pub use store::{Opened, StoreArgs};
