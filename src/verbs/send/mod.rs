//! `send`: create stores, or append the files' steps to them. `update`: overwrite steps that stores have.

mod begin;
mod digest;
mod intent;
mod journalist;
mod lead;
mod notes;
mod prepare;
mod request;
mod transaction;
mod worker;

use serde_json::Map;

use crate::cli::{FileArgs, SendArgs, UpdateArgs};
use crate::exit::Failure;
use crate::plan::{Budget, ChunkStrategy, Missing, Overlap, Settings, Transactions};
use crate::ranks::{Follower, Ranks, Role};
use crate::transfer::Orders;
use crate::verbs::files::catalogue::help_to_catalogue;
use crate::verbs::send::intent::Intent;
use crate::verbs::send::lead::lead_all;
use crate::verbs::send::worker::Worker;
use crate::verbs::shared::interrupt::Interrupt;
use crate::verbs::shared::start::{Job, start};

/// Runs `send` on this rank.
pub(in crate::verbs) fn send(
    args: &SendArgs,
    ranks: &Ranks,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
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
    run(intent, ranks, interrupt)
}

/// Runs `update` on this rank.
pub(in crate::verbs) fn update(
    args: &UpdateArgs,
    ranks: &Ranks,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
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
    run(intent, ranks, interrupt)
}

/// What the user allows; the threads and the weights are known later.
fn budget(args: &FileArgs) -> Budget {
    Budget {
        memory: args.memory,
        threads: 1,
        weights: 0,
    }
}

fn run(mut intent: Intent<'_>, ranks: &Ranks, interrupt: &Interrupt) -> Result<(), Failure> {
    intent.files.grid.coordinates()?;
    let job = start(&intent.files.store, ranks)?;
    match ranks.role() {
        Role::Lead(lead) => lead.conclude(lead_all(&mut intent, &job, interrupt, lead)),
        Role::Follower(follower) => {
            // The lead knows why it could not go on, and tells it in the end.
            let _ = follow_all(intent.files, &job, interrupt, follower);
            follower.verdict()
        }
    }
}

/// All transactions, as the lead tells them.
fn follow_all(
    args: &FileArgs,
    job: &Job<'_>,
    interrupt: &Interrupt,
    follower: Follower<'_>,
) -> Result<(), Failure> {
    help_to_catalogue(follower, args.append_dimension())?;
    let worker = Worker::ready(follower.hear()?, args, job, interrupt)?;
    loop {
        interrupt.guard(true);
        let Some(orders) = follower.hear::<Option<Orders>>()? else {
            return Ok(());
        };
        worker.follow(&orders, follower)?;
        interrupt.guard(false);
    }
}
