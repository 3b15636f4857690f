//! What is wrong with the copies that a transaction made of what it replaces.
//!
//! Key types: [`DamagedCopy`], with its [`CopyFault`]; [`DamagedCopies`], those of a transaction.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Copies that one message names.
const SHOWN: usize = 5;

/// What was found in the place of a copy, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum CopyFault {
    #[error("missing")]
    Missing,
    #[error(
        "it is not as this transaction left it: another program has changed it since, or it is damaged"
    )]
    Changed,
    #[error("{found} bytes, expected {expected}")]
    Length { found: u64, expected: u64 },
    #[error("{found} bytes, expected none: nothing was stored there")]
    Unexpected { found: u64 },
    #[error("the crc32c of its bytes is {found:08x}, expected {expected:08x}")]
    Checksum { found: u32, expected: u32 },
    #[error("the crc32c of its values is {found:08x}, expected {expected:08x}")]
    Values { found: u32, expected: u32 },
    #[error("it cannot be decoded: {cause}")]
    Undecodable { cause: String },
    #[error("it is not JSON: {cause}")]
    NoDocument { cause: String },
}

/// A copy that is not what was there before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{key}: {fault}")]
pub struct DamagedCopy {
    /// Its key.
    pub key: String,
    /// What is wrong with it.
    pub fault: CopyFault,
}

/// All that are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DamagedCopies {
    /// The first few.
    pub first: Vec<DamagedCopy>,
    /// How many there are besides.
    pub more: usize,
}

impl DamagedCopies {
    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    pub(super) fn add_all(&mut self, others: Self) {
        self.more += others.more;
        for copy in others.first {
            if self.first.len() < SHOWN {
                self.first.push(copy);
            } else {
                self.more += 1;
            }
        }
    }
}

impl From<Vec<DamagedCopy>> for DamagedCopies {
    fn from(mut all: Vec<DamagedCopy>) -> Self {
        // In the order of keys, whichever was found first.
        all.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        let more = all.len().saturating_sub(SHOWN);
        all.truncate(SHOWN);
        Self { first: all, more }
    }
}

impl fmt::Display for DamagedCopies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.first.iter().map(ToString::to_string);
        let more = (self.more > 0).then(|| format!("and {} more", self.more));
        f.write_str(&first.chain(more).collect::<Vec<_>>().join("\n  "))
    }
}
