//! What `--json` prints of a command that failed.

use serde::Serialize;

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::failure::{Helps, Retry, Standing};

/// `msm_os/error/1`.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct ErrorDocument {
    format: &'static str,
    exit_code: i32,
    exit: String,
    message: String,
    retry: RetryView,
    stores: Option<StandingView>,
}

/// Can trying again help?
#[derive(Debug, Serialize)]
struct RetryView {
    helps: &'static str,
    how: Option<&'static str>,
}

/// Where the stores now stand.
#[derive(Debug, Serialize)]
struct StandingView {
    state: &'static str,
    transactions: Option<CommittedPart>,
    what: String,
}

/// How many transactions, or parts, are committed.
#[derive(Debug, Serialize)]
struct CommittedPart {
    committed: u64,
    of: Option<u64>,
    up_to: Option<String>,
}

impl ErrorDocument {
    /// Of `error`, where the stores stand so, if the command was to write any.
    pub(in crate::cli) fn new(error: &CliError, standing: Option<&Standing>) -> Self {
        let exit = Exit::from(error);
        let Retry { helps, how } = Retry::of(error);
        Self {
            format: "msm_os/error/1",
            exit_code: exit.code(),
            exit: exit.name(),
            message: error.to_string(),
            retry: RetryView {
                helps: match helps {
                    Helps::Yes => "yes",
                    Helps::No => "no",
                    Helps::After => "after",
                    Helps::Unknown => "unknown",
                },
                how,
            },
            stores: standing.map(StandingView::from),
        }
    }
}

impl From<&Standing> for StandingView {
    fn from(standing: &Standing) -> Self {
        let transactions = match standing {
            Standing::Committed {
                committed,
                of,
                up_to,
                ..
            } => Some(CommittedPart {
                committed: *committed,
                of: *of,
                up_to: up_to.clone(),
            }),
            _ => None,
        };
        Self {
            state: standing.name(),
            transactions,
            what: standing.to_string(),
        }
    }
}
