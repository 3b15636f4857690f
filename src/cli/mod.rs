//! The command line: flags with the reference tool's spellings, credentials, progress, report.
//!
//! Key types: [`Parsed`], [`StoreArgs`], [`SendArgs`], [`Meter`].

mod access;
mod args;
mod meter;
mod report;
mod send;
mod size;
mod store;

pub use args::{Command, Parsed, is_launched, parse};
pub use meter::Meter;
pub use report::{Summary, bytes_shown};
pub use send::SendArgs;
pub use store::{Opened, StoreArgs};
