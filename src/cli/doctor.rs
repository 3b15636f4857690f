//! The flags of `doctor`, and its table.

use std::fmt;

use clap::Args;

use super::store::StoreArgs;
use crate::store::{Finding, State};

/// What `doctor` is told.
#[derive(Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    pub store: StoreArgs,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Good => "ok",
            State::Lesser => "note",
            State::Bad => "FAIL",
            State::Untried => "-",
        };
        write!(f, "{state:<5} {:<17} {}", self.what, self.found)
    }
}
