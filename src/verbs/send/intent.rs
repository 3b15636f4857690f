//! What a command that sends files wants.
//!
//! Key type: [`Intent`].

use msm_plan::{Missing, Overlap, Settings, Transactions};

use super::Files;

/// What the command wants.
pub(in crate::verbs) struct Intent<'a> {
    /// Files, stores and how to go about it.
    pub files: &'a Files,
    /// What becomes of steps that a store has already.
    pub overlap: Overlap,
    /// What becomes of steps that it does not have.
    pub missing: Missing,
    /// May times be missing between the files, or behind a store's last step?
    pub allow_gaps: bool,
    /// How many files are committed at a time.
    pub transactions: Transactions,
    /// How arrays are made and written.
    pub settings: Settings,
}

impl Intent<'_> {
    /// The command's name.
    pub(in crate::verbs) fn command(&self) -> &'static str {
        if self.settings.rewrite {
            "update"
        } else {
            "send"
        }
    }
}
