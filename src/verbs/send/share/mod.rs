//! `send --share`: many jobs send one archive. Each takes parts of it, puts them out of readers' sight, and commits what has become a
//! prefix without gaps.
//!
//! Key types: [`Sharing`], what is asked; [`SharedSend`], the lead's story; [`ShareReport`].

mod begin;
mod error;
mod files;
mod growth;
mod lead;
mod listed;
pub(super) mod outlook;
mod report;
mod settings;
mod take;

use std::time::Duration;

use crate::verbs::shared::hold::Leasing;

pub use self::error::ShareError;
pub use self::report::{HeldPart, ShareReport};

pub(super) use self::lead::SharedSend;

/// What it is called where other jobs read of it.
const COMMAND: &str = "send --share";

/// How a job takes part in sending a shared archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sharing {
    /// Which parts are this job's; `None` for whichever is free.
    pub task: Option<TaskNumber>,
    /// After so long, since its start, the job takes no other part.
    pub stop_after: Option<Duration>,
}

/// One of so many jobs, each of which has parts of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskNumber {
    /// From 0.
    pub number: usize,
    /// How many there are, at least one.
    pub of: usize,
}

/// How long a job waits for others that hold the stores: there may be many, each for as short as a commit takes.
fn patient(leasing: &Leasing) -> Leasing {
    Leasing {
        wait: leasing.wait.saturating_mul(10),
        ..leasing.clone()
    }
}

impl Sharing {
    /// Is the part `number` one that this job takes?
    pub(super) fn takes(&self, number: usize) -> bool {
        let is_own = |task: TaskNumber| number % task.of == task.number;
        self.task.is_none_or(is_own)
    }
}
