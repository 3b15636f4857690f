//! One value of an archive's axis, by which steps are told apart.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::dtype::Number;

/// One value of the axis.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step(pub Number);

impl Step {
    /// Which comes first; `None` if one is NaN.
    #[must_use]
    pub fn compare(self, other: Self) -> Option<Ordering> {
        self.0.compare(other.0)
    }

    /// Is this a later step than `before`? NaN is after nothing.
    #[must_use]
    pub fn is_after(self, before: Self) -> bool {
        self.compare(before) == Some(Ordering::Greater)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
