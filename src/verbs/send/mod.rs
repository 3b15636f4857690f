//! `send`: create stores, or append the files' steps to them. `update`: overwrite steps that stores have.
//!
//! Key types: [`Send`] and [`Update`], what is asked; [`SendPlan`], what that would do; [`PlannedSend`]; [`SendReport`].

pub(in crate::verbs) mod begin;
mod destined;
mod digest;
mod error;
mod files;
mod forecast;
mod foreseen_store;
pub(in crate::verbs) mod gather;
mod grown_ledgers;
mod held;
mod intent;
mod journalist;
pub(in crate::verbs) mod lead;
mod maps;
mod notes;
pub(in crate::verbs) mod plan_requests;
mod plan_sum;
pub(in crate::verbs) mod plan_warning;
mod planned;
pub(in crate::verbs) mod prepare;
mod report;
mod request;
mod sample;
mod send_plan;
mod share;
pub(in crate::verbs) mod transaction;
pub(in crate::verbs) mod turns;
pub(in crate::verbs) mod worker;

use std::num::NonZeroUsize;

use msm_plan::{ChunkStrategy, Goal, MissingSteps, NewArrays, Overlap, Task, Transactions};
use msm_zarr::{Codec, Version};
use serde_json::{Map, Value};

pub use self::error::SendError;
pub use self::files::{Files, MapsAsked};
pub use self::plan_warning::PlanWarning;
pub use self::planned::PlannedSend;
pub use self::report::{Proofs, SendReach, SendReport};
pub use self::send_plan::{
    PlannedArray, PlannedPart, PlannedStore, PlannedTransaction, RankWork, RequestCounts, SendPlan,
    StepCounts, StoreAction,
};
pub use self::share::{HeldPart, ShareError, ShareReport, Sharing, TaskNumber};

use self::forecast::Outlook;
use self::intent::Intent;
use crate::error::Error;
use crate::session::Session;

/// What is sent, and what new stores are to be like.
#[derive(Clone, Debug, Default)]
pub struct Send {
    /// The files and the stores.
    pub files: Files,
    /// What becomes of steps that a store has already.
    pub overlap: Overlap,
    /// Are steps put between those of a store, where they belong?
    pub insert: bool,
    /// May steps be missing between the files, or behind a store's last one?
    pub allow_gaps: bool,
    /// Are variables added to a store that does not hold them?
    pub add_variables: bool,
    /// Global attributes, beside the files' own.
    pub attributes: Map<String, Value>,
    /// Shard sizes of new arrays; none if it is empty.
    pub shards: ChunkStrategy,
    /// The version of the Zarr format of a new store.
    pub version: Option<Version>,
    /// The compressor of a new store.
    pub codec: Option<Codec>,
    /// Do many jobs send the same files, each parts of them?
    pub share: Option<Sharing>,
}

/// What is overwritten.
#[derive(Clone, Debug, Default)]
pub struct Update {
    /// The files and the stores.
    pub files: Files,
    /// Are steps appended that a store does not have?
    pub append_missing: bool,
}

/// Creates a store for each variable of the files, or appends their steps to it.
///
/// # Errors
/// On every rank the same: if files and stores do not fit together, before anything is written; or what failed, when everything is
/// as it was before, or with what could not be put back.
pub fn send(session: &Session, request: &Send) -> Result<SendReport, Error> {
    plan(session, request)?.run()
}

/// Checks that files and stores fit together, and takes the stores' leases; nothing is written yet.
///
/// # Errors
/// On every rank the same: if they do not fit, or another job holds a store.
pub fn plan<'a>(session: &'a Session<'a>, request: &'a Send) -> Result<PlannedSend<'a>, Error> {
    PlannedSend::new(intent(session, request), request.share.as_ref(), session)
}

/// What a send would do, as the stores are now, on so many `ranks` if not on those that plan it: it writes nothing, and takes no lease.
///
/// # Errors
/// On every rank the same: if files and stores do not fit together, or cannot be read.
pub fn forecast(
    session: &Session,
    request: &Send,
    ranks: Option<NonZeroUsize>,
) -> Result<SendPlan, Error> {
    let outlook = Outlook {
        sharing: request.share.as_ref(),
        ranks,
    };
    SendPlan::of(&intent(session, request), outlook, session)
}

/// What an update would do, as the stores are now: it writes nothing, and takes no lease.
///
/// # Errors
/// As [`forecast`].
pub fn forecast_update(session: &Session, request: &Update) -> Result<SendPlan, Error> {
    let outlook = Outlook {
        sharing: None,
        ranks: None,
    };
    SendPlan::of(&update_intent(session, request), outlook, session)
}

fn intent<'a>(session: &Session, request: &'a Send) -> Intent<'a> {
    let files = &request.files;
    Intent {
        files,
        overlap: request.overlap,
        missing: if request.insert {
            MissingSteps::Insert
        } else {
            MissingSteps::Append
        },
        allow_gaps: request.allow_gaps,
        transactions: files.transactions.unwrap_or(match request.overlap {
            // Of two, the first would be in the way of the same command again.
            Overlap::Error => Transactions::All,
            _ => crate::knobs::transactions().unwrap_or(Transactions::Batch),
        }),
        task: task(
            files,
            Goal::Send {
                replace: request.overlap == Overlap::Replace,
                add_variables: request.add_variables,
            },
            request.attributes.clone(),
        ),
        arrays: NewArrays {
            chunks: files.chunks.clone(),
            shards: request.shards.clone(),
            version: request.version,
            codec: request.codec.clone(),
        },
        resources: session.resources(files.memory),
    }
}

/// Overwrites steps that stores have.
///
/// # Errors
/// As [`send`].
pub fn update(session: &Session, request: &Update) -> Result<SendReport, Error> {
    plan_update(session, request)?.run()
}

/// Checks that files and stores fit together, and takes the stores' leases; nothing is written yet.
///
/// # Errors
/// As [`plan`].
pub fn plan_update<'a>(
    session: &'a Session<'a>,
    request: &'a Update,
) -> Result<PlannedSend<'a>, Error> {
    PlannedSend::new(update_intent(session, request), None, session)
}

fn update_intent<'a>(session: &Session, request: &'a Update) -> Intent<'a> {
    let files = &request.files;
    Intent {
        files,
        overlap: Overlap::Replace,
        missing: if request.append_missing {
            MissingSteps::Append
        } else {
            MissingSteps::Error
        },
        allow_gaps: true,
        transactions: files.transactions.unwrap_or(Transactions::All),
        task: task(files, Goal::Update, Map::new()),
        arrays: NewArrays {
            chunks: files.chunks.clone(),
            ..NewArrays::default()
        },
        resources: session.resources(files.memory),
    }
}

fn task(files: &Files, goal: Goal, attributes: Map<String, Value>) -> Task {
    Task {
        goal,
        attributes,
        repair_attributes: files.repair_attributes,
        tolerance: files.tolerance,
    }
}
