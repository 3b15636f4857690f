//! What `verify` and `doctor` find.
//!
//! Key types: [`Fault`]; [`Finding`].

use serde::{Deserialize, Serialize};

/// What is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fault {
    /// The key of the object, the array or the store.
    pub key: String,
    /// What was found, and what was expected.
    pub what: String,
}

impl Fault {
    pub(crate) fn new(key: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            what: what.into(),
        }
    }
}

/// What one step of an examination found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was tried.
    pub what: String,
    /// How it went.
    pub state: FindingState,
    /// What was seen, and what that means for this program.
    pub found: String,
}

/// How a step of an examination went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FindingState {
    /// As it should.
    Good,
    /// Otherwise than it might, and this program can live with it.
    Lesser,
    /// Not, and this program needs it.
    Bad,
    /// It could not be tried.
    Untried,
}
