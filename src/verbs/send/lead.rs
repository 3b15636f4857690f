//! The lead's story of a send: what fits, the leases, one transaction after the other, and how it went.

use std::time::Instant;

use crate::cli::Summary;
use crate::exit::{Exit, Failure};
use crate::ranks::Lead;
use crate::reproject::Weights;
use crate::say;
use crate::transfer::Orders;
use crate::verbs::files::catalogue::catalogue;
use crate::verbs::send::begin::begin;
use crate::verbs::send::intent::Intent;
use crate::verbs::send::prepare::{Aimed, Prepared};
use crate::verbs::send::transaction::Leading;
use crate::verbs::send::worker::{Groundwork, Worker};
use crate::verbs::shared::hold::Hold;
use crate::verbs::shared::interrupt::Interrupt;
use crate::verbs::shared::start::Job;

/// Sends what `intent` says.
///
/// # Errors
/// If that failed; then all is as it was before, or the message says what is not.
pub(in crate::verbs) fn lead_all(
    intent: &mut Intent<'_>,
    job: &Job<'_>,
    interrupt: &Interrupt,
    lead: Lead<'_>,
) -> Result<(), Failure> {
    let begun = Instant::now();
    let (args, runtime) = (intent.files, &job.runtime);
    let files = catalogue(lead, &args.filepaths, args.append_dimension())?;
    let held = runtime.block_on(async {
        let aimed = Aimed::new(files, intent, &job.bucket).await?;
        let hold = Hold::take(job, &args.lease, &aimed.keys(), intent.command()).await?;
        Ok((aimed, hold))
    });
    let (aimed, mut hold) = lead.go_on(held)?;
    let done = lead_held(aimed, intent, job, interrupt, lead, &mut hold);
    let done = done.map(|summary| {
        say!("{}", summary.after(begun.elapsed()));
        say!("{}", hold.leases.guarantee());
    });
    let done = done.map_err(|failure| hold.verdict(failure));
    // Whatever came in the way: what a dead job left is healed.
    let healed = if args.resume {
        runtime.block_on(hold.release());
        Ok(())
    } else {
        runtime.block_on(hold.heal_and_release(&job.bucket))
    };
    match (done, healed) {
        (Ok(()), healed) => healed,
        (failed, Ok(())) => failed,
        (Err(failure), Err(also)) => Failure::together([failure, also]),
    }
}

/// All transactions, while no other job writes these stores.
fn lead_held(
    aimed: Aimed,
    intent: &mut Intent<'_>,
    job: &Job<'_>,
    interrupt: &Interrupt,
    lead: Lead<'_>,
    hold: &mut Hold,
) -> Result<Summary, Failure> {
    let runtime = &job.runtime;
    let prepared = runtime.block_on(Prepared::new(aimed, intent, &job.bucket, hold));
    let mut prepared = lead.go_on(prepared)?;
    let groundwork = Groundwork {
        projections: prepared.projections().to_vec(),
        comparison: prepared.comparison(),
    };
    lead.tell(&groundwork)?;
    let worker = Worker::ready(groundwork, intent.files, job, interrupt)?;
    intent.settings.budget.weights = worker.weights.iter().map(Weights::bytes).sum();
    let mut summary = Summary::new(intent.done());
    let mut is_tidy = true;
    loop {
        interrupt.guard(true);
        let next = runtime.block_on(prepared.next(intent, &job.bucket, &mut hold.left));
        let begun = match next {
            // What heals it could not tell its changes from those of one that follows it.
            Ok(Some(_)) if !is_tidy => Err(Failure::new(
                Exit::TransferFailed,
                "the ledger of the transaction before must be tidy before another can follow; run the same command again",
            )),
            Ok(Some(work)) => {
                match work.number {
                    (_, 1) => say!("plan: {}", work.plan),
                    (number, all) => say!("plan {number} of {all}: {}", work.plan),
                }
                begin(work, intent, &worker, hold).map(Some)
            }
            Ok(None) => Ok(None),
            Err(failure) => Err(failure),
        };
        let begun = begun.map_err(|failure| summary.so_far(failure));
        let Some((orders, mut transaction)) = lead.go_on(begun)? else {
            lead.tell(&None::<Orders>)?;
            return Ok(summary);
        };
        lead.tell(&Some(&orders))?;
        let mut leading = Leading {
            lead,
            hold,
            transaction: &mut transaction,
            is_tidy: &mut is_tidy,
        };
        let manifest = leading.run(&worker, &orders);
        let manifest = manifest.map_err(|failure| summary.so_far(failure))?;
        interrupt.guard(false);
        summary.add(&orders.plan, &manifest);
        runtime.block_on(hold.wait_for_reads());
    }
}
