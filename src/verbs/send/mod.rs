//! `send`: create stores, or append the files' steps to them. `update`: overwrite steps that stores have.

mod begin;
mod digest;
mod intent;
mod journalist;
mod notes;
mod prepare;
mod request;
mod transaction;

use std::time::Instant;

use serde_json::Map;
use tokio::runtime::Runtime;

use crate::cli::{FileArgs, SendArgs, Summary, UpdateArgs};
use crate::exit::{Exit, Failure};
use crate::plan::{Budget, ChunkStrategy, Missing, Overlap, Settings, Transactions};
use crate::ranks::Ranks;
use crate::reproject::Weights;
use crate::say;
use crate::store::Bucket;
use crate::verbs::files::catalogue::catalogue;
use crate::verbs::reprojection::weights::weigh;
use crate::verbs::send::begin::Begun;
use crate::verbs::send::intent::Intent;
use crate::verbs::send::prepare::Prepared;
use crate::verbs::send::transaction::{Job, Lead};
use crate::verbs::shared::hold::Hold;
use crate::verbs::shared::settle::settle;
use crate::verbs::shared::signals::Signals;
use crate::verbs::shared::start::{Started, start};

/// Runs `send` on this rank.
pub(in crate::verbs) fn send(args: &SendArgs, ranks: &Ranks) -> Result<(), Failure> {
    let overlap = args.overlap();
    let intent = Intent {
        files: &args.files,
        overlap,
        missing: Missing::Append,
        allow_gaps: args.allow_gaps,
        transactions: args.files.transaction.unwrap_or(match overlap {
            // Of two, the first would be in the way of the same command again.
            Overlap::Error => Transactions::All,
            _ => Transactions::Chunk,
        }),
        settings: Settings {
            strategy: args.files.strategy()?,
            shards: args.shards()?,
            version: args.zarr_version,
            codec: args.codec()?,
            attributes: args.attributes()?,
            replace: overlap == Overlap::Replace,
            rewrite: false,
            add_variables: args.add_variables,
            repair_attributes: args.files.repair_attributes,
            tolerance: args.files.tolerance.coords_tolerance,
            projections: Vec::new(),
            ranks: ranks.size(),
            budget: budget(&args.files),
        },
    };
    run(intent, ranks)
}

/// Runs `update` on this rank.
pub(in crate::verbs) fn update(args: &UpdateArgs, ranks: &Ranks) -> Result<(), Failure> {
    let intent = Intent {
        files: &args.files,
        overlap: Overlap::Replace,
        missing: if args.append_missing {
            Missing::Append
        } else {
            Missing::Error
        },
        allow_gaps: true,
        transactions: args.files.transaction.unwrap_or(Transactions::All),
        settings: Settings {
            strategy: args.files.strategy()?,
            shards: ChunkStrategy::default(),
            version: None,
            codec: None,
            attributes: Map::new(),
            replace: true,
            rewrite: true,
            add_variables: false,
            repair_attributes: args.files.repair_attributes,
            tolerance: args.files.tolerance.coords_tolerance,
            projections: Vec::new(),
            ranks: ranks.size(),
            budget: budget(&args.files),
        },
    };
    run(intent, ranks)
}

/// What the user allows; the threads and the weights are known later.
fn budget(args: &FileArgs) -> Budget {
    Budget {
        memory: args.memory,
        threads: 1,
        weights: 0,
    }
}

fn run(mut intent: Intent<'_>, ranks: &Ranks) -> Result<(), Failure> {
    let args = intent.files;
    args.grid.coordinates()?;
    let Started {
        bucket,
        runtime,
        threads,
    } = start(&args.store, ranks)?;
    intent.settings.budget.threads = threads as u64;
    let mut hold = None;
    let done = run_all(&mut intent, ranks, &runtime, &bucket, &mut hold);
    let done = done.map_err(|failure| match &hold {
        Some(hold) => hold.verdict(failure),
        None => failure,
    });
    // Whatever came in the way: what a dead job left is healed.
    let healed = hold.map_or(Ok(()), |hold| {
        if args.resume {
            runtime.block_on(hold.release());
            Ok(())
        } else {
            runtime.block_on(hold.heal_and_release(&bucket))
        }
    });
    match ranks.broadcast(&(done, healed))? {
        (Ok(()), healed) => healed,
        (failed, Ok(())) => failed,
        (Err(failure), Err(also)) => Failure::together([failure, also]),
    }
}

