//! Where in the bucket a verb works.
//!
//! Key type: [`Spot`].

use serde::{Deserialize, Serialize};

/// Where in the bucket a verb works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Spot {
    /// At this prefix and below; empty for the whole bucket.
    Below(String),
    /// In the one store or group of this key.
    At(String),
}

impl Spot {
    /// The key, or the prefix.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Below(key) | Self::At(key) => key,
        }
    }
}

/// The whole bucket.
impl Default for Spot {
    fn default() -> Self {
        Self::Below(String::new())
    }
}
