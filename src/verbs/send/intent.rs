//! What a command that sends files wants.
//!
//! Key type: [`Intent`].

use msm_plan::{
    Goal, MissingSteps, NewArrays, Overlap, PlanSettings, Projections, Resources, Task,
    Transactions,
};

use super::Files;
use super::begin::CommandTerms;

/// What the command wants; nothing changes it.
#[derive(Clone)]
pub(in crate::verbs) struct Intent<'a> {
    /// Files, stores and how to go about it.
    pub files: &'a Files,
    /// What becomes of steps that a store has already.
    pub overlap: Overlap,
    /// What becomes of steps that it does not have.
    pub missing: MissingSteps,
    /// May times be missing between the files, or behind a store's last step?
    pub allow_gaps: bool,
    /// How many files are committed at a time.
    pub transactions: Transactions,
    /// What is to be done.
    pub task: Task,
    /// What new arrays are to be like.
    pub arrays: NewArrays,
    /// What there is to do it with.
    pub resources: Resources,
}

impl Intent<'_> {
    /// What plans are made by, where variables are reprojected so.
    pub(in crate::verbs) fn settings(&self, projections: Projections) -> PlanSettings {
        PlanSettings {
            task: self.task.clone(),
            arrays: self.arrays.clone(),
            resources: self.resources,
            projections,
        }
    }

    /// What the ledgers say of it.
    pub(in crate::verbs) fn terms(&self) -> CommandTerms<'static> {
        CommandTerms {
            command: self.command(),
            keep_undo: self.files.keep_undo,
        }
    }

    /// The command's name.
    pub(in crate::verbs) fn command(&self) -> &'static str {
        match self.task.goal {
            Goal::Send { .. } => "send",
            Goal::Update | Goal::Compare => "update",
        }
    }
}
