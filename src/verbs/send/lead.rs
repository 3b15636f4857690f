//! The lead's story of a send: what fits, the leases, one transaction after the other, and how it went.

use msm_plan::{Phase, Plan, Projections};
use msm_reproject::Weights;

use super::begin::TransactionStart;
use super::destined::DestinedFiles;
use super::error::SendError;
use super::grown_ledgers::GrownLedgers;
use super::held::tell_held;
use super::intent::Intent;
use super::prepare::PreparedSend;
use super::report::SendReport;
use super::transaction::LedTransaction;
use super::worker::{Groundwork, Worker};
use crate::error::Error;
use crate::events::{Event, PlanSize, WorkKind};
use crate::ranks::Lead;
use crate::session::Session;
use crate::transfer::Orders;
use crate::verbs::files::catalogue::catalogue;
use crate::verbs::files::recipe::find_stores;
use crate::verbs::shared::hold::Hold;
use crate::verbs::shared::verification::try_verification;

/// What the lead holds when a send is planned.
pub(super) struct LeasedSend<'a> {
    pub prepared: PreparedSend<'a>,
    pub hold: Hold,
}

impl<'a> LeasedSend<'a> {
    /// Finds out what is to be sent where, and takes the stores' leases.
    ///
    /// # Errors
    /// If files and stores do not fit together; then the leases are given up.
    pub(super) fn new(
        intent: &Intent<'a>,
        session: &Session,
        lead: Lead<'_>,
    ) -> Result<Self, Error> {
        let asked = intent.files;
        let files = {
            let _reading = session.work_unmeasured(WorkKind::Reading);
            catalogue(lead, &asked.paths, asked.file_view(), &session.interrupt)?
        };
        session.runtime.block_on(async {
            let aimed = DestinedFiles::new(files, intent, session).await?;
            let (keys, command) = (aimed.keys(), intent.command());
            try_verification(session, asked.verify, &keys, command).await?;
            let look = async {
                if intent.task.goal.rewrites() {
                    // Which of them are meant is found out first.
                    return None;
                }
                let found = find_stores(&session.bucket, &aimed.targets, &aimed.archive.axis);
                // What keeps them from being read is told when they are looked at again.
                found.await.ok()
            };
            let held = Hold::take_and(session, &asked.leasing, &keys, command, look);
            let (hold, found) = held.await?;
            let found = found.flatten();
            match PreparedSend::new(aimed, found, intent, session, Some(&hold)).await {
                Ok(prepared) => Ok(Self { prepared, hold }),
                Err(failure) => end(hold, Err(failure), intent, session).await,
            }
        })
    }

    /// What every rank does first.
    pub(super) fn groundwork(&mut self) -> Groundwork {
        Groundwork {
            projections: self.prepared.projections().to_vec(),
            comparison: self.prepared.comparison(),
            is_to_be_sent: true,
        }
    }

    /// All transactions, while no other job writes these stores.
    ///
    /// # Errors
    /// If that failed; then all is as it was before, or the message says what is not.
    pub(super) fn run(
        mut self,
        groundwork: Groundwork,
        intent: &Intent<'_>,
        session: &Session,
        lead: Lead<'_>,
    ) -> Result<SendReport, Error> {
        let done = self.run_all(groundwork, intent, session, lead);
        let done = done.map(|report| SendReport {
            guarantee: Some(self.hold.leases.guarantee()),
            ..report
        });
        let ended = end(self.hold, done, intent, session);
        session.runtime.block_on(ended)
    }

    fn run_all(
        &mut self,
        groundwork: Groundwork,
        intent: &Intent<'_>,
        session: &Session,
        lead: Lead<'_>,
    ) -> Result<SendReport, Error> {
        let (runtime, Self { prepared, hold }) = (&session.runtime, self);
        let worker = Worker::ready(groundwork, intent.files, session)?;
        let settings = intent.settings(Projections {
            all: prepared.projections().to_vec(),
            weights: worker.weights.iter().map(Weights::bytes).sum(),
        });
        let mut report = SendReport::default();
        prepared.set_aside_for_maps(intent);
        let mut untidy = None;
        let mut grown = GrownLedgers::default();
        loop {
            session.interrupt.guard(true);
            let next = runtime.block_on(prepared.next(intent, &settings, session, &mut hold.left));
            let mut foreseen = Vec::new();
            let begun = next.and_then(|work| {
                let Some(mut work) = work else {
                    return Ok(None);
                };
                foreseen = std::mem::take(&mut work.foreseen);
                if let Some(left) = untidy.take() {
                    // What heals it could not tell its changes from those of one that follows it.
                    return Err(SendError::Untidy { left }.into());
                }
                let (number, of) = work.number;
                let size = size(&work.plan);
                let files = prepared.planned_files();
                session.tell(&Event::Planned {
                    number,
                    of,
                    files,
                    size,
                });
                let begun = TransactionStart::new(session, work, intent.terms(), hold);
                runtime.block_on(begun).map(Some)
            });
            let begun = begun.map_err(|failure| report.so_far(failure, Some(prepared.reach())));
            let Some(TransactionStart {
                orders,
                transaction,
                holds,
            }) = lead.go_on(begun)?
            else {
                lead.tell(&None::<Orders>)?;
                let maps = std::mem::take(&mut prepared.maps);
                report.maps = worker.drawn(maps.into_pictures())?;
                if untidy.is_none() {
                    runtime.block_on(grown.merge(session, hold));
                }
                return Ok(report);
            };
            lead.tell(&Some(&orders))?;
            prepared.show(&worker, &orders.plan, &foreseen);
            let leading = LedTransaction {
                lead,
                hold,
                transaction,
                untidy: &mut untidy,
                last_look: &|| Ok(()),
            };
            let manifest = leading.run(&worker, &orders);
            let manifest =
                manifest.map_err(|failure| report.so_far(failure, Some(prepared.reach())))?;
            tell_held(holds, session);
            prepared.is_committed();
            session.interrupt.guard(false);
            report.add(&orders.plan, &manifest);
            grown.add(&orders);
            runtime.block_on(hold.wait_for_reads());
        }
    }
}

/// Gives up the leases of a send that is `done`. Whatever came in the way: what a dead job left is healed.
async fn end<T>(
    hold: Hold,
    done: Result<T, Error>,
    intent: &Intent<'_>,
    session: &Session<'_>,
) -> Result<T, Error> {
    let done = done.map_err(|failure| hold.verdict(failure));
    let healed = if intent.files.resume {
        hold.release(session).await;
        Ok(())
    } else {
        hold.heal_and_release(session).await
    };
    let problems = [done.as_ref().err().cloned(), healed.err()];
    Error::together(problems.into_iter().flatten())?;
    done
}

/// What `plan` comes to.
pub(in crate::verbs) fn size(plan: &Plan) -> PlanSize {
    let written = plan.arrays.iter().filter(|a| a.phase != Phase::Compare);
    PlanSize {
        stores: plan.stores.len(),
        arrays: written.map(|a| a.stores.len()).sum(),
        objects: plan.objects(Phase::Transfer) + plan.objects(Phase::Commit),
        bytes: plan.bytes(Phase::Transfer) + plan.bytes(Phase::Commit),
        memory: plan.peak_memory,
        moves: plan.move_cost(),
    }
}
