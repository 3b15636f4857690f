//! The command line: flags with the reference tool's spellings, credentials, progress, report.
//!
//! Key types: [`Parsed`], and what each command is told: [`SendArgs`], [`DeleteArgs`], [`VerifyArgs`] and their like;
//! [`StoreArgs`] and [`LeaseArgs`], which many of them share; [`Meter`]; [`StoreInfo`], what `list` prints of a store.

mod access;
mod args;
mod choices;
mod delete;
mod doctor;
mod files;
mod grid;
mod inventory;
mod lease;
mod list;
mod log;
mod meter;
mod recover;
mod report;
mod reproject;
mod say;
mod send;
mod size;
mod store;
mod tolerance;
mod verify;

pub use args::{Command, Parsed, parse};
pub use delete::DeleteArgs;
pub use doctor::DoctorArgs;
pub use files::FileArgs;
pub use grid::GridArgs;
pub use inventory::{StoreInfo, StoreState, TimeRange, Transaction, VariableInfo};
pub use lease::LeaseArgs;
pub use list::ListArgs;
pub use meter::Meter;
pub use recover::{RecoverArgs, RollbackArgs};
pub use report::{Summary, bytes_shown};
pub use reproject::ReprojectArgs;
pub use say::say;
pub use send::{OnOverlap, SendArgs, UpdateArgs};
pub use store::{Opened, Spot, StoreArgs};
pub use verify::VerifyArgs;
