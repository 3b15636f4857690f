//! What became of a transaction, or of a part of a shared archive.
//!
//! Key type: [`TransactionRecord`].

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::events::{PlanSize, PlannedFiles};

/// A transaction, or a part of a shared archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionRecord {
    /// Which of the two, or what commits parts.
    pub kind: TransactionKind,
    /// Its number, from 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
    /// What it is of, where that is told.
    pub files: Option<PlannedFiles>,
    /// What it comes to.
    pub size: PlanSize,
    /// Its stores, once it is open in their journals.
    pub stores: Vec<String>,
    /// When it was planned.
    pub planned: SystemTime,
    /// When it came to an end, one way or the other.
    pub ended: Option<SystemTime>,
    /// How it ended.
    pub outcome: TransactionOutcome,
    /// From when all data were put, to the end of the commit.
    pub commit: Option<Duration>,
    /// The MD5 of what its manifest says of each object.
    pub digest: Option<String>,
}

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransactionKind {
    /// A transaction of its own.
    Transaction,
    /// A part of a shared archive, which is put out of sight.
    Part,
    /// A transaction that makes parts visible.
    Growth,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransactionOutcome {
    /// It was planned, and nothing was changed.
    Planned,
    /// It is open in the journals, or a part of it is put: it can be gone on with, or is brought to its end by whoever comes next.
    Open,
    /// A part is put, out of readers' sight.
    Put,
    /// It is committed.
    Committed,
    /// It is undone.
    RolledBack,
    /// A part cannot be put, for its files are in the way.
    Failed,
}
