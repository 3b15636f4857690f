//! Which command transactions are of, as a person runs it.
//!
//! Key types: [`CommandRun`]; [`FileSpan`], of which files one of its transactions was.

use std::path::PathBuf;
use std::time::SystemTime;

use nix::unistd::{Uid, User};
use serde::{Deserialize, Serialize};

use super::lease::Holder;
use super::transaction_id::token;

/// A command that somebody ran: all of its transactions, in whichever stores, say so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CommandRun {
    /// Its id, with the second in which it began.
    pub id: String,
    /// When it had the stores for itself, by its machine's clock (UTC).
    pub begun: String,
    /// Who ran it.
    pub user: String,
    /// Where.
    pub host: String,
    /// As which Slurm job, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slurm_job: Option<String>,
}

/// The files that a transaction was of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSpan {
    /// How many.
    pub count: usize,
    /// The name of the first, in the order of their steps.
    pub first: String,
    /// The name of the last.
    pub last: String,
}

impl CommandRun {
    /// That of this process, which runs as `holder`, from now on.
    #[must_use]
    pub(crate) fn new(holder: &Holder) -> Self {
        let begun = humantime::format_rfc3339_micros(SystemTime::now()).to_string();
        let uid = Uid::effective();
        let user = User::from_uid(uid).ok().flatten();
        Self {
            id: new_id(&begun),
            user: user.map_or_else(|| uid.to_string(), |user| user.name),
            host: holder.host.clone(),
            slurm_job: holder.slurm_job.clone(),
            begun,
        }
    }

    /// Another command of the same job, that began when this one did.
    #[must_use]
    pub(crate) fn anew(&self) -> Self {
        Self {
            id: new_id(&self.begun),
            ..self.clone()
        }
    }
}

/// The id of a command that began then: its second, and what no other has.
fn new_id(begun: &str) -> String {
    let second = begun.split_once('.').map_or(begun, |(second, _)| second);
    format!("{}-{}", second.replace(['-', ':'], ""), token())
}

impl FileSpan {
    /// Of these files; `None` if there are none.
    #[must_use]
    pub(super) fn of(files: &[PathBuf]) -> Option<Self> {
        let name = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        };
        Some(Self {
            count: files.len(),
            first: name(files.first()?),
            last: name(files.last()?),
        })
    }

    /// These, and then those of `next`.
    #[must_use]
    pub(crate) fn and(self, next: Self) -> Self {
        Self {
            count: self.count + next.count,
            last: next.last,
            ..self
        }
    }
}
