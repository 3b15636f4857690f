//! What is said of a failure besides its message: where the stores now stand, and whether trying again can help.
//!
//! Key types: [`Retry`]; [`Standing`]. Key function: [`afterword`].

mod retry;
mod standing;

pub(super) use retry::{Helps, Retry};
pub(crate) use standing::Standing;

use super::error::CliError;

/// The line after the message of `error`, where the stores stand so, if the command was to write any. A command line that makes no sense
/// has been answered with what it should be.
pub(super) fn afterword(error: &CliError, standing: Option<&Standing>) -> Option<String> {
    let retry = Retry::of(error);
    match (error, standing) {
        (CliError::Line(_), _) => None,
        (CliError::ForPrograms(error), _) => afterword(error, standing),
        (_, Some(standing)) => Some(format!("{standing}; {retry}")),
        (_, None) => Some(retry.to_string()),
    }
}
