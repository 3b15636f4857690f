//! The flags that say how a program is told what came of a command.
//!
//! Key types: [`JsonArgs`]; [`OutcomeArgs`], of commands that may find nothing to do.

use clap::Args;

/// How what was done is told.
#[derive(Args, Clone, Copy)]
pub(super) struct JsonArgs {
    /// Print one JSON document, for programs, and nothing else on standard output
    #[arg(long)]
    pub json: bool,
}

/// The same of a command that may find nothing to do.
#[derive(Args, Clone, Copy)]
pub(super) struct OutcomeArgs {
    #[command(flatten)]
    pub told: JsonArgs,

    /// End with exit code 3 if there was nothing to do
    #[arg(long, visible_alias = "exit_nothing")]
    pub exit_nothing: bool,
}