/// All transactions. Rank 0 gets the stores' leases in `hold`.
fn run_all(
    intent: &mut Intent<'_>,
    ranks: &Ranks,
    runtime: &Runtime,
    bucket: &Bucket,
    hold: &mut Option<Hold>,
) -> Result<(), Failure> {
    let begun = Instant::now();
    let args = intent.files;
    let signals = Signals::listen();
    settle(ranks, &signals.as_ref().map(|_| ()).map_err(Clone::clone))?;
    let signals = signals?;
    let files = catalogue(&args.filepaths, args.append_dimension(), ranks)?;
    let mut prepared = match ranks.rank() {
        0 => runtime
            .block_on(Prepared::new(files, intent, bucket, hold))
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
    let weights = weigh(&projections, args.reproject.weights.as_deref(), ranks)?;
    intent.settings.budget.weights = weights.iter().map(Weights::bytes).sum();
    let job = Job {
        ranks,
        runtime,
        bucket,
        signals: &signals,
        weights,
        verify: args.verify,
        resume: args.resume,
    };
    if let Some(plan) = compared {
        job.compare(plan)?;
    }
    let done = if intent.settings.rewrite {
        "updated"
    } else {
        "sent"
    };
    let mut summary = Summary::new(done);
    let mut untidy = false;
    loop {
        signals.guard(true);
        let begun = match (&mut prepared, &mut *hold) {
            (Some(prepared), Some(hold)) => {
                runtime.block_on(begin(prepared, intent, bucket, hold, untidy))
            }
            _ => Ok(None),
        };
        let (orders, transaction) = match begun {
            Ok(Some(begun)) => (Ok(Some(begun.orders)), Some(begun.transaction)),
            nothing => (nothing.map(|_| None), None),
        };
        let orders = ranks.broadcast(&orders)?;
        let Some(orders) = orders.map_err(|failure| summary.so_far(failure))? else {
            break;
        };
        let lead = transaction.zip(hold.as_ref());
        let lead = lead.map(|(transaction, hold)| Lead {
            transaction,
            hold,
            untidy: &mut untidy,
        });
        let manifest = job.run(&orders, lead);
        let manifest = manifest.map_err(|failure| summary.so_far(failure))?;
        signals.guard(false);
        summary.add(&orders.plan, manifest.as_ref());
        if let Some(hold) = hold {
            runtime.block_on(hold.wait_for_reads());
        }
    }
    if ranks.rank() == 0 {
        say!("{}", summary.after(begun.elapsed()));
        if let Some(hold) = hold {
            say!("{}", hold.leases.guarantee());
        }
    }
    Ok(())
}

/// Rank 0: the next transaction, announced and begun, unless the one before it left its ledger `untidy`.
async fn begin<'a>(
    prepared: &mut Prepared<'_>,
    intent: &Intent<'_>,
    bucket: &'a Bucket,
    hold: &mut Hold,
    untidy: bool,
) -> Result<Option<Begun<'a>>, Failure> {
    let Some(work) = prepared.next(intent, bucket, &mut hold.left).await? else {
        return Ok(None);
    };
    if untidy {
        // What heals it could not tell its changes from those of one that follows it.
        let message = "the ledger of the transaction before must be tidy before another can follow; run the same command again";
        return Err(Failure::new(Exit::TransferFailed, message));
    }
    match work.number {
        (_, 1) => say!("plan: {}", work.plan),
        (number, all) => say!("plan {number} of {all}: {}", work.plan),
    }
    Begun::new(bucket, work, intent, hold).await.map(Some)
}
