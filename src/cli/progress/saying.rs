//! What is said of work while it lasts, as values: for lines, and for programs that read them.
//!
//! Key type: [`Saying`].

use serde::Serialize;

use super::meter::Measure;
use crate::events::WorkKind;

/// Something to be said of work that lasts. Times are RFC 3339.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(in crate::cli) enum Saying {
    /// How far it is.
    Progress(Measure),
    /// Nothing has moved for a while.
    Stalled {
        since: String,
        for_seconds: u64,
        objects_in_flight: u64,
        requests: usize,
        oldest_request: Option<String>,
        oldest_since: Option<String>,
    },
    /// Nothing was said for a while, and no single work has lasted.
    Quiet {
        since: String,
        for_seconds: u64,
        /// What is being done just now, if it has a name.
        work: Option<WorkKind>,
        requests_in_flight: usize,
        /// This rank's, since the command began.
        requests_so_far: u64,
    },
    /// Some rank does not say how far it is, so nobody knows how far all are.
    RanksSilent { since: String, for_seconds: u64 },
    /// Most ranks have done their share.
    WaitingForRanks {
        since: String,
        for_seconds: u64,
        ranks: u64,
        ranks_done: u64,
        waiting_for_rank: Option<u64>,
    },
    /// The server gives no sign of life.
    Unanswered {
        since: String,
        for_seconds: u64,
        requests: usize,
        oldest_request: Option<String>,
    },
    /// Requests are made again, for what they come to may pass.
    Retrying {
        since: String,
        for_seconds: u64,
        requests: usize,
        attempts: u64,
        last_request: String,
        cause: String,
    },
    /// Most of the time goes into waiting for the limits of requests or bytes that the user gave.
    WaitingForLimit {
        for_seconds: u64,
        waited_seconds: u64,
    },
    /// The same of ranks other than the one that says it.
    RanksWaitForLimit { ranks: u64, ranks_waiting: u64 },
    /// The keys have ended, and their source is asked for others.
    WaitingForKeys {
        since: String,
        for_seconds: u64,
        source: String,
    },
    /// The server answers as it should, after it did not.
    AnswersAgain { after_seconds: u64, attempts: u64 },
    /// What a dead job left is still being brought to its end.
    StillHealing {
        since: String,
        for_seconds: u64,
        store: String,
        transaction: String,
    },
    /// The job was told to stop, and does.
    Stopping {
        objects_in_flight: u64,
        is_committing: bool,
        can_be_hurried: bool,
    },
}
