//! `send`: create stores, or append the files' steps to them. `update`: overwrite steps that stores have.

use std::sync::Arc;
use std::time::Instant;

use serde_json::Map;

use super::catalogue::catalogue;
use super::prepare::{Intent, Prepared, Transaction};
use super::start::{Started, start};
use super::transaction::Job;
use crate::cli::{FileArgs, SendArgs, Summary, UpdateArgs};
use crate::commit::record;
use crate::exit::Failure;
use crate::plan::{Budget, ChunkStrategy, Missing, Overlap, Plan, Settings, Transactions};
use crate::ranks::Ranks;
use crate::store::{Bucket, Codec};

/// Runs `send` on this rank.
pub(super) fn send(args: &SendArgs, ranks: &Ranks) -> Result<(), Failure> {
    let overlap = args.overlap();
    let intent = Intent {
        files: &args.files,
        overlap,
        missing: Missing::Append,
        allow_gaps: args.allow_gaps,
        transactions: args.files.transaction.unwrap_or(Transactions::Chunk),
        settings: Settings {
            strategy: args.files.strategy()?,
            shards: args.shards()?,
            version: args.zarr_version,
            codec: args.codec()?,
            attributes: args.attributes()?,
            replace: overlap == Overlap::Replace,
            rewrite: false,
            add_variables: args.add_variables,
            ranks: ranks.size(),
            budget: budget(&args.files),
        },
    };
    run(intent, ranks)
}

/// Runs `update` on this rank.
pub(super) fn update(args: &UpdateArgs, ranks: &Ranks) -> Result<(), Failure> {
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
            codec: Codec::default(),
            attributes: Map::new(),
            replace: true,
            rewrite: true,
            add_variables: false,
            ranks: ranks.size(),
            budget: budget(&args.files),
        },
    };
    run(intent, ranks)
}

/// What the user allows; the threads are known later.
fn budget(args: &FileArgs) -> Budget {
    Budget {
        memory: args.memory,
        threads: 1,
    }
}

fn run(mut intent: Intent<'_>, ranks: &Ranks) -> Result<(), Failure> {
    let begun = Instant::now();
    let args = intent.files;
    args.coordinates()?;
    let Started {
        bucket,
        runtime,
        threads,
    } = start(&args.store, ranks)?;
    intent.settings.budget.threads = threads as u64;
    let files = catalogue(&args.filepaths, &args.append_dim, ranks)?;
    let mut prepared = match ranks.rank() {
        0 => runtime
            .block_on(Prepared::new(files, &intent, &bucket))
            .map(Some),
        _ => Ok(None),
    };
    let compared = prepared
        .as_mut()
        .map(|prepared| prepared.as_mut().and_then(Prepared::comparison));
    let compared = ranks.broadcast(&compared.map_err(|failure| failure.clone()))??;
    let mut prepared = prepared?;
    let job = |plan| Job {
        ranks,
        runtime: &runtime,
        bucket: &bucket,
        plan: Arc::new(plan),
        verify: args.verify,
    };
    if let Some(plan) = compared {
        job(plan).compare()?;
    }
    let (command, done) = if intent.settings.rewrite {
        ("update", "updated")
    } else {
        ("send", "sent")
    };
    let mut summary = Summary::new(done);
    loop {
        let next = match &mut prepared {
            Some(prepared) => runtime.block_on(next(prepared, &intent, &bucket)),
            None => Ok(None),
        };
        let next = ranks.broadcast(&next)?;
        let Some((plan, remains)) = next.map_err(|failure| summary.so_far(failure))? else {
            break;
        };
        let job = job(plan);
        let manifest = job.run(&remains);
        let manifest = manifest.map_err(|failure| summary.so_far(failure))?;
        if let Some(manifest) = &manifest {
            let recorded = record(&bucket, &job.plan, manifest, command);
            for problem in runtime.block_on(recorded) {
                eprintln!("msm_os: the ledger lacks the record of this transaction: {problem}");
            }
        }
        summary.add(&job.plan, manifest.as_ref());
    }
    if ranks.rank() == 0 {
        println!("{}", summary.after(begun.elapsed()));
    }
    Ok(())
}

/// Rank 0: the next transaction, announced.
async fn next(
    prepared: &mut Prepared,
    intent: &Intent<'_>,
    bucket: &Bucket,
) -> Result<Option<(Plan, Vec<String>)>, Failure> {
    let Some(Transaction {
        plan,
        remains,
        number,
    }) = prepared.next(intent, bucket).await?
    else {
        return Ok(None);
    };
    match number {
        (_, 1) => println!("plan: {plan}"),
        (number, all) => println!("plan {number} of {all}: {plan}"),
    }
    Ok(Some((plan, remains)))
}
