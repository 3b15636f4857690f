//! `send`: create stores, or append the files' steps to them. `update`: overwrite steps that stores have.
//!
//! Key types: [`Send`] and [`Update`], what is asked; [`SendReport`].

mod begin;
mod digest;
mod files;
mod intent;
mod journalist;
mod notes;
mod prepare;
mod report;
mod request;
mod transaction;

use std::time::Instant;

use serde_json::{Map, Value};

pub use self::files::Files;
pub use self::report::{Proofs, SendReport};

use crate::events::{Event, PlanSize};
use crate::exit::{Exit, Failure};
use crate::plan::{Budget, ChunkStrategy, Missing, Overlap, Phase, Plan, Settings, Transactions};
use crate::reproject::Weights;
use crate::session::Session;
use crate::store::{Codec, Version};
use crate::verbs::files::catalogue::catalogue;
use crate::verbs::reprojection::weights::weigh;
use crate::verbs::send::begin::Begun;
use crate::verbs::send::intent::Intent;
use crate::verbs::send::prepare::Prepared;
use crate::verbs::send::transaction::{Job, Lead};
use crate::verbs::shared::hold::Hold;
use crate::verbs::shared::settle::settle;
use crate::verbs::shared::signals::Signals;

/// What is sent, and what new stores are to be like.
#[derive(Clone, Debug, Default)]
pub struct Send {
    /// The files and the stores.
    pub files: Files,
    /// What becomes of steps that a store has already.
    pub overlap: Overlap,
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
pub fn send(session: &Session, request: &Send) -> Result<SendReport, Failure> {
    let files = &request.files;
    let intent = Intent {
        files,
        overlap: request.overlap,
        missing: Missing::Append,
        allow_gaps: request.allow_gaps,
        transactions: files.transactions.unwrap_or(match request.overlap {
            // Of two, the first would be in the way of the same command again.
            Overlap::Error => Transactions::All,
            _ => Transactions::Chunk,
        }),
        settings: Settings {
            shards: request.shards.clone(),
            version: request.version,
            codec: request.codec.clone(),
            attributes: request.attributes.clone(),
            replace: request.overlap == Overlap::Replace,
            add_variables: request.add_variables,
            ..settings(files, session)
        },
    };
    run(intent, session)
}

/// Overwrites steps that stores have.
///
/// # Errors
/// As [`send`].
pub fn update(session: &Session, request: &Update) -> Result<SendReport, Failure> {
    let files = &request.files;
    let intent = Intent {
        files,
        overlap: Overlap::Replace,
        missing: if request.append_missing {
            Missing::Append
        } else {
            Missing::Error
        },
        allow_gaps: true,
        transactions: files.transactions.unwrap_or(Transactions::All),
        settings: Settings {
            replace: true,
            rewrite: true,
            ..settings(files, session)
        },
    };
    run(intent, session)
}

/// What is asked of both; projections and weights are known later.
fn settings(files: &Files, session: &Session) -> Settings {
    Settings {
        strategy: files.chunks.clone(),
        shards: ChunkStrategy::default(),
        version: None,
        codec: None,
        attributes: Map::new(),
        replace: false,
        rewrite: false,
        add_variables: false,
        repair_attributes: files.repair_attributes,
        tolerance: files.tolerance,
        projections: Vec::new(),
        ranks: session.ranks.size(),
        budget: Budget {
            memory: files.memory,
            threads: session.threads() as u64,
            weights: 0,
        },
    }
}

fn run(mut intent: Intent<'_>, session: &Session) -> Result<SendReport, Failure> {
    let (ranks, runtime) = (session.ranks, &session.runtime);
    let mut hold = None;
    let done = run_all(&mut intent, session, &mut hold);
    let done = done.map_err(|failure| match &hold {
        Some(hold) => hold.verdict(failure),
        None => failure,
    });
    // Whatever came in the way: what a dead job left is healed.
    let healed = hold.map_or(Ok(()), |hold| {
        if intent.files.resume {
            runtime.block_on(hold.release(session));
            Ok(())
        } else {
            runtime.block_on(hold.heal_and_release(session))
        }
    });
    match ranks.broadcast(&(done, healed))? {
        (done, Ok(())) => done,
        (Ok(_), Err(failure)) => Err(failure),
        (Err(failure), Err(also)) => {
            let both = Failure::together([failure, also]);
            both.map(|()| SendReport::default())
        }
    }
}

/// All transactions. Rank 0 gets the stores' leases in `hold`.
fn run_all(
    intent: &mut Intent<'_>,
    session: &Session,
    hold: &mut Option<Hold>,
) -> Result<SendReport, Failure> {
    let (ranks, runtime) = (session.ranks, &session.runtime);
    let begun = Instant::now();
    let asked = intent.files;
    let signals = Signals::listen();
    settle(ranks, &signals.as_ref().map(|_| ()).map_err(Clone::clone))?;
    let signals = signals?;
    let files = catalogue(&asked.paths, &asked.append_dimension, session)?;
    let mut prepared = match ranks.rank() {
        0 => runtime
            .block_on(Prepared::new(files, intent, session, hold))
            .map(Some),
        _ => Ok(None),
    };
    let first = prepared.as_mut().map(|prepared| {
        let projections = prepared.as_ref().map(|p| p.projections().to_vec());
        let compared = prepared.as_mut().and_then(Prepared::comparison);
        (projections.unwrap_or_default(), compared)
    });
    let first = ranks.broadcast(&first.map_err(|failure| failure.clone()))?;
    let (projections, compared) = first?;
    let mut prepared = prepared?;
    let weights = weigh(&projections, asked.weights.as_deref(), session)?;
    intent.settings.budget.weights = weights.iter().map(Weights::bytes).sum();
    let job = Job {
        session,
        signals: &signals,
        weights,
        verify: asked.verify,
        resume: asked.resume,
    };
    if let Some(plan) = compared {
        job.compare(plan)?;
    }
    let mut report = SendReport::default();
    let mut untidy = false;
    loop {
        signals.guard(true);
        let begun = match (&mut prepared, &mut *hold) {
            (Some(prepared), Some(hold)) => {
                runtime.block_on(begin(prepared, intent, session, hold, untidy))
            }
            _ => Ok(None),
        };
        let (orders, transaction) = match begun {
            Ok(Some(begun)) => (Ok(Some(begun.orders)), Some(begun.transaction)),
            nothing => (nothing.map(|_| None), None),
        };
        let orders = ranks.broadcast(&orders)?;
        let Some(orders) = orders.map_err(|failure| report.so_far(failure))? else {
            break;
        };
        let lead = transaction.zip(hold.as_ref());
        let lead = lead.map(|(transaction, hold)| Lead {
            transaction,
            hold,
            untidy: &mut untidy,
        });
        let manifest = job.run(&orders, lead);
        let manifest = manifest.map_err(|failure| report.so_far(failure))?;
        signals.guard(false);
        report.add(&orders.plan, manifest.as_ref());
        if let Some(hold) = hold {
            runtime.block_on(hold.wait_for_reads());
        }
    }
    report.elapsed = begun.elapsed();
    report.guarantee = hold.as_ref().map(|hold| hold.leases.guarantee());
    Ok(report)
}

/// Rank 0: the next transaction, announced and begun, unless the one before it left its ledger `untidy`.
async fn begin<'a>(
    prepared: &mut Prepared<'_>,
    intent: &Intent<'_>,
    session: &'a Session<'_>,
    hold: &mut Hold,
    untidy: bool,
) -> Result<Option<Begun<'a>>, Failure> {
    let Some(work) = prepared.next(intent, session, &mut hold.left).await? else {
        return Ok(None);
    };
    if untidy {
        // What heals it could not tell its changes from those of one that follows it.
        let message = "the ledger of the transaction before must be tidy before another can follow; run the same command again";
        return Err(Failure::new(Exit::TransferFailed, message));
    }
    let (number, of) = work.number;
    let size = size(&work.plan);
    session.tell(&Event::Planned { number, of, size });
    Begun::new(session, work, intent, hold).await.map(Some)
}

/// What `plan` comes to.
fn size(plan: &Plan) -> PlanSize {
    let written = plan.arrays.iter().filter(|a| a.phase != Phase::Compare);
    PlanSize {
        stores: plan.stores.len(),
        arrays: written.map(|a| a.stores.len()).sum(),
        objects: plan.objects(Phase::Transfer) + plan.objects(Phase::Commit),
        bytes: plan.bytes(Phase::Transfer) + plan.bytes(Phase::Commit),
        memory: plan.peak_memory,
    }
}
