//! The command line, a front end of the library: flags with the reference tool's spellings become requests, events a bar and
//! lines, reports words and exit codes. All words that a user reads are made here, but for those of errors, of faults that
//! `verify` finds, of what `doctor` finds or is odd in files, and of the log.
//!
//! Key functions: [`parse`]; [`run`].

mod access;
mod args;
mod choices;
mod codes;
mod command;
mod copy;
mod delete;
mod doctor;
mod du;
mod error;
mod exit;
mod failure;
mod files;
mod grid;
mod help;
mod history;
mod hush;
mod job;
mod json;
mod lease;
mod list;
mod location;
mod log;
mod manual;
mod markup;
mod open;
mod outcome;
mod own_file;
mod page;
mod placement;
mod plan;
mod prices;
mod printer;
mod progress;
mod quicklook;
mod rate;
mod rechunk;
mod recipe;
mod recover;
mod report;
mod reproject;
mod run;
mod sbatch;
mod screen;
mod send;
mod settings;
mod share;
mod shell;
mod size;
mod status;
mod store;
mod terminal;
mod told;
mod tolerance;
mod verify;
mod whole_file;
mod witness;
mod words;

pub use args::{CommandLine, Invocation, parse};
pub use error::CliError;
pub use exit::Exit;
pub use run::{answer, end, fail, run};
pub use shell::Answer;
#[cfg(test)]
pub(crate) use {
    failure::Standing,
    run::run_over,
    store::{ReachedBucket, StoreArgs},
};
