//! The command line: flags with the reference tool's spellings, credentials, progress, report.
//!
//! Key types: [`Parsed`], [`SendArgs`], [`Meter`].

mod args;
mod credentials;
mod meter;
mod report;
mod size;

pub use args::{Command, Parsed, SendArgs, is_launched, parse};
pub use credentials::read_credentials;
pub use meter::Meter;
pub use report::{Summary, bytes_shown};
