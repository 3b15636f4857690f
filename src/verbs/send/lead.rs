//! The lead's story of a send: what fits, the leases, one transaction after the other, and how it went.

use std::time::Instant;

use super::begin::Begun;
use super::intent::Intent;
use super::prepare::{Aimed, Prepared};
use super::report::SendReport;
use super::transaction::Leading;
use super::worker::{Groundwork, Worker};
use crate::events::{Event, PlanSize};
use crate::exit::{Exit, Failure};
use crate::plan::{Phase, Plan, Projections};
use crate::ranks::Lead;
use crate::reproject::Weights;
use crate::session::Session;
use crate::transfer::Orders;
use crate::verbs::files::catalogue::catalogue;
use crate::verbs::shared::hold::Hold;

/// Sends what `intent` says.
///
/// # Errors
/// If that failed; then all is as it was before, or the message says what is not.
pub(super) fn lead_all(
    intent: &Intent<'_>,
    session: &Session,
    lead: Lead<'_>,
) -> Result<SendReport, Failure> {
    let begun = Instant::now();
    let (asked, runtime) = (intent.files, &session.runtime);
    let files = catalogue(lead, &asked.paths, &asked.append_dimension)?;
    let held = runtime.block_on(async {
        let aimed = Aimed::new(files, intent, session).await?;
        let hold = Hold::take(session, &asked.leasing, &aimed.keys(), intent.command()).await?;
        Ok((aimed, hold))
    });
    let (aimed, mut hold) = lead.go_on(held)?;
    let done = lead_held(aimed, intent, session, lead, &mut hold);
    let done = done.map(|report| SendReport {
        elapsed: begun.elapsed(),
        guarantee: Some(hold.leases.guarantee()),
        ..report
    });
    let done = done.map_err(|failure| hold.verdict(failure));
    // Whatever came in the way: what a dead job left is healed.
    let healed = if asked.resume {
        runtime.block_on(hold.release(session));
        Ok(())
    } else {
        runtime.block_on(hold.heal_and_release(session))
    };
    match (done, healed) {
        (done, Ok(())) => done,
        (done, Err(also)) => {
            Failure::together(done.err().into_iter().chain([also]))?;
            Ok(SendReport::default())
        }
    }
}

/// All transactions, while no other job writes these stores.
fn lead_held(
    aimed: Aimed,
    intent: &Intent<'_>,
    session: &Session,
    lead: Lead<'_>,
    hold: &mut Hold,
) -> Result<SendReport, Failure> {
    let runtime = &session.runtime;
    let prepared = runtime.block_on(Prepared::new(aimed, intent, session, hold));
    let mut prepared = lead.go_on(prepared)?;
    let groundwork = Groundwork {
        projections: prepared.projections().to_vec(),
        comparison: prepared.comparison(),
    };
    lead.tell(&groundwork)?;
    let worker = Worker::ready(groundwork, intent.files, session)?;
    let settings = intent.settings(Projections {
        all: prepared.projections().to_vec(),
        weights: worker.weights.iter().map(Weights::bytes).sum(),
    });
    let mut report = SendReport::default();
    let mut is_tidy = true;
    loop {
        session.interrupt.guard(true);
        let next = runtime.block_on(prepared.next(intent, &settings, session, &mut hold.left));
        let begun = next.and_then(|work| {
            let Some(work) = work else { return Ok(None) };
            if !is_tidy {
                // What heals it could not tell its changes from those of one that follows it.
                let message = "the ledger of the transaction before must be tidy before another can follow; run the same command again";
                return Err(Failure::new(Exit::TransferFailed, message));
            }
            let (number, of) = work.number;
            let size = size(&work.plan);
            session.tell(&Event::Planned { number, of, size });
            let begun = Begun::new(session, work, intent, hold);
            runtime.block_on(begun).map(Some)
        });
        let begun = begun.map_err(|failure| report.so_far(failure));
        let Some(Begun {
            orders,
            transaction,
        }) = lead.go_on(begun)?
        else {
            lead.tell(&None::<Orders>)?;
            return Ok(report);
        };
        lead.tell(&Some(&orders))?;
        let leading = Leading {
            lead,
            hold,
            transaction,
            is_tidy: &mut is_tidy,
        };
        let manifest = leading.run(&worker, &orders);
        let manifest = manifest.map_err(|failure| report.so_far(failure))?;
        session.interrupt.guard(false);
        report.add(&orders.plan, &manifest);
        runtime.block_on(hold.wait_for_reads());
    }
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
