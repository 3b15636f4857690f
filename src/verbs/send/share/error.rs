//! Why an archive is not shared, or not any more.

use std::path::PathBuf;

use msm_model::{are, counted};
use serde::{Deserialize, Serialize};

/// What a job finds that sends a shared archive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum ShareError {
    #[error(
        "{}: is not among the files that the archive was shared out with ({by}); give all jobs the same files. To begin \
         anew with others: recover --abandon",
        path.display()
    )]
    NewFile {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        by: String,
    },
    #[error(
        "{}: is one of the files that the archive was shared out with ({by}), and is not among those of this job; give all \
         jobs the same files. To begin anew with others: recover --abandon",
        path.display()
    )]
    GoneFile {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        by: String,
    },
    #[error(
        "{}: has changed since the archive was shared out ({by}): {bytes} bytes changed at {modified}, expected {old_bytes} \
         changed at {old_modified}; parts of it may be in the store already. To begin anew: recover --abandon",
        path.display()
    )]
    ChangedFile {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        by: String,
        bytes: u64,
        modified: String,
        old_bytes: u64,
        old_modified: String,
    },
    #[error(
        "{setting}: {found} here, {expected} where the archive was shared out ({by}); give all jobs the same. To begin anew with \
         others: recover --abandon"
    )]
    Settings {
        setting: String,
        found: String,
        expected: String,
        by: String,
    },
    #[error(
        "store '{store}' is not one of those that the archive was shared out to ({}; {by}); give all jobs the same \
         variables and prefix",
        stores.join(", ")
    )]
    Stores {
        store: String,
        stores: Vec<String>,
        by: String,
    },
    #[error("{what} cannot be shared among jobs: {why}")]
    Unshareable { what: String, why: String },
    #[error(
        "the archive is not shared out any more: recover --abandon has ended that, or is about to; what was committed is in place. \
         To send the rest: the same command with --on-overlap skip"
    )]
    Abandoned,
    #[error(
        "recover --abandon has begun to end the sharing of this archive, and has not come to its end: run recover --abandon \
         again, then this command"
    )]
    Ending,
    #[error(
        "store '{store}' has fewer steps ({found}) than when the archive was shared out ({expected}): end that with recover \
         --abandon, and send again"
    )]
    Shorter {
        store: String,
        found: u64,
        expected: u64,
    },
    #[error(
        "stopped by a signal; what was put of part {part} of {of} is noted: run any of the jobs again to go on with it"
    )]
    Stopped { part: usize, of: usize },
    #[error("stopped by a signal between two parts: run any of the jobs again to go on")]
    StoppedBetween,
    #[error(
        "part {part} of {of}: what was put of it is not there as it was put, also after it was put again; something else may be writing into \
         the stores"
    )]
    Unsound { part: usize, of: usize },
    /// Why a job ended early, and where the archive stands.
    #[error(
        "{cause}\nthis job put {}; {committed} of {of} are committed, {}; {waiting} more are put and wait for those before them, {} {} left",
        counted(put, "parts"),
        edge.as_ref().map_or_else(|| "readers see nothing yet".to_owned(), |edge| format!("readers see all up to {edge}")),
        of.saturating_sub(committed + waiting),
        are(of.saturating_sub(committed + waiting))
    )]
    Unfinished {
        cause: Box<crate::error::Error>,
        put: usize,
        waiting: usize,
        committed: usize,
        of: usize,
        edge: Option<String>,
    },
    #[error("part {part} of {of} ({files}): {cause}")]
    Part {
        part: usize,
        of: usize,
        files: String,
        cause: Box<crate::error::Error>,
    },
}
